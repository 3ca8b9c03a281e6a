"""Train: `train.parquet` and the user's estimator → the fitted estimator, and what it was fitted on."""

from __future__ import annotations

import pickle
import random
import re
import sys
from importlib import metadata
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np

from lockgate import contract
from lockgate_runtime.stages.features import class_labels, encode_target, infer_inputs, to_features
from lockgate_runtime.stages.files import read_frame, replacing, write_json
from lockgate_runtime.stages.train_estimator import build
from lockgate_runtime.stages.user_code import StageError, user_errors

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from lockgate.spec.model import Model, Spec

_LIBRARIES = ("numpy", "pandas", "scikit-learn", "scipy")
_MOST_CHARACTERS = 2000


def run(spec: Spec, model: Model, root: Path) -> str:
    """Fit the estimator on the training rows, seeded."""
    del spec
    frame = read_frame(root / contract.artifact_path(model.name, contract.TRAIN))
    inputs = infer_inputs(model.data, frame)
    if not inputs:
        raise StageError("the data has no column to learn from", "have 'data.source' give features")
    classes = _classes(frame[model.data.target], model)
    _seed(model.train.seed)
    estimator = build(model, root)
    with user_errors(f"fitting the estimator of '{model.train.estimator}'", root):
        estimator.fit(to_features(frame, inputs), _target(frame[model.data.target], classes, model))
    _keep(estimator, model, root)
    result = contract.Training(
        estimator=_described(estimator),
        params=dict(model.train.params),
        seed=model.train.seed,
        rows=len(frame),
        kind=_kind(classes),
        inputs=inputs,
        classes=classes,
        libraries=_libraries(estimator),
    )
    write_json(root / contract.artifact_path(model.name, contract.TRAINING), result)
    return f"fitted {type(estimator).__name__} on {len(frame):,} rows of {len(inputs)} features"


def _classes(target: pd.Series[Any], model: Model) -> list[str]:
    if model.task == "regression":
        return []
    if target.dtype.kind == "f" and (target % 1 != 0).any():
        raise StageError(
            f"the target '{target.name}' holds fractions, which are no classes",
            "write 'task: regression', or turn the target into classes in 'data.source'",
        )
    classes = class_labels(target, model.evaluate.positive)
    if len(classes) < 2:
        raise StageError(
            f"the target '{target.name}' is '{classes[0]}' in all {len(target):,} training rows",
            "widen the training window: a classifier needs rows of two classes",
        )
    return classes


def _target(target: pd.Series[Any], classes: list[str], model: Model) -> NDArray[Any]:
    if model.task == "regression":
        return target.to_numpy(dtype=np.float64)
    return encode_target(target, classes)


def _kind(classes: list[str]) -> contract.Kind:
    if not classes:
        return "regression"
    return "binary" if len(classes) == 2 else "multiclass"


def _seed(seed: int) -> None:
    """For code that draws from the global generators rather than from its `random_state`."""
    random.seed(seed)
    np.random.seed(seed)


def _keep(estimator: object, model: Model, root: Path) -> None:
    """For the stages of this run alone: it is never released and never served, as unpickling runs code."""
    try:
        with replacing(root / contract.artifact_path(model.name, contract.ESTIMATOR)) as temporary:
            joblib.dump(estimator, temporary)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise StageError(
            f"the fitted estimator of '{model.train.estimator}' cannot be kept: {error}",
            "replace lambdas and functions within functions by functions of a module",
        ) from error


def _described(estimator: object) -> str:
    """Its own description without addresses in memory, which differ between runs."""
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(estimator))
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _libraries(estimator: Any) -> dict[str, str]:  # noqa: ANN401 - any estimator
    """The versions of what the model is made with: the fixed ones, and those that its parts come from."""
    parts = (estimator, *estimator.get_params(deep=True).values())
    modules = {type(part).__module__.partition(".")[0] for part in parts}
    foreign = modules - {"sklearn", *sys.stdlib_module_names}
    brought = metadata.packages_distributions() if foreign else {}
    names = {*_LIBRARIES, *(name for module in foreign for name in brought.get(module, ()))}
    return {name: metadata.version(name) for name in sorted(names)}
