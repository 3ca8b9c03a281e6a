"""Split: which rows are trained on and which are held out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lockgate.contract import Split as SplitResult
from lockgate.spec.model import Model, Spec
from lockgate_runtime.stages import split
from lockgate_runtime.stages.files import write_frame
from lockgate_runtime.stages.user_code import StageError

Run = Callable[..., tuple[list[int], list[int], SplitResult]]
NO_WINDOW = {"as_of": None, "train_days": None, "holdout_days": None}


@pytest.fixture
def run(tmp_path: Path, make_model: Callable[..., Model], make_spec: Callable[[Model], Spec]) -> Run:
    """Split the rows, each with an `id`; the ids of both sides, and what the stage says of them."""

    def run(
        rows: pd.DataFrame, task: str = "classification", seed: int = 7, **data: object
    ) -> tuple[list[int], list[int], SplitResult]:
        folder = tmp_path / "artifacts" / "late-bus"
        model = make_model(task=task, data=data, train={"seed": seed})
        write_frame(folder / "valid.parquet", rows.assign(id=range(len(rows))))
        split.run(make_spec(model), model, tmp_path)
        train, holdout = (
            pd.read_parquet(folder / f"{side}.parquet")["id"].tolist() for side in ("train", "holdout")
        )
        return train, holdout, json.loads((folder / "split.json").read_bytes())

    return run


def daily(days: int, zone: str | None = None) -> pd.DataFrame:
    """A row at each midnight of 2024, late on every second day."""
    times = pd.date_range("2024-01-01", periods=days, freq="D", tz=zone)
    return pd.DataFrame({"departure": times, "late": np.arange(days) % 2 == 1})


def test_holdout_begins_on_the_day_and_training_ends_before_it(run: Run) -> None:
    train, holdout, result = run(daily(10), as_of=date(2024, 1, 6), train_days=3, holdout_days=2)
    assert (train, holdout) == ([2, 3, 4], [5, 6])
    assert result == {
        "method": "time",
        "train": {
            "rows": 3,
            "start": "2024-01-03T00:00:00",
            "end": "2024-01-05T00:00:00",
            "target": {"False": 2 / 3, "True": 1 / 3},
        },
        "holdout": {
            "rows": 2,
            "start": "2024-01-06T00:00:00",
            "end": "2024-01-07T00:00:00",
            "target": {"False": 0.5, "True": 0.5},
        },
        "unused_rows": 5,
    }


def test_without_a_training_window_all_before_the_day_is_trained_on(run: Run) -> None:
    train, holdout, _ = run(daily(10), as_of=date(2024, 1, 6), train_days=None, holdout_days=30)
    assert (train, holdout) == ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9])


def test_day_is_one_of_the_time_zone_of_the_data(run: Run) -> None:
    rows = daily(10, "America/New_York")
    window = {"as_of": date(2024, 1, 6), "train_days": 3, "holdout_days": 2}
    assert run(rows, **window)[:2] == ([2, 3, 4], [5, 6])
    assert run(rows.assign(departure=rows["departure"].dt.tz_convert("UTC")), **window)[:2] == (
        [2, 3, 4],
        [5, 6],
    )
    at_one = rows.assign(departure=rows["departure"].dt.tz_convert("Asia/Tokyo") - pd.Timedelta(hours=15))
    assert run(at_one, **window)[:2] == ([3, 4, 5], [6, 7])


def test_day_whose_midnight_does_not_exist_begins_at_one(run: Run) -> None:
    times = pd.to_datetime(["2024-09-07T23:30", "2024-09-08T01:00"]).tz_localize("America/Santiago")
    rows = pd.DataFrame({"departure": times, "late": [True, False]})
    train, holdout, _ = run(rows, as_of=date(2024, 9, 8), train_days=1, holdout_days=1)
    assert (train, holdout) == ([0], [1])


def test_without_a_day_the_latest_share_is_held_out(run: Run) -> None:
    rows = daily(10).sample(frac=1, random_state=3, ignore_index=True)
    train, holdout, _ = run(rows, **NO_WINDOW, holdout_share=0.3)
    latest = rows.index[rows["departure"] >= pd.Timestamp("2024-01-08")].tolist()
    assert holdout == latest
    assert train == [row for row in range(10) if row not in latest]


def test_rows_of_one_time_stay_together(run: Run) -> None:
    times = pd.to_datetime(["2024-01-01"] * 4 + ["2024-01-02"] * 4 + ["2024-01-03"] * 2)
    rows = pd.DataFrame({"departure": times, "late": [True, False] * 5})
    assert run(rows, **NO_WINDOW, holdout_share=0.4)[:2] == ([0, 1, 2, 3], [4, 5, 6, 7, 8, 9])


@pytest.mark.parametrize(
    ("as_of", "side"), [(date(2023, 1, 1), "to train on"), (date(2025, 1, 1), "to hold out")]
)
def test_empty_side_is_told_with_the_range_of_the_data(run: Run, as_of: date, side: str) -> None:
    with pytest.raises(StageError) as raised:
        run(daily(10), as_of=as_of, train_days=None, holdout_days=900)
    assert raised.value.message == (
        f"the split leaves no rows {side}: the data has 10 valid rows from 2024-01-01T00:00:00 to 2024-01-10T00:00:00"
    )


def test_single_time_cannot_be_split(run: Run) -> None:
    rows = pd.DataFrame({"departure": [pd.Timestamp("2024-01-01")] * 3, "late": [True, False, True]})
    with pytest.raises(
        StageError, match="the split leaves no rows to train on: the data has 3 valid rows from"
    ):
        run(rows, **NO_WINDOW, holdout_share=0.2)


GROUP = {**NO_WINDOW, "split": "group", "group": "bus", "time": None}


def grouped(groups: int, rows_each: int) -> pd.DataFrame:
    buses = np.repeat([f"bus {number}" for number in range(groups)], rows_each)
    return pd.DataFrame({"bus": buses, "late": np.arange(len(buses)) % 2 == 1})


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_never_split_and_fill_the_share(run: Run, seed: int) -> None:
    rows = grouped(50, 4)
    train, holdout, result = run(rows, seed=seed, **GROUP, holdout_share=0.2)
    assert not set(rows["bus"][train]) & set(rows["bus"][holdout])
    assert (len(train), len(holdout), result["unused_rows"]) == (160, 40, 0)


def test_groups_depend_on_the_seed_and_not_on_the_order_of_rows(run: Run) -> None:
    rows = grouped(50, 4)
    shuffled = rows.sample(frac=1, random_state=3, ignore_index=True)
    held_out = [
        set(frame["bus"][run(frame, seed=seed, **GROUP, holdout_share=0.2)[1]])
        for frame, seed in ((rows, 1), (shuffled, 1), (rows, 2))
    ]
    assert held_out[0] == held_out[1] != held_out[2]


def test_groups_mostly_stay_on_their_side_when_data_is_added(run: Run) -> None:
    before, after = (
        set(grouped(count, 2)["bus"][run(grouped(count, 2), **GROUP, holdout_share=0.2)[1]])
        for count in (100, 110)
    )
    assert len(before - after) <= 3


def test_group_greater_than_the_share_is_trained_on_where_others_fit(run: Run) -> None:
    rows = pd.DataFrame({"bus": ["a"] * 95 + ["b"] * 3 + ["c"] * 2, "late": [True, False] * 50})
    _, holdout, _ = run(rows, **GROUP, holdout_share=0.1)
    assert set(rows["bus"][holdout]) == {"b", "c"}


def test_of_two_great_groups_the_smaller_is_held_out(run: Run) -> None:
    rows = pd.DataFrame({"bus": [1] * 6 + [2] * 4, "late": [True, False] * 5})
    assert run(rows, **GROUP, holdout_share=0.1)[:2] == ([0, 1, 2, 3, 4, 5], [6, 7, 8, 9])


def test_one_group_cannot_be_split(run: Run) -> None:
    with pytest.raises(
        StageError, match="no rows to train on: the data has 4 valid rows in 1 groups of 'bus'"
    ):
        run(grouped(1, 4), **GROUP, holdout_share=0.2)


RANDOM = {**NO_WINDOW, "split": "random", "time": None}


def test_random_split_keeps_classes_in_proportion(run: Run) -> None:
    rows = pd.DataFrame({"late": ["a"] * 100 + ["b"] * 50 + ["c"] * 10})
    train, holdout, result = run(rows, **RANDOM, holdout_share=0.2)
    assert rows["late"][holdout].value_counts().to_dict() == {"a": 20, "b": 10, "c": 2}
    assert sorted(train + holdout) == list(range(160))
    assert result["train"]["start"] is None


def test_random_split_trains_on_a_class_of_one_row(run: Run) -> None:
    rows = pd.DataFrame({"late": ["a"] * 10 + ["b"] * 10 + ["rare"]})
    train, holdout, _ = run(rows, **RANDOM, holdout_share=0.9)
    assert 20 in train
    assert len(holdout) == 18


def test_random_split_follows_the_seed(run: Run) -> None:
    rows = pd.DataFrame({"late": [True, False] * 50})
    sides = [run(rows, seed=seed, **RANDOM, holdout_share=0.3)[1] for seed in (1, 1, 2)]
    assert sides[0] == sides[1] != sides[2]


def test_regression_tells_mean_and_deviation_of_both_sides(run: Run) -> None:
    rows = pd.DataFrame({"late": [1.0, 3.0] * 10, "departure": pd.date_range("2024-01-01", periods=20)})
    _, _, result = run(rows, task="regression", as_of=date(2024, 1, 11), train_days=10, holdout_days=10)
    assert result["holdout"]["target"] == {"mean": 2.0, "standard_deviation": 1.0}


def test_too_few_rows_for_the_share_is_told(run: Run) -> None:
    with pytest.raises(StageError, match="the split leaves no rows to hold out: the data has 2 valid rows"):
        run(pd.DataFrame({"late": [True, False]}), **RANDOM, holdout_share=0.2)
