"""Exported models on this machine, to be served or rehearsed, and what a rehearsal is told as."""
