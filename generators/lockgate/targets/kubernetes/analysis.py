"""What a rollout is held to → AnalysisTemplates of Argo Rollouts, and how a Rollout refers to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lockgate.plan import preview
from lockgate.plan.analysis import AnalysisMetric, metrics, shadow_metrics
from lockgate.plan.model import Plan, Service
from lockgate.targets.kubernetes.names import metadata, preview_name, shadow_name

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import AnalysisTemplate, Metric

_HASHES = {"latest-hash": "Latest", "stable-hash": "Stable"}


def analysis_templates(service: Service, plan: Plan) -> Iterator[tuple[str, AnalysisTemplate]]:
    """By file name. None where time alone decides."""
    held_to = metrics(service)
    if held_to:
        yield "analysis-template.yaml", _template(service.name, held_to, service, plan)
        if service.serve.rollout.strategy == "blue-green":
            before = preview.metrics(service)
            yield "analysis-template-preview.yaml", _template(preview_name(service), before, service, plan)
    copied = shadow_metrics(service)
    if copied:
        yield "analysis-template-shadow.yaml", _template(shadow_name(service), copied, service, plan)


def analysis(template: str) -> dict[str, object]:
    """A run of the template, which is told which pods are new and which are old."""
    return {
        "templates": [{"templateName": template}],
        "args": [
            {"name": name, "valueFrom": {"podTemplateHashValue": which}} for name, which in _HASHES.items()
        ],
    }


def _template(name: str, held_to: Sequence[AnalysisMetric], service: Service, plan: Plan) -> AnalysisTemplate:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": metadata(service, plan, name),
        "spec": {
            "args": [{"name": argument} for argument in _HASHES],
            "metrics": [_metric(metric, plan.spec.project.prometheus) for metric in held_to],
        },
    }


def _metric(metric: AnalysisMetric, address: str) -> Metric:
    """Both conditions ask whether there is a value: where there is none, it is neither good nor bad."""
    return {
        "name": metric.name,
        "initialDelay": f"{metric.initial_delay_seconds}s",
        "interval": f"{metric.interval_seconds}s",
        "count": metric.measurements,
        "successCondition": metric.success_condition,
        "failureCondition": metric.failure_condition,
        "failureLimit": metric.failure_limit,
        "inconclusiveLimit": metric.inconclusive_limit,
        "consecutiveErrorLimit": metric.consecutive_error_limit,
        "provider": {"prometheus": {"address": address, "query": metric.query}},
    }
