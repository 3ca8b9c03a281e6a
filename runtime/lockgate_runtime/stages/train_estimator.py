"""The user's estimator function, called with the spec's parameters and held to what a pipeline needs of it."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from lockgate_runtime.stages.user_code import StageError, load_function

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lockgate.spec.model import Model


def build(model: Model, root: Path) -> Any:  # noqa: ANN401 - whatever fits and predicts
    """The unfitted estimator, its random states set to the seed where the user leaves them open."""
    reference = model.train.estimator
    function = load_function(reference, root)
    _refuse_misfit(function, model)
    estimator = function(**model.train.params)
    _refuse_unfit(estimator, model)
    _set_random_states(estimator, model.train.seed)
    return estimator


def _refuse_misfit(function: Callable[..., Any], model: Model) -> None:
    """Raises `StageError` where the function does not take the spec's parameters."""
    signature = inspect.signature(function)
    try:
        signature.bind(**model.train.params)
    except TypeError as error:
        shown = f"'{model.train.estimator}' is defined as {signature}"
        raise StageError(f"'train.params' do not fit: {error}; {shown}", _help(signature, model)) from error


def _help(signature: inspect.Signature, model: Model) -> str:
    unknown = [name for name in model.train.params if name not in signature.parameters]
    if not unknown:
        return "add it to 'train.params', or give it a default"
    close = get_close_matches(unknown[0], signature.parameters, n=1)
    return f"did you mean '{close[0]}'?" if close else f"take '{unknown[0]}' out of 'train.params'"


def _refuse_unfit(estimator: object, model: Model) -> None:
    reference = model.train.estimator
    if isinstance(estimator, type):
        raise StageError(
            f"'{reference}' returned the class '{estimator.__name__}', expected an estimator",
            f"return '{estimator.__name__}(…)'",
        )
    needed = ["fit", "predict", "get_params"]
    if model.task == "classification":
        needed.append("predict_proba")
    missing = [name for name in needed if not hasattr(estimator, name)]
    if missing:
        raise StageError(
            f"'{reference}' returned a value of type '{type(estimator).__name__}', which has no '{missing[0]}'",
            f"return a scikit-learn estimator for {model.task}",
        )


def _set_random_states(estimator: Any, seed: int) -> None:  # noqa: ANN401 - any estimator
    params = estimator.get_params(deep=True)
    is_open = [name for name in params if name.split("__")[-1] == "random_state" and params[name] is None]
    if is_open:
        estimator.set_params(**dict.fromkeys(is_open, seed))
