"""What the candidate was trained on against what the champion was: rows, target, columns, missing values and PSI.

Of the champion only the files beside its model are read; its training rows themselves need not be kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lockgate import contract
from lockgate.contract import Histogram
from lockgate.contract.comparison import ColumnChange, DataChange
from lockgate_runtime.stages.features import to_features
from lockgate_runtime.stages.files import read_frame, read_json
from lockgate_runtime.stages.reference import number_histogram
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from lockgate.contract import ColumnProfile, Feature, Reference, Signature, Split, Validation
    from lockgate.spec.model import Model

_SMOOTHING = 0.5
_NUMBERS = frozenset({"number", "integer"})


def data_change(model: Model, root: Path) -> DataChange | None:
    """The change from the champion's training data; None where the champion's files do not say what that was."""
    try:
        return _data_change(model, root)
    except (StageError, KeyError, TypeError, AttributeError, ValueError):  # Files of another version.
        return None


def _data_change(model: Model, root: Path) -> DataChange:
    before: Split = _champion(model, root, contract.SPLIT)
    now: Split = read_json(root / contract.artifact_path(model.name, contract.SPLIT))
    return DataChange(
        rows=[before["train"]["rows"], now["train"]["rows"]],
        target=_target(before["train"]["target"], now["train"]["target"], model),
        columns=_columns(model, root),
    )


def _target(
    before: Mapping[str, float], now: Mapping[str, float], model: Model
) -> dict[str, list[float | None]]:
    """A class that one side does not have has a share of 0."""
    absent = None if model.task == "regression" else 0.0
    return {label: [before.get(label, absent), now.get(label, absent)] for label in {**now, **before}}


def _columns(model: Model, root: Path) -> dict[str, ColumnChange]:
    before: Validation = _champion(model, root, contract.VALIDATION)
    now: Validation = read_json(root / contract.artifact_path(model.name, contract.VALIDATION))
    psi = _psi_by_feature(model, root)
    return {
        name: _column(before["columns"].get(name), now["columns"].get(name), psi.get(name))
        for name in {**now["columns"], **before["columns"]}
    }


def _column(before: ColumnProfile | None, now: ColumnProfile | None, psi: float | None) -> ColumnChange:
    missing = [profile["missing_ratio"] if profile else None for profile in (before, now)]
    if before is None or now is None:
        return ColumnChange(psi=None, missing=missing, change="added" if before is None else "removed")
    # A missing value makes numbers of integers: no change of what the column is.
    same = before["type"] == now["type"] or {before["type"], now["type"]} <= _NUMBERS
    return ColumnChange(psi=psi, missing=missing, change=None if same else "changed type")


def _psi_by_feature(model: Model, root: Path) -> dict[str, float]:
    """Of every feature of the champion's that the candidate's training rows have, too."""
    signature: Signature = _champion(model, root, f"{contract.MODEL_DIRECTORY}/{contract.SIGNATURE}")
    reference: Reference = _champion(model, root, f"{contract.MODEL_DIRECTORY}/{contract.REFERENCE}")
    train = read_frame(root / contract.artifact_path(model.name, contract.TRAIN))
    found = {}
    for feature in signature["inputs"]:
        if feature["name"] in train.columns:
            value = _psi_of(train, feature, reference["features"][feature["name"]])
            if value is not None:
                found[feature["name"]] = value
    return found


def _psi_of(train: pd.DataFrame, feature: Feature, before: Histogram) -> float | None:
    try:
        values = to_features(train, [feature])[feature["name"]].to_numpy()
    except StageError:  # The column no longer holds what the champion reads.
        return None
    return psi(before["counts"], counted_into(before, values)["counts"])


def counted_into(bins: Histogram, values: NDArray[Any]) -> Histogram:
    """The values, as `to_features` gives them, counted into the bins of another histogram."""
    if "edges" in bins:
        return number_histogram(values.astype(np.float64), bins["edges"])
    listed = {label: place for place, label in enumerate(bins["values"])}
    listed[""] = len(bins["values"]) + 1
    labels, counts = np.unique(values.astype(str), return_counts=True)
    places = [listed.get(str(label), len(bins["values"])) for label in labels]
    summed = np.bincount(places, weights=counts, minlength=len(bins["values"]) + 2).astype(np.int64)
    return Histogram(values=bins["values"], counts=summed.tolist())


def psi(before: Sequence[int], now: Sequence[int]) -> float:
    """The population stability index of two histograms over the same bins: sum of (p - q) log(p / q).

    Every bin counts half a row more than it has, so that an empty one gives no infinity; the server's rule counts
    alike. (The index is the symmetric divergence of Kullback and Leibler 1951, doi:10.1214/aoms/1177729694.)
    """
    q = _shares(before)
    p = _shares(now)
    return float(((p - q) * np.log(p / q)).sum())


def _shares(counts: Sequence[int]) -> NDArray[np.float64]:
    smoothed = np.asarray(counts, dtype=np.float64) + _SMOOTHING
    shares: NDArray[np.float64] = smoothed / smoothed.sum()
    return shares


def _champion(model: Model, root: Path, name: str) -> Any:  # noqa: ANN401 - what a file holds, the contract says
    return read_json(root / contract.champion_file(model.name, name))
