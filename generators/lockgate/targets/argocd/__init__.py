"""The target Argo CD: one Application an environment, which follows the repository's branch."""

from lockgate.targets.argocd.emit import emit

__all__ = ["emit"]
