"""An exported model's directory and rows → what it predicts of them, in the order of the candidate's classes.

A champion that cannot be scored on the candidate's rows is no failure: it is said why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lockgate.contract import SIGNATURE, SKOPS_MODEL, Signature
from lockgate_runtime.stages.features import to_features
from lockgate_runtime.stages.files import read_json
from lockgate_runtime.stages.metrics import Predictions
from lockgate_runtime.stages.predictor import load_predictor
from lockgate_runtime.stages.user_code import StageError, load_function

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from lockgate.spec.model import Model

_MOST_LISTED = 10


@dataclass(eq=False)
class Unscorable(Exception):  # noqa: N818 - a fact about the champion, not a failure of ours
    """Why a model cannot be scored on the rows: one clause."""

    reason: str

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """What both models are held against: the candidate's holdout, and its target by the candidate's signature."""

    frame: pd.DataFrame
    truth: NDArray[Any]
    signature: Signature


def candidate_predictions(model: Model, directory: Path, rows: Rows) -> Predictions:
    """Of the candidate as it would be released. Raises `StageError`."""
    signature = rows.signature
    predictor = load_predictor(directory, model.export.trusted)
    outputs = predictor.predict(to_features(rows.frame, signature["inputs"]))
    return Predictions(
        kind=signature["kind"], truth=rows.truth, outputs=outputs, threshold=signature["threshold"] or 0.5
    )


def champion_predictions(model: Model, directory: Path, rows: Rows, root: Path) -> Predictions:
    """Of the champion, by its own signature and its own threshold. Raises `Unscorable`."""
    try:
        return _predictions(model, directory, rows, root)
    except StageError as error:
        raise Unscorable(reason=str(error)) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise Unscorable(reason=f"its '{SIGNATURE}' is not of the form this version reads") from error


def _predictions(model: Model, directory: Path, rows: Rows, root: Path) -> Predictions:
    signature: Signature = read_json(directory / SIGNATURE)
    _refuse_other_question(signature, rows.signature)
    _refuse_missing_features(signature, rows.frame)
    if (directory / SKOPS_MODEL).is_file():
        load_function(model.train.estimator, root)  # Its classes may be of the user's modules.
    outputs = _outputs(model, directory, rows.frame, signature)
    _refuse_broken(outputs, signature, len(rows.frame))
    threshold = signature["threshold"] or 0.5
    if signature["classes"] != rows.signature["classes"]:
        outputs = outputs[:, [signature["classes"].index(label) for label in rows.signature["classes"]]]
        # Where the other class is now the positive one: p ≥ t of the one is p > 1 - t of the other.
        threshold = float(np.nextafter(1 - threshold, 1))
    return Predictions(kind=signature["kind"], truth=rows.truth, outputs=outputs, threshold=threshold)


def _outputs(model: Model, directory: Path, frame: pd.DataFrame, signature: Signature) -> NDArray[np.float64]:
    predictor = load_predictor(directory, model.export.trusted)
    features = to_features(frame, signature["inputs"])
    try:
        return predictor.predict(features)
    except Exception as error:  # The model's libraries raise types that share no base.
        raise Unscorable(reason=f"it fails on the candidate's holdout: {error}") from error


def _refuse_other_question(champion: Signature, candidate: Signature) -> None:
    if champion["target"] != candidate["target"]:
        raise Unscorable(
            reason=f"it predicts '{champion['target']}', and the candidate '{candidate['target']}'"
        )
    if champion["kind"] != candidate["kind"]:
        raise Unscorable(reason=f"it is a {champion['kind']} model, and the candidate {candidate['kind']}")
    if sorted(champion["classes"]) != sorted(candidate["classes"]):
        raise Unscorable(
            reason=f"its classes are {_listed(champion['classes'])}, and the candidate's "
            f"{_listed(candidate['classes'])}"
        )


def _refuse_missing_features(signature: Signature, frame: pd.DataFrame) -> None:
    missing = [it["name"] for it in signature["inputs"] if it["name"] not in frame.columns]
    if missing:
        raise Unscorable(reason=f"it needs {_listed(missing)}, which the candidate's data does not have")


def _refuse_broken(outputs: NDArray[np.float64], signature: Signature, rows: int) -> None:
    expected = (rows,) if signature["kind"] == "regression" else (rows, len(signature["classes"]))
    if outputs.shape != expected:
        raise Unscorable(reason=f"its outputs have the shape {outputs.shape}, expected {expected}")
    broken = int((~np.isfinite(outputs.reshape(rows, -1)).all(axis=1)).sum())
    if broken:
        raise Unscorable(reason=f"its prediction is not a finite number for {broken:,} of {rows:,} rows")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_MOST_LISTED])
    more = len(names) - _MOST_LISTED
    return f"{shown} and {more} more" if more > 0 else shown
