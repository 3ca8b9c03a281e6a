"""A released service → its dashboard as JSON in a ConfigMap, with the label that Grafana's sidecar looks for."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING

from lockgate.plan import monitoring
from lockgate.plan.model import Plan, Service
from lockgate.targets.file import File
from lockgate.targets.grafana.layout import DATA_SOURCE, panels
from lockgate.targets.grafana.panels import Shown, rows, shown_of

if TYPE_CHECKING:
    from lockgate.targets.grafana.types import Dashboard

_SIDECAR_LABEL = {"grafana_dashboard": "1"}
_NAME = re.compile(r"[a-z0-9-]+")
_SOURCE = {"name": DATA_SOURCE, "label": "Data source", "type": "datasource", "query": "prometheus"}


# What stands for the names of a service. No name has such brackets, and nothing else on a dashboard does.
_MODEL, _ENVIRONMENT, _NAMESPACE, _UID = _STAND_INS = ("<model>", "<environment>", "<namespace>", "<uid>")


def emit(plan: Plan) -> tuple[File, ...]:
    """One file for each service that has been released."""
    written: dict[str, list[str]] = {}
    return tuple(
        File(path=f"{service.directory}/{monitoring.DASHBOARD}", content=_config_map(service, plan, written))
        for service in plan.services
        if monitoring.DASHBOARD in monitoring.files(service)
    )


def _config_map(service: Service, plan: Plan, written: dict[str, list[str]]) -> dict[str, object]:
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
        "data": {key: _dashboard(service, plan, written)},
    }


def _dashboard(service: Service, plan: Plan, written: dict[str, list[str]]) -> str:
    """Written once for all services that differ in names alone, for there may be thousands; then its names put in."""
    shown = shown_of(service)
    names = (shown.model, shown.environment, shown.namespace, _uid(service, plan))
    assert all(map(_NAME.fullmatch, names)), "a name reads the same in JSON and in PromQL"
    nameless = shown._replace(model=_MODEL, environment=_ENVIRONMENT, namespace=_NAMESPACE)
    kind = repr(nameless)  # as text, for numbers that are equal need not be written alike
    if kind not in written:
        written[kind] = re.split(f"({'|'.join(_STAND_INS)})", _written(nameless))
    put_in = dict(zip(_STAND_INS, names, strict=True))
    return "".join([put_in.get(piece, piece) for piece in written[kind]])


def _written(shown: Shown) -> str:
    dashboard: Dashboard = {
        "uid": _UID,
        "title": f"{shown.model} in {shown.environment}",
        "tags": ["lockgate", shown.model, shown.environment],
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "schemaVersion": 39,
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "templating": {"list": [dict(_SOURCE)]},
        "annotations": {"list": []},
        "panels": panels(rows(shown)),
    }
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def _uid(service: Service, plan: Plan) -> str:
    """It never changes, so that links to the dashboard last."""
    place = f"{plan.spec.project.repository}/{service.environment}/{service.name}"
    return f"lockgate-{sha256(place.encode()).hexdigest()[:16]}"
