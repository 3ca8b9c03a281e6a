"""The target image: one Dockerfile a served model, and what of the repository its build may see."""

from lockgate.targets.image.emit import emit

__all__ = ["emit"]
