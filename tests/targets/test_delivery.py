"""The objects that make Argo CD and Flux follow the repository, made from real specs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from lockgate import plan, spec, targets
from lockgate.plan.model import Record

CRDS = Path(os.environ.get("LOCKGATE_CRDS", Path(__file__).parents[3] / "shared" / "crds"))
SPEC = """\
apiVersion: lockgate.dev/v1
project: {repository: github.com/acme/Flights.ml, branch: trunk}
models:
  delay:
    owner: ops
    task: regression
    data: {source: data/delay.csv, target: minutes}
    train: {estimator: "models.delay.model:build"}
    serve: {rollout: canary, replicas: {min: 10, max: 20}}
environments:
  staging: {namespace: ml-staging, models: {delay: {serve: {rollout: rolling}}}}
  production: {namespace: ml}
deployments: {production: {delay: 1.0.0}}
"""


def rendered(text: str) -> Mapping[str, Any]:
    """Each file below `manifests/` as data, by its path."""
    reading = spec.read(text.encode())
    assert reading.spec is not None, reading.diagnostics
    image = f"ghcr.io/acme/delay@sha256:{'ab' * 32}"
    record = Record(model="delay", version="1.0.0", image=image, artifact_sha256="cd" * 32, metrics={})
    planned, findings = plan.make(reading.spec, {("delay", "1.0.0"): record})
    rendering = targets.render(planned)
    assert (findings, rendering.findings) == ((), ())
    return {
        path: yaml.safe_load(text) for path, text in rendering.files.items() if path.startswith("manifests/")
    }


def schema(name: str) -> jsonschema_rs.Validator:
    path = CRDS / f"{name}.json"
    if not path.is_file():
        pytest.skip(
            f"no schema at {path}: set LOCKGATE_CRDS to a folder of the projects' CRDs as JSON Schemas"
        )
    return jsonschema_rs.validator_for(json.loads(path.read_text()))


def test_without_delivery_nothing_follows_the_repository() -> None:
    assert not [path for path in rendered(SPEC) if "argocd" in path or "flux" in path]


def test_argo_cd_heals_an_environment_but_leaves_the_hash_that_a_rollout_sets() -> None:
    made = rendered(f"{SPEC}delivery: {{mode: argocd, project: ml}}\n")

    assert made["manifests/production/argocd-application.yaml"] == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": "flights-ml-production",
            "namespace": "argocd",
            "labels": {"app.kubernetes.io/managed-by": "lockgate"},
        },
        "spec": {
            "project": "ml",
            "source": {
                "repoURL": "https://github.com/acme/Flights.ml",
                "targetRevision": "trunk",
                "path": "manifests/production",
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "ml"},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": ["ServerSideApply=true", "RespectIgnoreDifferences=true", "PruneLast=true"],
                "retry": {"limit": 5, "backoff": {"duration": "30s", "factor": 2, "maxDuration": "5m"}},
            },
            "ignoreDifferences": [
                {
                    "group": "",
                    "kind": "Service",
                    "jsonPointers": ["/spec/selector/rollouts-pod-template-hash"],
                }
            ],
        },
    }


def test_an_environment_without_rollouts_ignores_nothing() -> None:
    made = rendered(f"{SPEC}delivery: {{mode: argocd}}\n")

    assert "ignoreDifferences" not in made["manifests/staging/argocd-application.yaml"]["spec"]


def test_flux_reads_the_branch_and_leaves_the_hash_that_a_rollout_sets() -> None:
    made = rendered(f"{SPEC}delivery: {{mode: flux, interval: 1m, secret: deploy-key}}\n")

    assert made["manifests/production/flux-git-repository.yaml"]["spec"] == {
        "interval": "60s",
        "url": "https://github.com/acme/Flights.ml",
        "ref": {"branch": "trunk"},
        "secretRef": {"name": "deploy-key"},
    }
    assert made["manifests/production/flux-kustomization.yaml"]["spec"] == {
        "interval": "60s",
        "retryInterval": "2m",
        "timeout": "5m",
        "sourceRef": {"kind": "GitRepository", "name": "flights-ml-production"},
        "path": "./manifests/production",
        "prune": True,
        "ignore": [{"target": {"kind": "Service"}, "paths": ["/spec/selector/rollouts-pod-template-hash"]}],
    }


def test_the_weights_of_a_route_are_the_rollouts() -> None:
    gateway = "traffic: {gateway: edge, namespace: gateways, hostname: delay.acme.test}, "
    text = SPEC.replace("serve: {rollout: canary,", f"serve: {{{gateway}rollout: canary,")
    spec_of_flux = rendered(f"{text}delivery: {{mode: flux}}\n")[
        "manifests/production/flux-kustomization.yaml"
    ]

    assert spec_of_flux["spec"]["ignore"][1] == {
        "target": {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute"},
        "paths": ["/spec/rules/0/backendRefs/0/weight", "/spec/rules/0/backendRefs/1/weight"],
    }


@pytest.mark.parametrize(
    ("rollout", "paths"),
    [
        ("canary", ["/spec/http/0/route/0/weight", "/spec/http/0/route/1/weight"]),
        ("cautious", ["/spec/http"]),
    ],
)
def test_the_routes_that_a_rollout_adds_to_istios_are_its_own(rollout: str, paths: list[str]) -> None:
    traffic = "traffic: {gateway: edge, namespace: gateways, hostname: delay.acme.test, router: istio}, "
    text = SPEC.replace("serve: {rollout: canary,", f"serve: {{{traffic}rollout: {rollout},")
    spec = rendered(f"{text}delivery: {{mode: argocd}}\n")["manifests/production/argocd-application.yaml"][
        "spec"
    ]

    assert spec["ignoreDifferences"][1] == {
        "group": "networking.istio.io",
        "kind": "VirtualService",
        "jsonPointers": paths,
    }


def test_the_kustomization_of_the_environment_does_not_apply_what_follows_it() -> None:
    made = rendered(f"{SPEC}delivery: {{mode: argocd}}\n")

    assert made["manifests/production/kustomization.yaml"]["resources"] == ["namespace.yaml", "delay"]


@pytest.mark.parametrize(
    ("mode", "file", "name"),
    [
        ("argocd", "argocd-application", "argoproj.io_v1alpha1_Application"),
        ("flux", "flux-kustomization", "kustomize.toolkit.fluxcd.io_v1_Kustomization"),
        ("flux", "flux-git-repository", "source.toolkit.fluxcd.io_v1_GitRepository"),
    ],
)
def test_each_object_follows_its_schema(mode: str, file: str, name: str) -> None:
    made = rendered(f"{SPEC}delivery: {{mode: {mode}}}\n")

    for environment in ("staging", "production"):
        assert list(schema(name).iter_errors(made[f"manifests/{environment}/{file}.yaml"])) == []


@pytest.mark.parametrize(
    ("repository", "name"),
    [
        ("github.com/acme/9lives", "r-9lives-production"),
        ("github.com/acme/---", "models-production"),
        (f"github.com/acme/{'long' * 20}", f"{('long' * 20)[:42]}-production"),
    ],
)
def test_any_repository_gives_a_name_that_kubernetes_takes(repository: str, name: str) -> None:
    text = SPEC.replace("github.com/acme/Flights.ml", repository)
    made = rendered(f"{text}delivery: {{mode: argocd}}\n")

    assert made["manifests/production/argocd-application.yaml"]["metadata"]["name"] == name
