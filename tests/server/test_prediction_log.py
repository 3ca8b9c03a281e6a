"""The log of predictions: what is in it, what is not, and how long it stays."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.server.observed import columns_of, probabilities, signature_of

from lockgate_runtime.server.log_storage import Directory, Objects, PredictionLogError, open_storage
from lockgate_runtime.server.logs import Logs
from lockgate_runtime.server.prediction_log import PredictionLog, Sampling
from lockgate_runtime.server.prediction_rows import Logged, PredictionRows

if TYPE_CHECKING:
    from lockgate_runtime.server.log_storage import Storage

NOW = datetime(2024, 3, 1, 12, 30, tzinfo=UTC)
ALL = Sampling(share=1.0, keep_days=None)


@pytest.fixture
def logs() -> Iterator[Logs]:
    with Path("/dev/null").open("wb") as nowhere:
        made = Logs(nowhere.fileno())
        yield made
        made.close()


@pytest.fixture
def open_log(logs: Logs) -> Iterator[Callable[..., PredictionLog]]:
    """Opens logs of the small model, and closes them when the test ends."""
    opened: list[PredictionLog] = []

    def make(
        storage: Storage,
        sampling: Sampling = ALL,
        dropped: Callable[[int], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: NOW,
    ) -> PredictionLog:
        opened.append(PredictionLog(storage, signature_of(), "1.2.0", sampling, dropped, logs, now=now))
        return opened[-1]

    yield make
    for log in opened:
        log.close(10)


def add(log: PredictionLog, request_id: str, *scores: float) -> None:
    rows = len(scores)
    log.add(request_id, columns_of([1.5] * rows, ["2"] * rows), probabilities(*scores))


def files(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_a_request_is_a_row_of_each_of_its_rows(
    tmp_path: Path, open_log: Callable[..., PredictionLog]
) -> None:
    log = open_log(Directory(tmp_path))
    log.add("a-1", columns_of([1.5, np.nan], ["2", ""]), probabilities(0.25, 0.5))
    log.add("a-2", columns_of([7], ["x"]), probabilities(0.4))
    log.close(10)
    (name,) = files(tmp_path)
    assert name.startswith("date=2024-03-01/late-bus-20240301T123000Z-")
    assert pq.ParquetFile(tmp_path / name).read().to_pylist() == [
        {
            "id": request_id,
            "time": NOW,
            "model": "late-bus",
            "version": "1.2.0",
            "row": row,
            "input_distance": distance,
            "input_line": line,
            "prediction": prediction,
            "probability": probability,
        }
        for request_id, row, distance, line, prediction, probability in [
            ("a-1", 0, 1.5, "2", "False", 0.25),
            ("a-1", 1, None, None, "True", 0.5),
            ("a-2", 0, 7.0, "x", "True", 0.4),
        ]
    ]


def test_the_schema_is_that_of_the_signature() -> None:
    rows = PredictionRows(signature_of(), "1.2.0", ())
    table = rows.table([Logged("a-1", NOW, 0, columns_of([1], ["2"]), probabilities(0.5))])
    assert table.schema == pa.schema(
        {
            "id": pa.string(),
            "time": pa.timestamp("us", "UTC"),
            "model": pa.string(),
            "version": pa.string(),
            "row": pa.int32(),
            "input_distance": pa.float32(),
            "input_line": pa.string(),
            "prediction": pa.string(),
            "probability": pa.float64(),
        }
    )


def test_of_several_classes_all_probabilities_are_logged() -> None:
    rows = PredictionRows(signature_of("multiclass"), "1.2.0", ("distance", "line"))
    table = rows.table([Logged("a-1", NOW, 0, (), np.array([[0.2, 0.5, 0.3]]))])
    (row,) = table.select(["prediction", "probability", "probabilities"]).to_pylist()
    assert row == {"prediction": "b", "probability": 0.5, "probabilities": [0.2, 0.5, 0.3]}


def test_of_a_regression_the_value_is_logged() -> None:
    rows = PredictionRows(signature_of("regression"), "1.2.0", ("distance", "line"))
    table = rows.table([Logged("a-1", NOW, 0, (), np.array([2.5]))])
    assert table.column_names == ["id", "time", "model", "version", "row", "prediction"]
    assert table["prediction"].to_pylist() == [2.5]


def test_a_column_that_is_left_out_is_not_in_the_file(
    tmp_path: Path, open_log: Callable[..., PredictionLog]
) -> None:
    log = open_log(Directory(tmp_path), replace(ALL, left_out=frozenset({"line"})))
    log.add("a-1", columns_of([1.5], ["secret-line"]), probabilities(0.5))
    log.close(10)
    data = (tmp_path / files(tmp_path)[0]).read_bytes()
    assert "input_line" not in pq.read_table(io.BytesIO(data)).column_names
    assert b"secret-line" not in data


def test_a_column_to_leave_out_that_is_none_is_refused() -> None:
    with pytest.raises(PredictionLogError) as caught:
        PredictionRows(signature_of(), "1.2.0", ("distanc",))
    assert str(caught.value) == (
        "column 'distanc' is to be left out of the log of predictions, but the model has no such input"
    )
    assert caught.value.help == "did you mean 'distance'?"


def test_the_sample_follows_from_the_id(tmp_path: Path, open_log: Callable[..., PredictionLog]) -> None:
    logs = [open_log(Directory(tmp_path), replace(ALL, share=0.25)) for _ in range(2)]
    first, second = ([log.wants(f"request-{number}") for number in range(10_000)] for log in logs)
    assert first == second
    assert 2300 < sum(first) < 2700


@pytest.mark.parametrize(("share", "wanted"), [(0.0, False), (1.0, True)])
def test_all_or_nothing_can_be_logged(
    tmp_path: Path, open_log: Callable[..., PredictionLog], share: float, wanted: bool
) -> None:
    log = open_log(Directory(tmp_path), replace(ALL, share=share))
    assert {log.wants(str(number)) for number in range(1000)} == {wanted}


def test_what_the_caller_changes_later_is_logged_as_it_was(
    tmp_path: Path, open_log: Callable[..., PredictionLog]
) -> None:
    log, columns = open_log(Directory(tmp_path)), columns_of([1.5], ["2"])
    log.add("a-1", columns, probabilities(0.5))
    columns[0][0] = 9
    log.close(10)
    assert pq.ParquetFile(tmp_path / files(tmp_path)[0]).read()["input_distance"].to_pylist() == [1.5]


class Watched(Directory):
    """A directory that says when a file came, and whose first writes can fail."""

    def __init__(self, root: Path, failures: int = 0) -> None:
        super().__init__(root)
        self.failures, self.tried, self.came = failures, threading.Event(), threading.Event()

    def put(self, name: str, data: bytes) -> None:
        self.tried.set()
        if self.failures:
            self.failures -= 1
            raise OSError("no space left on device")
        super().put(name, data)
        self.came.set()


def test_a_file_is_written_when_it_has_its_rows(
    tmp_path: Path, open_log: Callable[..., PredictionLog]
) -> None:
    storage = Watched(tmp_path)
    log = open_log(storage, replace(ALL, file_rows=3))
    add(log, "a-1", 0.1, 0.2, 0.3)
    assert storage.came.wait(10)


def test_a_file_is_written_when_its_time_has_come(
    tmp_path: Path, open_log: Callable[..., PredictionLog]
) -> None:
    storage = Watched(tmp_path)
    add(open_log(storage, replace(ALL, file_seconds=0.01)), "a-1", 0.1)
    assert storage.came.wait(10)


def test_rows_that_could_not_be_written_are_written_later(
    tmp_path: Path, open_log: Callable[..., PredictionLog]
) -> None:
    storage = Watched(tmp_path, failures=1)
    log = open_log(storage, replace(ALL, file_rows=1))
    add(log, "a-1", 0.1)
    assert storage.tried.wait(10)
    log.close(10)
    assert pq.ParquetFile(tmp_path / files(tmp_path)[0]).read()["id"].to_pylist() == ["a-1"]


def test_rows_that_find_no_room_are_dropped_and_counted(
    tmp_path: Path, open_log: Callable[..., PredictionLog]
) -> None:
    dropped: list[int] = []
    log = open_log(Directory(tmp_path), replace(ALL, most_rows=5), dropped.append)
    add(log, "a-1", *[0.1] * 4)
    add(log, "a-2", 0.1, 0.2)
    add(log, "a-3", 0.1)
    log.close(10)
    assert dropped == [2]
    found = pq.ParquetFile(tmp_path / files(tmp_path)[0]).read()["id"].to_pylist()
    assert found == ["a-1"] * 4 + ["a-3"]


def test_rows_that_cannot_be_written_at_the_end_are_counted(
    tmp_path: Path, open_log: Callable[..., PredictionLog]
) -> None:
    dropped: list[int] = []
    log = open_log(Watched(tmp_path, failures=100), ALL, dropped.append)
    add(log, "a-1", 0.1, 0.2)
    log.close(10)
    assert (dropped, files(tmp_path)) == ([2], [])


def test_a_row_after_the_end_is_counted_as_dropped(
    tmp_path: Path, open_log: Callable[..., PredictionLog]
) -> None:
    dropped: list[int] = []
    log = open_log(Directory(tmp_path), ALL, dropped.append)
    log.close(10)
    add(log, "a-1", 0.1)
    assert (dropped, files(tmp_path)) == ([1], [])


def test_each_day_has_its_own_folder(tmp_path: Path, open_log: Callable[..., PredictionLog]) -> None:
    times = iter([NOW] * 2 + [datetime(2024, 3, 1, 23, 59, 59, tzinfo=UTC), datetime(2024, 3, 2, tzinfo=UTC)])
    log = open_log(Directory(tmp_path), now=lambda: next(times))
    for number in range(4):
        add(log, f"a-{number}", 0.1)
    log.close(10)
    found = {
        name.split("/")[0]: pq.ParquetFile(tmp_path / name).read()["id"].to_pylist()
        for name in files(tmp_path)
    }
    assert found == {"date=2024-03-01": ["a-0", "a-1", "a-2"], "date=2024-03-02": ["a-3"]}


def old_files(root: Path) -> list[str]:
    end = "20240101T000000Z-0123456789abcdef.parquet"
    names = [
        f"date=2024-01-01/late-bus-{end}",
        f"date=2024-01-01/.late-bus-{end}.tmp",
        f"date=2024-01-02/late-bus-{end}",
        f"date=2024-02-23/late-bus-{end}",
        f"date=2024-01-01/late-bus-express-{end}",
        "date=2024-01-01/late-bus-notes.parquet",
        f"other=2024-01-01/late-bus-{end}",
        f"late-bus-{end}",
    ]
    for name in names:
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    return names


def test_only_its_own_old_files_are_deleted(tmp_path: Path, open_log: Callable[..., PredictionLog]) -> None:
    names = old_files(tmp_path)
    open_log(Directory(tmp_path), replace(ALL, keep_days=7)).close(10)
    assert files(tmp_path) == sorted(names[3:])
    assert not (tmp_path / "date=2024-01-02").exists()


def test_without_a_retention_nothing_is_deleted(
    tmp_path: Path, open_log: Callable[..., PredictionLog]
) -> None:
    names = old_files(tmp_path)
    open_log(Directory(tmp_path)).close(10)
    assert files(tmp_path) == sorted(names)


def test_object_storage_is_written_and_cleaned_alike(
    request: pytest.FixtureRequest, open_log: Callable[..., PredictionLog]
) -> None:
    fsspec = pytest.importorskip("fsspec", reason="needs fsspec: pip install fsspec")
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/bucket/logs/date=2024-01-01/late-bus-20240101T000000Z-0123456789abcdef.parquet", b"x")
    request.addfinalizer(lambda: memory.rm("/bucket", recursive=True))
    storage = open_storage("memory://bucket/logs")
    assert isinstance(storage, Objects)
    log = open_log(storage, replace(ALL, keep_days=7))
    add(log, "a-1", 0.1)
    log.close(10)
    (name,) = storage.names()
    assert name.startswith("date=2024-03-01/late-bus-")
    table = pq.read_table(io.BytesIO(memory.cat_file(f"/bucket/logs/{name}")))
    assert table["id"].to_pylist() == ["a-1"]


def test_a_storage_whose_library_is_missing_says_what_to_install() -> None:
    pytest.importorskip("fsspec", reason="needs fsspec: pip install fsspec")
    with pytest.raises(PredictionLogError) as caught:
        open_storage("abfs://bucket/logs")
    assert "abfs" in caught.value.message
    assert caught.value.help == "pip install 'fsspec[abfs]'"


def test_a_storage_that_nobody_knows_is_refused_without_its_secrets() -> None:
    pytest.importorskip("fsspec", reason="needs fsspec: pip install fsspec")
    with pytest.raises(PredictionLogError) as caught:
        open_storage("nonsense://key:secret@bucket/logs")
    assert "secret" not in caught.value.message


def test_a_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("x")
    with pytest.raises(PredictionLogError, match="cannot be logged to"):
        open_storage(str(tmp_path / "logs"))


def test_labels_are_joined_by_id(tmp_path: Path, open_log: Callable[..., PredictionLog]) -> None:
    log = open_log(Directory(tmp_path / "predictions"))
    add(log, "a-1", 0.1, 0.9)
    add(log, "a-2", 0.7)
    log.close(10)
    labels = pd.DataFrame({"id": ["a-1", "a-1"], "row": [0, 1], "late": ["False", "False"]})
    predictions = pd.read_parquet(tmp_path / "predictions", filters=[("date", ">=", "2024-03-01")])
    joined = predictions.merge(labels, on=["id", "row"], validate="one_to_one")
    assert (joined["prediction"] == joined["late"]).tolist() == [True, False]
