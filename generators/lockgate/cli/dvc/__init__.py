"""DVC as commands need it: it runs as a program of its own, and is never imported."""
