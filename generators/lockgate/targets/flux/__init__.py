"""The target Flux: one Kustomization an environment and the GitRepository that it reads."""

from lockgate.targets.flux.emit import emit

__all__ = ["emit"]
