"""Releases and pins: what a model is released of, and how a pin is moved to it."""
