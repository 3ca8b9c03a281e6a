"""A valid document with its defaults → Spec. Knows the schema's names and units, and no rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, TypeAlias

from lockgate.spec import model as m
from lockgate.spec import units
from lockgate.spec.build_serving import serve
from lockgate.spec.schema import fill_block

Block: TypeAlias = Mapping[str, Any]

_DELIVERY_NAMESPACES = {"argocd": "argocd", "flux": "flux-system"}


def build(filled: Block, written: Block) -> m.Spec:
    """The spec of a document that the schema and the rules accept; `written` is it without defaults."""
    models = {name: _model(name, block, written["models"][name]) for name, block in filled["models"].items()}
    return m.Spec(
        project=_project(filled["project"]),
        models=models,
        environments={
            name: _environment(name, block, written) for name, block in filled["environments"].items()
        },
        pins=filled["deployments"],
        ci=_ci(filled["ci"]),
        delivery=_delivery(filled["delivery"], filled["ci"]) if "delivery" in filled else None,
        patches=tuple(_patch(name, block) for name, block in filled["patches"].items()),
    )


def served_in(environment: Block, model: str, written: Block) -> dict[str, Any] | None:
    """The model's `serve` block in an environment, with defaults; None where the model is not served.

    Maps merge, scalars and lists replace: this is the one merge rule of the spec.
    """
    if "serve" not in written["models"][model]:
        return None
    base: Block = written["models"][model]["serve"]
    change = environment.get("models", {}).get(model, {}).get("serve", {})
    return fill_block("serve", merge(base, change))


def merge(base: Block, change: Block) -> dict[str, Any]:
    """`change` laid over `base`: maps merge, scalars and lists replace."""
    merged = dict(base)
    for key, value in change.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def _project(block: Block) -> m.Project:
    return m.Project(
        repository=block["repository"],
        description=block.get("description"),
        branch=block["branch"],
        image_registry=block.get("image_registry"),
        data_remote=block["data_remote"],
        requirements=block["requirements"],
        python=block["python"],
        prometheus=block["prometheus"],
    )


def _model(name: str, block: Block, written: Block) -> m.Model:
    return m.Model(
        name=name,
        owner=block["owner"],
        description=block.get("description"),
        task=block["task"],
        requirements=block.get("requirements"),
        code=tuple(block["code"]) if "code" in block else None,
        data=_data(block["data"]),
        train=m.Train(**{key: block["train"][key] for key in ("estimator", "params", "seed")}),
        evaluate=_evaluate(block["evaluate"]),
        compare=_compare(block["compare"]),
        export=_export(block["export"]),
        gates={metric: _gate(gate) for metric, gate in block["gates"].items()},
        stages={stage: _stage(custom) for stage, custom in block["stages"].items()},
        card=m.Card(**{key: block["card"].get(key) for key in ("intended_use", "limitations", "ethics")}),
        job=_job(block["job"]),
        release=m.Release(bump=block["release"]["bump"]),
        image=m.Image(base=block["image"].get("base"), requirements=block["image"].get("requirements")),
        serve=serve(block["serve"]) if "serve" in block else None,
        written=written,
    )


def _data(block: Block) -> m.Data:
    holdout = block["holdout"]
    columns = block.get("columns")
    return m.Data(
        source=block["source"],
        as_of=date.fromisoformat(block["as_of"]) if "as_of" in block else None,
        train_days=units.days(block["train"]) if "train" in block else None,
        holdout_days=units.days(holdout) if isinstance(holdout, str) else None,
        holdout_share=None if isinstance(holdout, str) else float(holdout),
        split=split_method(block),
        target=block["target"],
        time=block.get("time"),
        group=block.get("group"),
        columns={name: _column(column) for name, column in columns.items()} if columns else None,
        deps=tuple(block["deps"]),
    )


def split_method(block: Block) -> Any:  # noqa: ANN401 - one of the schema's literals
    """How the holdout is chosen where the spec does not say: by time, else by group, else at random."""
    derived = "time" if "time" in block else "group" if "group" in block else "random"
    return block.get("split", derived)


def _column(block: Block) -> m.Column:
    return m.Column(
        type=block["type"],
        min=block.get("min"),
        max=block.get("max"),
        values=tuple(block["values"]) if "values" in block else None,
        nullable=block["nullable"],
        description=block.get("description"),
    )


def _evaluate(block: Block) -> m.Evaluate:
    return m.Evaluate(
        positive=block.get("positive"),
        threshold=block["threshold"],
        slices=tuple(block["slices"]),
        metrics={name: m.CustomMetric(**metric) for name, metric in block["metrics"].items()},
        bootstrap_samples=block["bootstrap"]["samples"],
        bootstrap_confidence=block["bootstrap"]["confidence"],
        worst_slices=block["worst_slices"]["max"] if "worst_slices" in block else None,
        fairness={name: m.Fairness(**fairness) for name, fairness in block["fairness"].items()},
    )


def _compare(block: Block) -> m.Compare:
    return m.Compare(
        environment=block["with"], confidence=block["confidence"], on_unknown=block["on_unknown"]
    )


def _export(block: Block) -> m.Export:
    return m.Export(
        format=block["format"],
        tolerance=block["tolerance"],
        max_disagreement=block["max_disagreement"],
        trusted=tuple(block["trusted"]),
    )


def _gate(block: Block) -> m.Gate:
    limits = {key: units.limit(block[key])[0] if key in block else None for key in ("min", "max", "max_drop")}
    return m.Gate(**limits, on_fail=block["on_fail"])


def _stage(block: Block) -> m.CustomStage:
    return m.CustomStage(
        command=tuple(block["command"]),
        before=block.get("before"),
        after=block.get("after"),
        deps=tuple(block["deps"]),
        outs=tuple(block["outs"]),
    )


def _job(block: Block) -> m.Job:
    return m.Job(
        runner=block.get("runner"),
        timeout_minutes=block.get("timeout_minutes"),
        prove=block["prove"],
        on_difference=block["on_difference"],
    )


def _environment(name: str, block: Block, written: Block) -> m.Environment:
    served = {model: served_in(block, model, written) for model in written["models"]}
    return m.Environment(
        name=name,
        namespace=block["namespace"],
        promote=block["promote"],
        requires=tuple(block["requires"]),
        soak_seconds=round(units.seconds(block["soak"])),
        reviewers=tuple(block["reviewers"]),
        serve={model: serve(block) for model, block in served.items() if block is not None},
    )


def _ci(block: Block) -> m.Ci:
    return m.Ci(
        runner=block["runner"],
        timeout_minutes=block["timeout_minutes"],
        updates=block.get("updates"),
        steps_before=tuple(_step(step) for step in block["steps"]["before"]),
        steps_after=tuple(_step(step) for step in block["steps"]["after"]),
        app=m.App(**block["app"]) if "app" in block else None,
        commit_lock=block["commit_lock"],
        oidc=block["oidc"],
    )


def _delivery(block: Block, ci: Block) -> m.Delivery:
    return m.Delivery(
        mode=block["mode"],
        namespace=block.get("namespace", _DELIVERY_NAMESPACES.get(block["mode"])),
        project=block["project"],
        interval_seconds=round(units.seconds(block["interval"])),
        secret=block.get("secret"),
        runner=block.get("runner", ci["runner"]),
        steps=tuple(_step(step) for step in block["steps"]),
        timeout_seconds=round(units.seconds(block["timeout"])),
    )


def _step(block: Block) -> m.Step:
    return m.Step(
        name=block["name"],
        run=block.get("run"),
        uses=block.get("uses"),
        inputs=block["with"],
        env=block["env"],
    )


def _patch(name: str, block: Block) -> m.Patch:
    return m.Patch(
        name=name,
        target=block["target"],
        reason=block["reason"],
        set=block["set"],
        remove=tuple(block["remove"]),
    )
