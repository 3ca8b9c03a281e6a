"""Split: `valid.parquet` → the rows to train on and the rows to judge by, which never overlap."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
import pandas as pd

from lockgate import contract
from lockgate_runtime.stages.features import as_text
from lockgate_runtime.stages.files import read_frame, write_frame, write_json
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from datetime import date, tzinfo
    from pathlib import Path

    from numpy.typing import NDArray

    from lockgate.spec.model import Data, Model, Spec


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sides:
    """For each row whether it is trained on and whether it is held out; a row may be neither."""

    train: NDArray[np.bool_]
    holdout: NDArray[np.bool_]


def run(spec: Spec, model: Model, root: Path) -> str:
    """Choose the rows of both sides, in the order they have."""
    del spec
    frame = read_frame(root / contract.artifact_path(model.name, contract.VALID))
    sides = _choose(frame, model)
    _refuse_empty(sides, frame, model.data)
    train, holdout = frame[sides.train], frame[sides.holdout]
    result = contract.Split(
        method=model.data.split,
        train=_part(train, model),
        holdout=_part(holdout, model),
        unused_rows=len(frame) - len(train) - len(holdout),
    )
    write_frame(root / contract.artifact_path(model.name, contract.TRAIN), train)
    write_frame(root / contract.artifact_path(model.name, contract.HOLDOUT), holdout)
    write_json(root / contract.artifact_path(model.name, contract.SPLIT), result)
    how = {"time": "by time", "group": f"by '{model.data.group}'", "random": "at random"}[model.data.split]
    return f"{len(train):,} rows to train, {len(holdout):,} held out ({how})"


def _choose(frame: pd.DataFrame, model: Model) -> _Sides:
    data, share = model.data, model.data.holdout_share or 0.0
    match data.split:
        case "time":
            times = frame[str(data.time)]
            return _by_date(times, data, data.as_of) if data.as_of else _by_latest(times, share)
        case "group":
            return _by_group(frame[str(data.group)], share, model.train.seed)
        case "random":
            labels = frame[data.target] if model.task == "classification" else None
            return _at_random(len(frame), labels, share, model.train.seed)
        case _:
            assert_never(data.split)


def _by_date(times: pd.Series[Any], data: Data, as_of: date) -> _Sides:
    """The training window ends before `as_of`, the holdout begins on it; days are those of the data's time zone."""
    zone: tzinfo | None = times.dt.tz
    cut = _midnight(as_of, zone)
    train = times < cut
    if data.train_days is not None:
        train &= times >= _midnight(as_of - timedelta(days=data.train_days), zone)
    holdout = times >= cut
    if data.holdout_days is not None:
        holdout &= times < _midnight(as_of + timedelta(days=data.holdout_days), zone)
    return _Sides(train=train.to_numpy(dtype=bool), holdout=holdout.to_numpy(dtype=bool))


def _midnight(day: date, zone: tzinfo | None) -> pd.Timestamp:
    """The first moment of the day; where clocks change at midnight, the first that exists."""
    naive = pd.Timestamp(day)
    if zone is None:
        return naive
    return naive.tz_localize(zone, nonexistent="shift_forward", ambiguous=True)


def _by_latest(times: pd.Series[Any], share: float) -> _Sides:
    """Hold out the latest rows; rows of one time stay together, so that the share may come out greater."""
    count = min(max(round(len(times) * share), 1), len(times))
    holdout = (times >= times.sort_values(ignore_index=True).iloc[-count]).to_numpy(dtype=bool)
    return _Sides(train=~holdout, holdout=holdout)


def _by_group(groups: pd.Series[Any], share: float, seed: int) -> _Sides:
    """Hold out whole groups, in the order of a seeded hash, as many as fit into the share, but one at least.

    The order depends on the group's value alone: a group mostly stays on its side when data is added.
    """
    texts = groups.map(as_text)
    sizes = texts.value_counts()
    room, chosen = len(groups) * share, set[str]()
    for text in sorted(sizes.index, key=lambda text: _hash(text, seed)):
        if sizes[text] <= room:
            chosen.add(text)
            room -= sizes[text]
    holdout = texts.isin(chosen or {str(sizes.index[-1])}).to_numpy(dtype=bool)
    return _Sides(train=~holdout, holdout=holdout)


def _hash(text: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{text}".encode(errors="surrogatepass")).digest()


def _at_random(rows: int, labels: pd.Series[Any] | None, share: float, seed: int) -> _Sides:
    """Hold out the share of each class, rounded; a class of one row is trained on."""
    random = np.random.default_rng(seed)
    holdout = np.zeros(rows, dtype=bool)
    codes = np.zeros(rows, dtype=np.int64) if labels is None else pd.factorize(labels)[0]
    for code in range(codes.max(initial=-1) + 1):
        members = random.permutation(np.flatnonzero(codes == code))
        holdout[members[: min(round(len(members) * share), len(members) - 1)]] = True
    return _Sides(train=~holdout, holdout=holdout)


def _refuse_empty(sides: _Sides, frame: pd.DataFrame, data: Data) -> None:
    for side, chosen in (("to train on", sides.train), ("to hold out", sides.holdout)):
        if not chosen.any():
            raise StageError(
                f"the split leaves no rows {side}: the data has {_range(frame, data)}",
                "move 'data.as_of' or widen 'data.train' and 'data.holdout' so that both sides have rows",
            )


def _range(frame: pd.DataFrame, data: Data) -> str:
    rows = f"{len(frame):,} valid rows"
    if data.split == "time":
        times = frame[str(data.time)]
        return f"{rows} from {times.min().isoformat()} to {times.max().isoformat()}"
    if data.split == "group":
        return f"{rows} in {frame[str(data.group)].nunique():,} groups of '{data.group}'"
    return rows


def _part(frame: pd.DataFrame, model: Model) -> contract.Part:
    time, target = model.data.time, frame[model.data.target]
    return contract.Part(
        rows=len(frame),
        start=frame[time].min().isoformat() if time else None,
        end=frame[time].max().isoformat() if time else None,
        target=_numbers(target) if model.task == "regression" else _shares(target),
    )


def _numbers(target: pd.Series[Any]) -> dict[str, float]:
    return {"mean": float(target.mean()), "standard_deviation": float(target.std(ddof=0))}


def _shares(target: pd.Series[Any]) -> dict[str, float]:
    shares = target.map(as_text).value_counts(normalize=True)
    return {str(label): float(share) for label, share in shares.items()}
