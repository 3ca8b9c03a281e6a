"""Plans made by hand for the tests of the Kubernetes target, and hypothesis strategies over their varieties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st
from tests.targets.pipeline_plans import MODEL, PROJECT

from lockgate.plan.model import Plan, Record, Service
from lockgate.spec.model import Ci, Environment, Rollout, RolloutStep, Serve, Spec, Strategy
from lockgate.targets.file import File

NAME = MODEL.name
DIGEST = "sha256:" + "0123456789abcdef" * 4

SERVE = Serve(
    replicas_min=2,
    replicas_max=10,
    target_cpu_percent=70,
    cpu="500m",
    cpu_limit="2",
    memory="512Mi",
    clients=(),
    rollout=Rollout(strategy="rolling", steps=()),
    pod={},
)
CANARY = replace(
    SERVE,
    replicas_min=4,
    rollout=Rollout(
        strategy="canary",
        steps=(
            RolloutStep(weight_percent=25, pause_seconds=600),
            RolloutStep(weight_percent=50, pause_seconds=90),
        ),
    ),
)
BLUE_GREEN = replace(SERVE, rollout=Rollout(strategy="blue-green", steps=()))
BY_STRATEGY: Mapping[Strategy, Serve] = {"rolling": SERVE, "canary": CANARY, "blue-green": BLUE_GREEN}


def record(model: str = NAME, version: str = "1.2.0") -> Record:
    return Record(
        model=model,
        version=version,
        image=f"ghcr.io/acme/{model}@{DIGEST}",
        artifact_sha256="ab" * 32,
        metrics={"roc_auc": 0.75},
    )


def service(
    serve: Serve = SERVE,
    *,
    name: str = NAME,
    environment: str = "production",
    namespace: str = "ml",
    released: bool = True,
    model_serve: Serve | None = None,
) -> Service:
    """`model_serve` is what the model itself says, where the environment changes it."""
    return Service(
        model=replace(MODEL, name=name, serve=model_serve or serve),
        environment=environment,
        namespace=namespace,
        serve=serve,
        release=record(name) if released else None,
    )


def plan(*services: Service, environments: Mapping[str, str] | None = None) -> Plan:
    """`environments` adds namespaces by environment to those of the services."""
    namespaces = dict(environments or {}) | {item.environment: item.namespace for item in services}
    spec = Spec(
        project=PROJECT,
        models={item.name: item.model for item in services},
        environments={
            name: Environment(name=name, namespace=namespace, serve={})
            for name, namespace in namespaces.items()
        },
        pins={},
        ci=Ci(runner="ubuntu-24.04", timeout_minutes=60, updates=None, steps_before=(), steps_after=()),
        patches=(),
    )
    return Plan(spec=spec, pipelines=(), services=services)


def contents(files: Iterable[File]) -> dict[str, Any]:
    return {file.path: file.content for file in files}


def write(files: Iterable[File], root: Path) -> None:
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(dict(file.content), sort_keys=False), encoding="utf-8")


names = st.from_regex(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)
_keys = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
pods = st.fixed_dictionaries(
    {},
    optional={
        "nodeSelector": st.dictionaries(_keys, _keys, max_size=3),
        "priorityClassName": _keys,
        "terminationGracePeriodSeconds": st.integers(min_value=30, max_value=600),
        "tolerations": st.lists(
            st.fixed_dictionaries(
                {"key": _keys, "operator": st.just("Exists"), "effect": st.just("NoSchedule")}
            ),
            max_size=2,
        ),
        "securityContext": st.fixed_dictionaries(
            {"runAsUser": st.integers(min_value=1, max_value=2**31 - 1)}
        ),
        "hostUsers": st.just(False),
    },
)


@st.composite
def rollouts(draw: st.DrawFn, replicas_min: int) -> Rollout:
    choices: list[Strategy] = (
        ["rolling", "blue-green"] if replicas_min == 1 else ["rolling", "blue-green", "canary"]
    )
    strategy = draw(st.sampled_from(choices))
    if strategy != "canary":
        return Rollout(strategy=strategy, steps=())
    weights = st.integers(
        min_value=-(-100 // replicas_min), max_value=100 * (replicas_min - 1) // replicas_min
    )
    steps = st.builds(RolloutStep, weight_percent=weights, pause_seconds=st.integers(0, 10**6))
    return Rollout(strategy="canary", steps=tuple(draw(st.lists(steps, min_size=1, max_size=4))))


@st.composite
def serves(draw: st.DrawFn) -> Serve:
    replicas_min = draw(st.integers(min_value=1, max_value=1000))
    cpu = draw(st.integers(min_value=1, max_value=999))
    return Serve(
        replicas_min=replicas_min,
        replicas_max=draw(st.integers(min_value=replicas_min, max_value=1000)),
        target_cpu_percent=draw(st.integers(min_value=10, max_value=95)),
        cpu=f"{cpu}m",
        cpu_limit=draw(st.sampled_from(["1", "2", "1.5", "64"])),
        memory=f"{draw(st.integers(min_value=1, max_value=10**9))}{draw(st.sampled_from(['Ki', 'Mi', 'Gi']))}",
        clients=tuple(draw(st.lists(names, max_size=3, unique=True))),
        rollout=draw(rollouts(replicas_min)),
        pod=draw(pods),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Of two environments that share nothing, so nothing in them collides."""
    return plan(
        *(
            service(
                draw(serves()),
                name=draw(names),
                environment=environment,
                namespace=f"ml-{environment}",
                released=draw(st.booleans()),
            )
            for environment in ("staging", "production")
        )
    )
