"""The stages of a model's pipeline: what each reads and writes, and which keys of the spec it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lockgate import contract as c
from lockgate.plan.model import Stage
from lockgate.spec.model import CustomStage, Model

_DATA_WINDOW = ("data.as_of", "data.train", "data.holdout")
_MEASURED = tuple(f"evaluate.{key}" for key in ("positive", "threshold", "slices", "metrics", "bootstrap"))
_DATA_ROLES = ("data.target", "data.time", "data.group")


def stages(model: Model) -> tuple[Stage, ...]:
    """Built-in stages in their order, with the user's own before or after the stage that they name."""
    built_in = _built_in_stages(model)
    ordered: list[Stage] = []
    for stage in built_in:
        before = [
            _custom(name, it, model, built_in) for name, it in model.stages.items() if it.before == stage.name
        ]
        after = [
            _custom(name, it, model, built_in)
            for name, it in model.stages.items()
            if _follows(it, stage.name)
        ]
        seen = tuple(out for custom in before for out in custom.outs)
        ordered += [*before, stage._replace(deps=(*stage.deps, *seen)) if seen else stage, *after]
    return tuple(ordered)


def code_paths(model: Model) -> tuple[str, ...]:
    """Files and folders of the model's own code: as the spec says, else the folders of the modules it names."""
    if model.code is not None:
        return model.code
    named = [model.train.estimator, *(metric.function for metric in model.evaluate.metrics.values())]
    if is_function(model.data.source):
        named.append(model.data.source)
    return tuple(dict.fromkeys(_module_folder(function) for function in named))


def is_function(source: str) -> bool:
    """Whether a data source is `module:function` rather than a file or an address."""
    return ":" in source and "://" not in source


def _module_folder(function: str) -> str:
    """The folder of the function's module; the module's file where it lies in the root."""
    parts = function.partition(":")[0].split(".")
    return "/".join(parts[:-1]) if len(parts) > 1 else f"{parts[0]}.py"


def _follows(custom: CustomStage, stage: str) -> bool:
    return custom.after == stage and custom.before is None


def _custom(name: str, custom: CustomStage, model: Model, built_in: tuple[Stage, ...]) -> Stage:
    waits_for = next((stage for stage in built_in if stage.name == custom.after), None)
    return Stage(
        name=name,
        command=custom.command,
        description=f"{name}: a step of this project's own",
        deps=tuple(dict.fromkeys((*custom.deps, *(_files(waits_for) if waits_for else ())))),
        params=tuple(_written(model, (f"stages.{name}",))),
        outs=custom.outs,
    )


def _files(stage: Stage) -> tuple[str, ...]:
    return (*stage.outs, *stage.metrics, *stage.plots)


def _built_in_stages(model: Model) -> tuple[Stage, ...]:
    return (
        *_data_stages(model),
        _train(model),
        _evaluate(model),
        _export(model),
        _stage(
            model,
            "scan",
            "Look for what must not be served",
            deps=(c.MODEL_DIRECTORY,),
            params=("export.trusted",),
            outs=(c.SCAN,),
        ),
        _gate(model),
    )


def _data_stages(model: Model) -> Iterator[Stage]:
    source = model.data.source
    is_file = not is_function(source) and "://" not in source
    yield _stage(
        model,
        "ingest",
        "Read the data",
        own=(*_code(model, of_data=True), *((source,) if is_file else ()), *model.data.deps),
        params=("data.source", *_DATA_WINDOW, "data.target"),
        outs=(c.RAW, c.INGEST),
    )
    yield _stage(
        model,
        "validate",
        "Hold the rows to the spec's columns",
        deps=(c.RAW,),
        params=("data.columns", *_DATA_ROLES),
        outs=(c.VALID, c.VALIDATION),
    )
    yield _stage(
        model,
        "split",
        "Keep the holdout from training",
        deps=(c.VALID,),
        params=("task", *_DATA_WINDOW, *_DATA_ROLES, "data.split", "train.seed"),
        outs=(c.TRAIN, c.HOLDOUT, c.SPLIT),
    )


def _train(model: Model) -> Stage:
    return _stage(
        model,
        "train",
        "Fit the estimator",
        own=_code(model),
        deps=(c.TRAIN,),
        params=("task", "train", "data.columns", *_DATA_ROLES, "evaluate.positive"),
        outs=(c.ESTIMATOR, c.TRAINING),
    )


def _evaluate(model: Model) -> Stage:
    is_regression = model.task == "regression"
    return _stage(
        model,
        "evaluate",
        "Measure the candidate on the holdout",
        own=_code(model),
        deps=(c.TRAIN, c.HOLDOUT, c.ESTIMATOR, c.TRAINING),
        params=("task", *_MEASURED, "data.target", "train.seed"),
        outs=(c.EVALUATION, c.PREDICTIONS),
        metrics=(c.METRICS,),
        plots=(c.RESIDUALS_PLOT,) if is_regression else (c.ROC_PLOT, c.CALIBRATION_PLOT),
    )


def _export(model: Model) -> Stage:
    return _stage(
        model,
        "export",
        "Write the model that is served, and compare it with the estimator",
        own=_code(model),
        deps=(c.TRAIN, c.HOLDOUT, c.ESTIMATOR, c.TRAINING),
        params=("export", "evaluate.threshold", "data.target", "serve.slo.latency_p99"),
        outs=(c.MODEL_DIRECTORY, c.EXPORT, c.LATENCY),
    )


def _gate(model: Model) -> Stage:
    stage = _stage(
        model,
        "gate",
        "Give the verdict, and write the model card",
        deps=(c.VALIDATION, c.INGEST, c.SPLIT, c.TRAINING, c.EVALUATION, c.EXPORT, c.LATENCY, c.SCAN),
        params=(
            "gates",
            "owner",
            "description",
            "card",
            "data.columns",
            "data.as_of",
            "data.target",
            "serve.slo.latency_p99",
        ),
        outs=(c.GATES, c.CARD),
    )
    return stage._replace(params=("project.repository", *stage.params))


def _stage(
    model: Model,
    name: str,
    description: str,
    *,
    own: tuple[str, ...] = (),
    deps: tuple[str, ...] = (),
    params: tuple[str, ...] = (),
    outs: tuple[str, ...] = (),
    metrics: tuple[str, ...] = (),
    plots: tuple[str, ...] = (),
) -> Stage:
    """`own` are paths in the repository; `deps`, `outs`, `metrics` and `plots` are names of the contract's files."""
    return Stage(
        name=name,
        command=("python", "-m", "lockgate_runtime", name, model.name),
        description=description,
        deps=tuple(dict.fromkeys((*own, *_paths(model, deps)))),
        params=tuple(_written(model, params)),
        outs=_paths(model, outs),
        metrics=_paths(model, metrics),
        plots=_paths(model, plots),
    )


def _paths(model: Model, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(c.artifact_path(model.name, name) for name in names)


def _code(model: Model, *, of_data: bool = False) -> tuple[str, ...]:
    """What a stage that runs the model's code depends on; reading a file runs none of it."""
    if of_data and not is_function(model.data.source):
        return ()
    return (*code_paths(model), *((model.requirements,) if model.requirements else ()))


def _written(model: Model, keys: tuple[str, ...]) -> Iterator[str]:
    """The keys that the user wrote: DVC refuses a parameter that is not in the file."""
    for key in keys:
        block: object = model.written
        for step in key.split("."):
            block = block.get(step) if isinstance(block, (dict, Mapping)) else None
        if block is not None:
            yield f"models.{model.name}.{key}"
