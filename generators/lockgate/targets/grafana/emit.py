"""A released service → its dashboard as JSON in a ConfigMap, with the label that Grafana's sidecar looks for."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from lockgate.plan import monitoring
from lockgate.plan.model import Plan, Service
from lockgate.targets.file import File
from lockgate.targets.grafana.indented import indented
from lockgate.targets.grafana.layout import DATA_SOURCE, panels
from lockgate.targets.grafana.panels import rows

if TYPE_CHECKING:
    from lockgate.targets.grafana.types import Dashboard

_SIDECAR_LABEL = {"grafana_dashboard": "1"}


def emit(plan: Plan) -> tuple[File, ...]:
    """One file for each service that has been released."""
    return tuple(
        File(path=f"{service.directory}/{monitoring.DASHBOARD}", content=_config_map(service, plan))
        for service in plan.services
        if monitoring.DASHBOARD in monitoring.files(service)
    )


def _config_map(service: Service, plan: Plan) -> dict[str, object]:
    # Sidecars write the key as a file into one folder, whichever namespace it comes from.
    key = f"{service.name}-{service.environment}.json"
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"{service.name}-dashboard",
            "namespace": service.namespace,
            "labels": monitoring.labels(service, plan) | _SIDECAR_LABEL,
        },
        "data": {key: f"{indented(dashboard(service, plan))}\n"},
    }


def dashboard(service: Service, plan: Plan) -> Dashboard:
    """Its `uid` never changes, so that links to it last."""
    source = {"name": DATA_SOURCE, "label": "Data source", "type": "datasource", "query": "prometheus"}
    return {
        "uid": f"lockgate-{_fingerprint(service, plan)}",
        "title": f"{service.name} in {service.environment}",
        "tags": ["lockgate", service.name, service.environment],
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "templating": {"list": [dict(source)]},
        "annotations": {"list": []},
        "panels": panels(rows(service)),
    }


def _fingerprint(service: Service, plan: Plan) -> str:
    place = f"{plan.spec.project.repository}/{service.environment}/{service.name}"
    return sha256(place.encode()).hexdigest()[:16]
