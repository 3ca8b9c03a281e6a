"""The models of this repository, a package each."""
