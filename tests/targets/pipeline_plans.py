"""Plans made by hand for the tests of the DVC and GitHub targets."""

from __future__ import annotations

from collections.abc import Mapping

from tests.replacing import replace

from lockgate import contract
from lockgate.plan.model import Pipeline, Plan, Stage
from lockgate.spec.model import (
    App,
    Card,
    Ci,
    Compare,
    Data,
    Evaluate,
    Export,
    Job,
    Model,
    Project,
    Release,
    Spec,
    Step,
    Train,
)

PROJECT = Project(
    repository="github.com/acme/flights",
    description=None,
    branch="main",
    image_registry=None,
    data_remote=".dvc/remote",
    requirements="requirements.txt",
    python="3.12",
    prometheus="http://prometheus-operated.monitoring.svc:9090",
)

MODEL = Model(
    name="flight-delay",
    owner="ops-analytics",
    description=None,
    task="classification",
    requirements=None,
    code=None,
    data=Data(
        source="models.flight_delay.data:load",
        as_of=None,
        train_days=None,
        holdout_days=None,
        holdout_share=0.2,
        split="time",
        target="delayed",
        time="scheduled",
        group=None,
        columns=None,
        deps=(),
    ),
    train=Train(estimator="models.flight_delay.model:build", params={}, seed=0),
    evaluate=Evaluate(
        positive=None,
        threshold=0.5,
        slices=(),
        metrics={},
        bootstrap_samples=200,
        bootstrap_confidence=0.95,
        worst_slices=None,
        fairness={},
    ),
    compare=Compare(environment="production", confidence=0.95, on_unknown="warn"),
    export=Export(format="auto", tolerance=1e-5, max_disagreement=0.0, trusted=()),
    gates={},
    stages={},
    card=Card(intended_use=None, limitations=None, ethics=None),
    job=Job(runner=None, timeout_minutes=None, prove="rebuild", on_difference="warn"),
    release=Release(bump="auto"),
    serve=None,
    written={},
)


def user_step(
    name: str,
    *,
    run: str | None = None,
    uses: str | None = None,
    inputs: Mapping[str, str | int | float | bool] | None = None,
    env: Mapping[str, str | int | float | bool] | None = None,
) -> Step:
    return Step(name=name, run=run, uses=uses, inputs=inputs or {}, env=env or {})


def stage(
    name: str,
    command: tuple[str, ...],
    *,
    deps: tuple[str, ...] = (),
    params: tuple[str, ...] = (),
    outs: tuple[str, ...] = (),
    metrics: tuple[str, ...] = (),
    plots: tuple[str, ...] = (),
    description: str = "Does one thing.",
) -> Stage:
    return Stage(
        name=name,
        command=command,
        description=description,
        deps=deps,
        params=params,
        outs=outs,
        metrics=metrics,
        plots=plots,
    )


def train_stage(model: str) -> Stage:
    return stage(
        "train",
        ("python", "-m", "lockgate_runtime", "train", model),
        deps=(contract.artifact_path(model, contract.TRAIN), "models/flight_delay"),
        params=(f"models.{model}.train",),
        outs=(contract.artifact_path(model, contract.ESTIMATOR),),
    )


def pipeline(
    stages: tuple[Stage, ...],
    *,
    name: str = "flight-delay",
    runner: str = "ubuntu-24.04",
    timeout_minutes: int = 60,
) -> Pipeline:
    return Pipeline(
        model=replace(MODEL, name=name),
        stages=stages,
        watch=(),
        runner=runner,
        timeout_minutes=timeout_minutes,
    )


def plan(
    *pipelines: Pipeline,
    runner: str = "ubuntu-24.04",
    before: tuple[Step, ...] = (),
    after: tuple[Step, ...] = (),
    project: Project = PROJECT,
    app: App | None = None,
) -> Plan:
    """A plan of these pipelines, or of one that trains `flight-delay`."""
    chosen = pipelines or (pipeline((train_stage("flight-delay"),)),)
    spec = Spec(
        project=project,
        models={it.name: it.model for it in chosen},
        environments={},
        pins={},
        ci=Ci(
            runner=runner,
            timeout_minutes=60,
            updates=None,
            steps_before=before,
            steps_after=after,
            app=app,
            commit_lock=app is not None,
        ),
        delivery=None,
        patches=(),
    )
    return Plan(spec=spec, pipelines=chosen, services=())
