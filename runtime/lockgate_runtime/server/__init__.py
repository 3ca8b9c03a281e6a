"""Serves a released model over HTTP. Knows the artifact folder and nothing of how it was trained."""
