"""Plans made by hand for the tests of the Kubernetes target, and hypothesis strategies over their varieties."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st
from tests.replacing import replace
from tests.targets.pipeline_plans import MODEL, PROJECT

from lockgate.plan.model import Plan, Record, Service
from lockgate.spec.model import (
    Analysis,
    Ci,
    Environment,
    Gateway,
    Limits,
    PredictionsLog,
    PsiLimit,
    Query,
    RequestScaling,
    Rollout,
    RolloutStep,
    Serve,
    Shadow,
    Slo,
    Spec,
    Strategy,
    Tracing,
)
from lockgate.targets import grafana, kubernetes, prometheus
from lockgate.targets.file import File

NAME = MODEL.name
DIGEST = "sha256:" + "0123456789abcdef" * 4

SERVE = Serve(
    replicas_min=2,
    replicas_max=10,
    target_cpu_percent=70,
    scaling=None,
    cpu="500m",
    cpu_limit="2",
    memory="512Mi",
    workers=1,
    limits=Limits(body_bytes=4 * 2**20, rows=10_000, queue_rows=4096, timeout_seconds=10.0),
    unknown_categories="accept",
    auth_secret=None,
    tls_secret=None,
    predictions_log=None,
    tracing=None,
    clients=(),
    gateway=None,
    platform="kubernetes",
    slo=None,
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
GATEWAY = Gateway(name="public", namespace="gateways", hostname="delay.acme.example")
ISTIO = GATEWAY._replace(router="istio")
ANALYSIS = Analysis(
    success_rate_min_percent=Decimal("99.9"),
    latency_p99_max_seconds=0.05,
    prediction_psi=PsiLimit(max=0.2, min_samples=200),
    queries={"bookings": Query(query="sum(bookings)", min=10, max=None, reason="fewer mean nonsense")},
)
SLO = Slo(availability_percent=Decimal("99.9"), latency_p99_seconds=0.05, min_requests_per_second=0)
CAUTIOUS = replace(
    SERVE,
    gateway=GATEWAY,
    slo=SLO,
    rollout=Rollout(
        strategy="cautious",
        steps=(RolloutStep(weight_percent=1, pause_seconds=600),),
        test_seconds=1800,
        analysis=ANALYSIS,
    ),
)
SHADOWED = replace(
    CAUTIOUS, gateway=ISTIO, rollout=CAUTIOUS.rollout._replace(shadow=Shadow(seconds=1800, percent=20))
)
KSERVE = replace(SERVE, platform="kserve")
EQUIPPED = replace(
    SERVE,
    scaling=RequestScaling(requests_per_second=500, demand=None, to_zero=False),
    workers=2,
    auth_secret="tokens",
    tls_secret="certificate",
    predictions_log=PredictionsLog(to="s3://acme/log", sample=0.01, keep_days=30, leave_out=("--name",)),
    tracing=Tracing(endpoint="http://collector.observability.svc:4318", sample=0.01),
)
"""With everything that a server may be given."""

BY_STRATEGY: Mapping[Strategy, Serve] = {
    "rolling": SERVE,
    "canary": CANARY,
    "cautious": CAUTIOUS,
    "blue-green": BLUE_GREEN,
}
VARIETIES: Mapping[str, Serve] = {
    **{str(strategy): serve for strategy, serve in BY_STRATEGY.items()},
    "kserve": KSERVE,
    "equipped": EQUIPPED,
    "analysed-canary": replace(CANARY, rollout=CANARY.rollout._replace(analysis=ANALYSIS)),
    "analysed-blue-green": replace(BLUE_GREEN, rollout=BLUE_GREEN.rollout._replace(analysis=ANALYSIS)),
    "routed-rolling": replace(SERVE, gateway=GATEWAY),
    "shadowed": SHADOWED,
    "unshadowed": replace(CAUTIOUS, gateway=ISTIO),
    "routed-canary-of-istio": replace(CANARY, gateway=ISTIO),
    "to-zero": replace(
        SERVE, scaling=RequestScaling(requests_per_second=9, demand="sum(rate(gate[1m]))", to_zero=True)
    ),
}
"""What is written in different ways, each once."""


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
            name: Environment(
                name=name,
                namespace=namespace,
                promote="pull-request",
                requires=(),
                soak_seconds=0,
                reviewers=(),
                serve={},
            )
            for name, namespace in namespaces.items()
        },
        pins={},
        ci=Ci(runner="ubuntu-24.04", timeout_minutes=60, updates=None, steps_before=(), steps_after=()),
        delivery=None,
        patches=(),
    )
    return Plan(spec=spec, pipelines=(), services=services)


def everything(made: Plan) -> tuple[File, ...]:
    """All that stands in the folders of services, whichever target makes it."""
    return (*kubernetes.emit(made), *prometheus.emit(made), *grafana.emit(made))


def contents(files: Iterable[File]) -> dict[str, Any]:
    return {file.path: file.content for file in files}


def write(files: Iterable[File], root: Path) -> None:
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        assert not isinstance(file.content, str)
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


_hostile = st.sampled_from(["--flag", "$(id)", "${X}", "'; x", '"', "a: b", "{{ x }}", "`id`"])
_endpoints = st.sampled_from(["http://collector.observability.svc:4318", "https://otlp.acme.example/v1"])
_seconds = st.sampled_from([0.001, 0.05, 2.5])
_shadows = st.builds(Shadow, seconds=st.integers(0, 10**6), percent=st.integers(1, 100))
_analyses = st.builds(
    Analysis,
    success_rate_min_percent=st.none() | st.sampled_from([Decimal("99.9"), Decimal(50)]),
    latency_p99_max_seconds=st.none() | _seconds,
    prediction_psi=st.none() | st.builds(PsiLimit, max=st.just(0.2), min_samples=st.integers(1, 10**6)),
    queries=st.dictionaries(
        _keys,
        st.builds(Query, query=_hostile, min=st.just(1.5), max=st.none(), reason=_hostile),
        min_size=1,
        max_size=2,
    ),
)


@st.composite
def rollouts(draw: st.DrawFn, replicas_min: int, gateway: Gateway | None) -> Rollout:
    choices: list[Strategy] = ["rolling", "blue-green"]
    choices += ["canary"] if replicas_min > 1 or gateway else []
    choices += ["cautious"] if gateway else []
    strategy = draw(st.sampled_from(choices))
    analysis = draw(st.none() | _analyses) if strategy != "rolling" else None
    if strategy not in ("canary", "cautious"):
        return Rollout(strategy=strategy, steps=(), analysis=analysis)
    low, high = (1, 99) if gateway else (-(-100 // replicas_min), 100 * (replicas_min - 1) // replicas_min)
    steps = st.builds(RolloutStep, weight_percent=st.integers(low, high), pause_seconds=st.integers(0, 10**6))
    return Rollout(
        strategy=strategy,
        steps=tuple(draw(st.lists(steps, min_size=1, max_size=4))),
        test_seconds=draw(st.integers(0, 10**5)) if strategy == "cautious" else 0,
        analysis=analysis,
        shadow=draw(st.none() | _shadows) if strategy == "cautious" and gateway == ISTIO else None,
    )


@st.composite
def serves(draw: st.DrawFn) -> Serve:
    replicas_min = draw(st.integers(min_value=1, max_value=1000))
    cpu = draw(st.integers(min_value=1, max_value=999))
    gateway = draw(st.sampled_from([None, GATEWAY, ISTIO]))
    rollout = draw(rollouts(replicas_min, gateway))
    scaling = st.builds(
        RequestScaling, requests_per_second=st.integers(1, 10**6), demand=_hostile, to_zero=st.booleans()
    )
    chosen = draw(st.none() | scaling)
    only_rolls = rollout.strategy == "rolling" and gateway is None and chosen is None
    return Serve(
        replicas_min=replicas_min,
        replicas_max=draw(st.integers(min_value=replicas_min, max_value=1000)),
        target_cpu_percent=draw(st.integers(min_value=10, max_value=95)),
        scaling=chosen,
        cpu=f"{cpu}m",
        cpu_limit=draw(st.sampled_from(["1", "2", "1.5", "64"])),
        memory=f"{draw(st.integers(min_value=1, max_value=10**9))}{draw(st.sampled_from(['Ki', 'Mi', 'Gi']))}",
        workers=draw(st.integers(1, 64)),
        limits=SERVE.limits,
        unknown_categories=draw(st.sampled_from(["accept", "refuse"])),
        auth_secret=draw(st.none() | names),
        tls_secret=None if gateway or only_rolls else draw(st.none() | names),
        predictions_log=draw(
            st.none()
            | st.builds(
                PredictionsLog,
                to=st.just("s3://bucket/path"),
                sample=st.floats(1e-9, 1),
                keep_days=st.integers(1, 999),
                leave_out=st.tuples(_hostile),
            )
        ),
        tracing=draw(st.none() | st.builds(Tracing, endpoint=_endpoints, sample=st.floats(1e-9, 1))),
        clients=tuple(draw(st.lists(names, max_size=3, unique=True))),
        gateway=gateway,
        platform=draw(st.sampled_from(["kubernetes", "kserve"])) if only_rolls else "kubernetes",
        slo=draw(st.none() | st.just(SLO)),
        rollout=rollout,
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
