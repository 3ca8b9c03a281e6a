"""What a rehearsal sends: rows of a file, or what a log of predictions kept, as a client would write them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lockgate.contract import SIGNATURE, Feature, Signature
from lockgate_runtime.server.prediction_rows import Logged, PredictionRows
from lockgate_runtime.traffic.bodies import TrafficError, read_bodies

MODEL = Signature(
    model="late-bus",
    kind="binary",
    target="late",
    inputs=[
        Feature(name="distance", type="number", nullable=True),
        Feature(name="stops", type="integer", nullable=True),
        Feature(name="express", type="boolean", nullable=False),
        Feature(name="line", type="category", nullable=True, values=["1", "2"]),
    ],
    classes=["False", "True"],
    positive="True",
    threshold=0.5,
)
SENT = [
    {"distance": 1.5, "stops": 7, "express": True, "line": "2"},
    {"distance": None, "stops": None, "express": False, "line": None},
]
NEVER = 1000


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / SIGNATURE).write_text(json.dumps(MODEL))
    return folder


def rows(traffic: Path, model: Path, most: int = NEVER) -> list[object]:
    bodies = read_bodies(traffic, model, most)
    return [row for body in bodies for row in json.loads(body)["rows"]]


def log(path: Path, *left_out: str) -> Path:
    """As the server writes it: a file of each day."""
    columns = (
        np.array([1.5, np.nan], np.float32),
        np.array([7, np.nan], np.float32),
        np.array([1, 0], np.float32),
        np.array(["2", ""], object),
    )
    writer = PredictionRows(MODEL, "1.2.0", left_out)
    kept = tuple(columns[place] for place in writer.kept)
    day = path / "date=2026-11-01"
    day.mkdir(parents=True)
    outputs = np.array([[0.5, 0.5], [0.1, 0.9]])
    now = datetime(2026, 11, 1, tzinfo=UTC)
    (day / "part.parquet").write_bytes(writer.parquet([Logged("a-1", now, 0, kept, outputs)]))
    return path


def test_a_log_of_predictions_is_sent_as_it_came(tmp_path: Path, model: Path) -> None:
    assert rows(log(tmp_path / "log"), model) == SENT


def test_a_file_is_sent_in_the_types_that_the_model_takes(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "rows.parquet"
    table = pa.table(
        {
            "line": pa.array([2.0, None]),
            "express": pa.array([1, 0]),
            "stops": pa.array([7.0, float("nan")]),
            "late": pa.array([True, False]),
            "distance": pa.array([1.5, float("nan")]),
        }
    )
    pq.write_table(table, path)
    assert rows(path, model) == SENT


def test_no_more_rows_are_read_than_are_asked_for(tmp_path: Path, model: Path) -> None:
    assert rows(log(tmp_path / "log"), model, most=1) == SENT[:1]


def test_a_column_that_the_log_left_out_is_named(tmp_path: Path, model: Path) -> None:
    with pytest.raises(TrafficError) as caught:
        read_bodies(log(tmp_path / "log", "line"), model, NEVER)
    assert caught.value.message.endswith("has no column 'line', which the model takes")
    assert caught.value.help == "replay rows that were made for this model, with no column left out"


def test_a_folder_without_a_log_is_told(tmp_path: Path, model: Path) -> None:
    (tmp_path / "log").mkdir()
    with pytest.raises(TrafficError, match="holds no Parquet file"):
        read_bodies(tmp_path / "log", model, NEVER)


def test_what_is_no_parquet_is_told(tmp_path: Path, model: Path) -> None:
    (tmp_path / "rows.parquet").write_text("distance,line\n")
    with pytest.raises(TrafficError, match="cannot be read as Parquet"):
        read_bodies(tmp_path / "rows.parquet", model, NEVER)


def test_a_file_without_rows_is_told(tmp_path: Path, model: Path) -> None:
    path = tmp_path / "rows.parquet"
    names = [it["name"] for it in MODEL["inputs"]]
    pq.write_table(pa.table({name: pa.array([], pa.float64()) for name in names}), path)
    with pytest.raises(TrafficError, match="holds no rows"):
        read_bodies(path, model, NEVER)
