"""Plan → `prometheus-rule.yaml` of each service that has an SLO, for the Prometheus Operator."""

from lockgate.targets.prometheus.emit import emit

__all__ = ["emit"]
