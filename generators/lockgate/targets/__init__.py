"""Plan → the text of every generated file."""

from lockgate.targets.render import Rendering, render

__all__ = ["Rendering", "render"]
