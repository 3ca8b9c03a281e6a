"""Specs for tests: a small one that is right, and arbitrary ones made from the published schema."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from lockgate.spec.metrics import METRICS
from lockgate.spec.promises import SERVED_LATENCY

MINIMAL: dict[str, Any] = {
    "apiVersion": "lockgate.dev/v1",
    "project": {"repository": "github.com/acme/flights"},
    "models": {
        "delay": {
            "owner": "ops",
            "task": "classification",
            "data": {"source": "models.delay.data:load", "target": "late"},
            "train": {"estimator": "models.delay.model:build"},
        }
    },
}


def with_model(**blocks: object) -> dict[str, Any]:
    """The minimal spec with blocks of its model exchanged or added."""
    document = copy.deepcopy(MINIMAL)
    document["models"]["delay"].update(blocks)
    return document


# Text that tries to get out of whatever it is put into.
HOSTILE = st.sampled_from(
    [
        "${{ github.token }}",
        "$(id)",
        "`id`",
        "${HOME}",
        "'; rm -rf / #",
        '"; exit 1; "',
        "a\\nb: c",
        "a: b",
        "- a",
        "# a",
        "yes",
        "12e4567",
        "{{ 1 }}",
        "%0A::error::x",
        "::set-output name=a::b",
        "</details><img src=x onerror=alert(1)>",
        "@team",
        "| a | b |",
        "\u202egnp.exe",
        "é 🚀 \u2028",
        "--help",
        "!!python/object/apply:os.system",
        "&a *a",
        "",
    ]
)
TEXT = st.one_of(
    HOSTILE.filter(bool),
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40),
)
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,12}[a-z0-9]", fullmatch=True)
MODULES = st.from_regex(r"models\.[a-z_][a-z0-9_]{0,8}\.[a-z_][a-z0-9_]{0,8}:[a-z_]{1,8}", fullmatch=True)
PATHS = st.from_regex(r"(data|files)/[A-Za-z0-9_.@+=-]{0,8}[A-Za-z0-9_]", fullmatch=True)
DURATIONS = st.sampled_from(["30s", "5m", "2h", "1d"])
SCALARS = st.one_of(TEXT, st.integers(-1000, 1000), st.floats(-1e6, 1e6), st.booleans())


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """Specs that are right: any number of models and environments, every field, hostile text wherever text may be."""
    return st.builds(
        _document,
        models=st.dictionaries(NAMES, _models(), min_size=1, max_size=3),
        environments=st.dictionaries(
            NAMES.map(lambda name: name[:20].rstrip("-")),
            st.sampled_from([{}, {"promote": "automatic"}, {"reviewers": ["@acme/ml"]}]),
            max_size=3,
        ),
        changes=st.fixed_dictionaries(
            {}, optional={"replicas": _replicas(), "clients": st.lists(NAMES, max_size=2, unique=True)}
        ),
        ci=_optional(
            runner=st.sampled_from(["ubuntu-24.04", "gpu.large_1"]),
            timeout_minutes=st.integers(1, 1440),
            updates=st.sampled_from(["daily", "weekly", "monthly"]),
            steps=_steps(),
        ),
        project=_optional(
            description=TEXT,
            python=st.sampled_from(["3.11", "3.13"]),
            requirements=PATHS,
            prometheus=st.just("https://prometheus.acme.example/select"),
            extra=SCALARS,
        ),
        delivery=st.sampled_from(
            [
                None,
                {"mode": "argocd", "project": "ml"},
                {"mode": "flux", "interval": "1m", "secret": "key"},
                {"mode": "push", "steps": [{"name": "Log in", "run": "make login"}], "timeout": "1h"},
                {"mode": "flux", "steps": [{"name": "Log in", "run": "make login"}], "runner": "inside"},
            ]
        ),
    )


def served_documents() -> st.SearchStrategy[dict[str, Any]]:
    """Specs that are right, whose models are all served."""
    return st.builds(_served, documents(), st.lists(_serve(), min_size=3, max_size=3))


def _served(document: dict[str, Any], blocks: list[dict[str, Any]]) -> dict[str, Any]:
    models = {
        name: {**model, "serve": serve}
        for (name, model), serve in zip(document["models"].items(), blocks, strict=False)
    }
    environments = document["environments"] or {"production": {"namespace": "ml"}}
    return {**document, "models": models, "environments": environments}


def _document(
    models: Mapping[str, Any],
    environments: Mapping[str, Any],
    changes: Mapping[str, Any],
    ci: Mapping[str, Any],
    project: dict[str, Any],
    delivery: Mapping[str, Any] | None,
) -> dict[str, Any]:
    extra = project.pop("extra", None)
    served = [name for name, model in models.items() if "serve" in model]
    return {
        "apiVersion": "lockgate.dev/v1",
        "project": {"repository": "github.com/Acme-1/Flights.x", **project, "x-own": extra},
        "models": models,
        "environments": {
            name: {
                "namespace": f"ns-{name}",
                "models": {model: {"serve": changes} for model in served},
                **environment,
            }
            for name, environment in environments.items()
        },
        **({} if delivery is None else {"delivery": delivery}),
        "ci": ci,
        "x-anything": {"at": ["all", extra]},
    }


def _optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def _models() -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(["classification", "regression"]).flatmap(_model)


def _model(task: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "owner": TEXT,
            "task": st.just(task),
            "data": st.one_of(_random_data(), _time_data()),
            "train": st.fixed_dictionaries(
                {"estimator": MODULES},
                optional={
                    "params": st.dictionaries(
                        st.from_regex(r"[a-z_]{1,8}", fullmatch=True), SCALARS, max_size=3
                    ),
                    "seed": st.integers(0, 99),
                },
            ),
        },
        optional={
            "description": TEXT,
            "requirements": PATHS,
            "gates": _gates(task),
            "evaluate": st.sampled_from([{"worst_slices": {}}, {"worst_slices": {"max": 20}}]),
            "compare": _optional(
                confidence=st.sampled_from([0.5, 0.9]), on_unknown=st.sampled_from(["block", "observe"])
            ),
            "stages": _stages(),
            "card": _optional(intended_use=TEXT, limitations=TEXT, ethics=TEXT),
            "job": _optional(runner=st.just("big-runner"), timeout_minutes=st.integers(1, 1440)),
            "release": st.sampled_from([{}, {"bump": "major"}]),
            "serve": _serve(),
        },
    )


def _random_data() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "source": st.one_of(
                MODULES, st.sampled_from(["data/a.csv", "s3://bucket/a.parquet", "https://x.org/a.csv"])
            ),
            "target": st.just("target"),
        },
        optional={
            "holdout": st.sampled_from([0.1, 0.5]),
            "columns": _columns(),
            "deps": st.lists(PATHS, max_size=2, unique=True),
        },
    )


def _time_data() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "source": MODULES,
            "target": st.just("target"),
            "time": st.just("when"),
            "as_of": st.dates().map(str),
            "holdout": st.sampled_from(["30d", "2w"]),
        },
        optional={"train": st.sampled_from(["180d", "52w"]), "columns": _columns()},
    )


def _columns() -> st.SearchStrategy[dict[str, Any]]:
    column = st.one_of(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["number", "integer"])},
            optional={"min": st.integers(-9, 0), "max": st.integers(1, 9)},
        ),
        st.fixed_dictionaries(
            {"type": st.just("category")},
            optional={
                "values": st.lists(TEXT, min_size=1, max_size=3, unique=True),
                "nullable": st.booleans(),
            },
        ),
        st.fixed_dictionaries({"type": st.just("boolean")}, optional={"description": TEXT}),
    )
    return st.dictionaries(
        TEXT.filter(lambda name: name != "target" and len(name) <= 100), column, min_size=1, max_size=4
    )


def _gates(task: str) -> st.SearchStrategy[dict[str, Any]]:
    limits = {
        "": st.sampled_from([0.25, 1]),
        "s": st.sampled_from(["5ms", "1s"]),
        "bytes": st.sampled_from(["20MB", 1000]),
    }
    gates = {
        name: st.fixed_dictionaries(
            {"max": limits[info.unit]}, optional={"on_fail": st.sampled_from(["block", "warn", "observe"])}
        )
        for name, info in METRICS.items()
        # What is served is measured only where a latency is promised, which not every one of these specs does.
        if task in info.tasks and name != SERVED_LATENCY
    }
    return st.fixed_dictionaries({}, optional=gates)


def _stages() -> st.SearchStrategy[dict[str, Any]]:
    stage = st.fixed_dictionaries(
        {
            "command": st.lists(TEXT, min_size=1, max_size=3),
            "after": st.sampled_from(["ingest", "train", "gate"]),
        },
        optional={"deps": st.lists(PATHS, max_size=2, unique=True)},
    )
    return st.dictionaries(NAMES.map(lambda name: f"own-{name}"), stage, max_size=2)


def _replicas() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"min": st.integers(2, 5), "max": st.integers(5, 50)})


def _serve() -> st.SearchStrategy[dict[str, Any]]:
    common = {
        "replicas": _replicas(),
        "target_cpu": st.integers(10, 95),
        "resources": _optional(cpu=st.sampled_from(["250m", "1"]), memory=st.sampled_from(["256Mi", "2Gi"])),
        "clients": st.lists(NAMES, max_size=2, unique=True),
        "slo": st.sampled_from(
            [
                {"availability": 99.9, "latency_p99": "50ms"},
                {"availability": 95, "min_requests_per_second": 0.1},
            ]
        ),
        "workers": st.integers(1, 8),
        "unknown_categories": st.sampled_from(["accept", "refuse"]),
        "limits": _optional(body=st.just("16Mi"), rows=st.integers(1, 9), timeout=st.just("1.5s")),
        "auth": st.just({"secret": "tokens.of.delay"}),
        "predictions_log": st.just({"to": "s3://acme/log", "sample": 0.5, "keep": "2w"}),
        "tracing": st.sampled_from(
            [{"endpoint": "http://c.otel.svc:4318"}, {"endpoint": "https://otlp.acme.example"}]
        ),
        "pod": _optional(nodeSelector=st.just({"kubernetes.io/arch": "arm64"}), priorityClassName=NAMES),
    }
    gateway = {"gateway": "public", "namespace": "gateways", "hostname": "delay.acme.example"}
    routed = _rollouts("canary", "cautious", "blue-green")
    scaling = st.sampled_from(
        ["cpu", {"requests_per_second": 50}, {"requests_per_second": 5, "demand": "sum(up)", "to_zero": True}]
    )
    tls = st.just({"secret": "certificate"})
    return st.one_of(
        _optional(**common, scaling=scaling, tls=tls, rollout=_rollouts("rolling", "canary", "blue-green")),
        st.fixed_dictionaries(
            {"traffic": st.just(gateway)},
            optional={**common, "scaling": scaling, "rollout": routed},
        ),
        st.fixed_dictionaries(
            {"traffic": st.just({**gateway, "router": "istio"}), "rollout": st.one_of(routed, _shadowed())},
            optional={**common, "scaling": scaling},
        ),
        st.fixed_dictionaries({"platform": st.just("kserve")}, optional=common),
    )


def _rollouts(*strategies: str) -> st.SearchStrategy[str | dict[str, Any]]:
    return st.one_of(
        st.sampled_from(strategies),
        st.fixed_dictionaries(
            {"strategy": st.sampled_from([strategy for strategy in strategies if strategy != "rolling"])},
            optional={"analysis": _analyses()},
        ),
        st.just({"strategy": "canary", "steps": [{"weight": 50, "pause": "90s"}]}),
    )


def _shadowed() -> st.SearchStrategy[dict[str, Any]]:
    shadow = st.sampled_from(["none", {}, {"for": "90s", "percent": 7}])
    return st.fixed_dictionaries(
        {"strategy": st.just("cautious")}, optional={"shadow": shadow, "analysis": _analyses()}
    )


def _analyses() -> st.SearchStrategy[dict[str, Any]]:
    query = st.fixed_dictionaries(
        {
            "query": TEXT.filter(lambda text: "{{" not in text and "}}" not in text),
            "reason": TEXT,
            "max": st.floats(0, 1e6),
        },
        optional={"min": st.floats(-1e6, 0)},
    )
    return _optional(
        success_rate=st.just({"min": 99}),
        latency_p99=st.sampled_from([{"max": "50ms"}, {"max": "75ms"}]),
        prediction_psi=st.just({"max": 0.1}),
        queries=st.dictionaries(NAMES, query, max_size=2),
    )


def _steps() -> st.SearchStrategy[dict[str, Any]]:
    plain = TEXT.filter(lambda text: "${{" not in text)
    env = st.dictionaries(
        st.from_regex(r"[A-Z_]{1,8}", fullmatch=True).map(lambda name: f"X_{name}"), plain, max_size=2
    )
    run = st.fixed_dictionaries(
        {"name": plain, "run": st.sampled_from(["make features", 'echo "$X"\necho made\n'])},
        optional={"env": env},
    )
    uses = st.fixed_dictionaries(
        {"name": plain, "uses": st.just("actions/setup-node@820762786026740c76f36085b0efc47a31fe5020")},
        optional={"with": st.just({"node-version": "24"})},
    )
    return _optional(before=st.lists(st.one_of(run, uses), max_size=2), after=st.lists(run, max_size=1))
