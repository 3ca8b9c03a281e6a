"""Plan → `dashboard.yaml` of each released service: a ConfigMap that Grafana's sidecar loads as a dashboard."""

from lockgate.targets.grafana.emit import emit

__all__ = ["emit"]
