"""A cluster's API on loopback: kmock's emulator, with server-side apply, selectors and pages, and its kubeconfig."""

from __future__ import annotations

import asyncio
import copy
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import attrs
from aiohttp.web import StreamResponse
from kmock import KubernetesEmulator, KubernetesError, Request, ResourceInfo, Server, action, resource

Object: TypeAlias = Mapping[str, Any]

CONTEXT = "loopback"
_APPLY = "application/apply-patch+yaml"
_KINDS = (
    ("v1", "namespaces", "Namespace"),
    ("v1", "pods", "Pod"),
    ("v1", "services", "Service"),
    ("v1", "serviceaccounts", "ServiceAccount"),
    ("v1", "configmaps", "ConfigMap"),
    ("v1", "secrets", "Secret"),
    ("v1", "events", "Event"),
    ("apps/v1", "deployments", "Deployment"),
    ("apps/v1", "replicasets", "ReplicaSet"),
    ("autoscaling/v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler"),
    ("networking.k8s.io/v1", "networkpolicies", "NetworkPolicy"),
    ("policy/v1", "poddisruptionbudgets", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io/v1", "roles", "Role"),
    ("rbac.authorization.k8s.io/v1", "rolebindings", "RoleBinding"),
    ("argoproj.io/v1alpha1", "rollouts", "Rollout"),
    ("argoproj.io/v1alpha1", "analysisruns", "AnalysisRun"),
    ("argoproj.io/v1alpha1", "analysistemplates", "AnalysisTemplate"),
    ("gateway.networking.k8s.io/v1", "httproutes", "HTTPRoute"),
    ("networking.istio.io/v1", "virtualservices", "VirtualService"),
    ("keda.sh/v1alpha1", "scaledobjects", "ScaledObject"),
    ("monitoring.coreos.com/v1", "prometheusrules", "PrometheusRule"),
    ("monitoring.coreos.com/v1", "servicemonitors", "ServiceMonitor"),
    ("serving.kserve.io/v1beta1", "inferenceservices", "InferenceService"),
)
_OF_THE_CLUSTER = frozenset({"Namespace"})


@dataclass(kw_only=True)
class StandIn:
    """One cluster. `requests` are the method and path of each; what matches a key of `refused` gets that status.

    `after_apply` says what controllers do to an object that was applied: its answer is merged into the object.
    """

    kubeconfig: Path
    url: str = ""
    requests: list[str] = field(default_factory=list)
    queries: list[Mapping[str, str]] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    after_apply: Callable[[Object], Object] = lambda _: {}
    largest_page: int = 500
    emulator: _Emulator = field(init=False)

    def __post_init__(self) -> None:
        self.emulator = _Emulator(self)
        for api_version, plural, kind in _KINDS:
            self.serve_kind(api_version, plural, kind)

    def serve_kind(self, api_version: str, plural: str, kind: str) -> None:
        self.emulator.resources[_resource(api_version, plural)] = ResourceInfo(
            kind=kind, namespaced=kind not in _OF_THE_CLUSTER, verbs={"get", "list", "patch", "delete"}
        )

    def forget_kind(self, api_version: str, plural: str) -> None:
        """As a cluster that lacks its definition."""
        del self.emulator.resources[_resource(api_version, plural)]

    def put(self, document: Object) -> None:
        """The object as the cluster is to have it, status and all."""
        self.emulator.objects[self._key(document)] = copy.deepcopy(dict(document))

    def remove(self, document: Object) -> None:
        del self.emulator.objects[self._key(document)]

    def find(self, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """The object as the cluster has it now."""
        wanted = (kind, name, namespace)
        for it in self.objects():
            metadata = it["metadata"]
            if (it["kind"], metadata["name"], metadata.get("namespace")) == wanted:
                return it
        return None

    def objects(self) -> tuple[dict[str, Any], ...]:
        """All that there is, in the order in which it came."""
        return tuple(copy.deepcopy(it.raw) for it in self.emulator.objects.values() if not it.deleted)

    def _key(self, document: Object) -> tuple[resource, str | None, str]:
        plurals = {(api_version, kind): plural for api_version, plural, kind in _KINDS}
        plural = plurals[document["apiVersion"], document["kind"]]
        metadata = document["metadata"]
        return _resource(document["apiVersion"], plural), metadata.get("namespace"), metadata["name"]


class _Emulator(KubernetesEmulator):
    """kmock's, which lacks server-side apply, selectors and pages."""

    def __init__(self, cluster: StandIn) -> None:
        super().__init__()
        self._cluster = cluster

    async def _handle(self, request: Request) -> StreamResponse:
        line = f"{request.method.value} {request.url.path}"
        self._cluster.requests.append(line)
        self._cluster.queries.append(request.params)
        for form, status in self._cluster.refused.items():
            if re.search(form, line):
                raise KubernetesError(status=status, message=f"refused: {line}")
        # kmock matches a request by which of those it has kept it is.
        request = self._requests[request.id] = _of_a_namespace(request)
        applied = self._applied(request) if request.headers.get("Content-Type") == _APPLY else None
        response = await super()._handle(request)
        if applied is not None:
            self.objects[applied].patch(self._cluster.after_apply(copy.deepcopy(self.objects[applied].raw)))
        return response

    def _applied(self, request: Request) -> tuple[resource, str | None, str]:
        """The key of the object, which is there from now on: an apply creates what is not."""
        assert request.resource is not None
        assert request.name is not None
        key = (request.resource, request.namespace, request.name)
        if key not in self.objects or self.objects[key].deleted:
            self.objects[key] = {"apiVersion": request.data["apiVersion"], "kind": request.data["kind"]}
        return key

    async def _serve_list(self, request: Request) -> Object:
        answer: Any = await super()._serve_list(request)
        chosen = [it for it in answer["items"] if _matches(it, request.params)]
        start = int(request.params.get("continue", "0"))
        end = start + min(int(request.params.get("limit", "500")), self._cluster.largest_page)
        more = {"continue": str(end)} if end < len(chosen) else {}
        # A real list does not say of its items what they are.
        items = [{k: v for k, v in it.items() if k not in ("apiVersion", "kind")} for it in chosen[start:end]]
        return {**answer, "metadata": more, "items": items}


@contextmanager
def serve(folder: Path) -> Iterator[StandIn]:
    """A cluster on a free port; `kubeconfig` lies in the folder and has the one context."""
    cluster = StandIn(kubeconfig=folder / "kubeconfig")
    ready: Future[str] = Future()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()
    thread = threading.Thread(
        target=loop.run_until_complete, args=(_run(cluster, ready, ended),), daemon=True
    )
    thread.start()
    try:
        cluster.url = ready.result(timeout=20)
        cluster.kubeconfig.write_text(json.dumps(_kubeconfig(cluster.url)))
        yield cluster
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


async def _run(cluster: StandIn, ready: Future[str], ended: asyncio.Event) -> None:
    async with cluster.emulator, Server(cluster.emulator) as server:
        ready.set_result(f"http://127.0.0.1:{server.port}")
        await ended.wait()


def _of_a_namespace(request: Request) -> Request:
    """kmock takes a namespace's own path for the beginning of another's."""
    found = re.fullmatch(r"/api/v1/namespaces/([^/]+)", request.url.path)
    if found is None:
        return request
    actions = {"GET": action.FETCH, "PATCH": action.UPDATE, "DELETE": action.DELETE}
    return attrs.evolve(
        request,
        resource=_resource("v1", "namespaces"),
        namespace=None,
        name=found[1],
        action=actions[request.method.value],
    )


def _matches(document: Object, query: Mapping[str, str]) -> bool:
    labels = document["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in _terms(query.get("labelSelector", ""))) and all(
        _at(document, key) == value for key, value in _terms(query.get("fieldSelector", ""))
    )


def _terms(selector: str) -> list[tuple[str, str]]:
    terms = [term.partition("=") for term in selector.split(",") if term]
    return [(key, value) for key, _, value in terms]


def _at(document: Any, path: str) -> str:
    for key in path.split("."):
        document = document.get(key) or {}
    return str(document)


def _resource(api_version: str, plural: str) -> resource:
    group, _, version = api_version.rpartition("/")
    return resource(group, version, plural)


def _kubeconfig(url: str) -> Object:
    """JSON is YAML."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": CONTEXT,
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
        "clusters": [{"name": CONTEXT, "cluster": {"server": url}}],
        "users": [{"name": CONTEXT, "user": {"token": "a-token"}}],
    }
