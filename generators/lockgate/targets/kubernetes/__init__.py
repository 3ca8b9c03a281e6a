"""Plan → `manifests/<environment>/`: one Kubernetes object a file. It knows no cluster and no other target."""

from lockgate.targets.kubernetes.emit import emit
from lockgate.targets.kubernetes.findings import findings
from lockgate.targets.kubernetes.semantics import ObjectProblem, check_objects

__all__ = ["ObjectProblem", "check_objects", "emit", "findings"]
