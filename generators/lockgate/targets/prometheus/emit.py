"""The rules of a service's SLO → a PrometheusRule. Texts of the spec cannot become templates of Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from lockgate.plan import monitoring, slo
from lockgate.plan.model import Plan, Service
from lockgate.plan.promql import duration, text
from lockgate.spec.model import Slo
from lockgate.targets.file import File

if TYPE_CHECKING:
    from lockgate.targets.prometheus.types import AlertRule, Group, PrometheusRule, RecordingRule

_VALUE = "{{ $value | humanizePercentage }}"


def emit(plan: Plan) -> tuple[File, ...]:
    """One file for each service that has been released and promises something."""
    return tuple(
        File(
            path=f"{service.directory}/{monitoring.PROMETHEUS_RULE}",
            content=_rule(service, service.serve.slo, plan),
        )
        for service in plan.services
        if service.serve.slo is not None and monitoring.PROMETHEUS_RULE in monitoring.files(service)
    )


def _rule(service: Service, promised: Slo, plan: Plan) -> PrometheusRule:
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": service.name,
            "namespace": service.namespace,
            "labels": monitoring.labels(service, plan),
        },
        "spec": {"groups": [_group(service, promised)]},
    }


def _group(service: Service, promised: Slo) -> Group:
    """One group, as the rules of a group are evaluated in their order: alerts see what was just recorded."""
    return {
        "name": f"lockgate.{service.environment}.{service.name}.slo",
        "rules": [
            *(_recording(it) for it in slo.recordings(service, promised)),
            *(_alert(it) for it in slo.alerts(service, promised)),
        ],
    }


def _recording(recording: slo.Recording) -> RecordingRule:
    return {
        "record": recording.name,
        "expr": text(recording.expression),
        "labels": _plain(recording.labels),
    }


def _alert(alert: slo.Alert) -> AlertRule:
    description = literal(alert.description)
    if alert.value is not None:
        description = f"{description} Now {_VALUE} of {literal(alert.value)}."
    annotations = {
        "summary": literal(alert.summary),
        "description": description,
        "runbook_url": alert.runbook_url,
    }
    waits = {"for": duration(alert.for_seconds)} if alert.for_seconds else {}
    rule = {"alert": alert.name, "expr": text(alert.expression)} | waits
    return cast("AlertRule", rule | {"labels": _plain(alert.labels), "annotations": annotations})


def _plain(labels: Mapping[str, str]) -> dict[str, str]:
    return {name: literal(value) for name, value in labels.items()}


def literal(value: str) -> str:
    """The text such that a template of Go prints it as it is; labels and annotations are such templates."""
    return value.replace("{", '{{"{"}}') if "{{" in value or value.endswith("{") else value
