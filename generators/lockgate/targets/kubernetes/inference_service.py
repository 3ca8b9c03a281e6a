"""A released service on KServe → its InferenceService in Standard mode, of which KServe makes the workload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan.model import Plan, Record, Service
from lockgate.targets.kubernetes.names import metadata
from lockgate.targets.kubernetes.pod import artifact, pod, versioned

if TYPE_CHECKING:
    from lockgate.targets.kubernetes.types import InferenceService

CONTAINER = "kserve-container"
"""KServe looks for the server under this name."""


def inference_service(service: Service, release: Record, plan: Plan) -> InferenceService:
    """Standard mode is without Knative: nothing else gives the pod its own security and its own probes."""
    annotations = {
        "serving.kserve.io/deploymentMode": "Standard",
        "serving.kserve.io/autoscalerClass": "hpa",
    }
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {**metadata(service, plan, service.name), "annotations": annotations},
        "spec": {
            "predictor": {
                "labels": versioned(service, release, plan),
                "annotations": artifact(release),
                "minReplicas": service.serve.replicas_min,
                "maxReplicas": service.serve.replicas_max,
                "scaleMetric": "cpu",
                "scaleTarget": service.serve.target_cpu_percent,
                "deploymentStrategy": {
                    "type": "RollingUpdate",
                    "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0},
                },
                **pod(service, release, CONTAINER),
            }
        },
    }
