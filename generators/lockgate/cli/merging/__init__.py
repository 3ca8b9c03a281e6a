"""What merging the work tree does to the branch that it goes to: for `plan`, `run` and `report`."""
