"""Log lines: JSON, one a line, never too many, never in the way."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate_runtime.server.logs import Logs, ToLogs, line_of

NOW = datetime(2024, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)


class Written:
    """Logs into a pipe, by a clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.reader, self.writer = os.pipe()
        self.logs = Logs(self.writer, clock=lambda: self.seconds, now=lambda: NOW)

    def lines(self) -> list[dict[str, Any]]:
        """What was written until now; the logs are closed by it."""
        self.logs.close(10)
        os.close(self.writer)
        with os.fdopen(self.reader, "rb", closefd=False) as stream:
            return [json.loads(line) for line in stream]


@pytest.fixture
def written() -> Iterator[Written]:
    made = Written()
    yield made
    made.logs.close(10)
    os.close(made.reader)


def test_a_line_holds_time_level_message_request_and_fields(written: Written) -> None:
    written.logs.write("error", "the model failed", "a-1", {"rows": 3, "share": 0.5, "why": None})
    assert written.lines() == [
        {
            "ts": "2024-03-01T12:30:15.250Z",
            "level": "error",
            "message": "the model failed",
            "request_id": "a-1",
            "rows": 3,
            "share": 0.5,
            "why": None,
        }
    ]


def test_a_message_that_comes_often_is_left_out_and_later_counted(written: Written) -> None:
    for _ in range(1000):
        written.logs.write("error", "the model failed")
    written.seconds = 10
    written.logs.write("error", "the model failed")
    lines = written.lines()
    assert len(lines) == 11
    assert [line.get("left_out") for line in lines] == [None] * 10 + [990]


def test_what_was_left_out_at_the_end_is_told_when_the_logs_are_closed(written: Written) -> None:
    for _ in range(12):
        written.logs.write("error", "the model failed")
    assert written.lines()[-1]["left_out"] == 2


def test_one_message_does_not_silence_another(written: Written) -> None:
    for _ in range(100):
        written.logs.write("error", "the model failed")
    written.logs.write("info", "draining")
    assert written.lines()[10]["message"] == "draining"


def test_messages_without_number_are_limited_together(written: Written) -> None:
    for number in range(5000):
        written.logs.write("error", f"failed {number}")
    assert len(written.lines()) == 200 + 10 + 1


def test_a_reader_that_stands_still_holds_nobody_up() -> None:
    reader, writer = os.pipe()
    seconds = iter(range(0, 10**9, 20))
    logs = Logs(writer, clock=lambda: float(next(seconds)))
    for _ in range(3000):  # More than a pipe holds and more than may wait.
        logs.write("error", "the model failed", None, {"text": "x" * 900})
    with os.fdopen(reader, "rb") as stream:
        first = stream.readline()
    logs.close(10)  # Nobody reads any more, so what waits is thrown away.
    os.close(writer)
    assert json.loads(first)["message"] == "the model failed"


@given(
    message=st.text(max_size=3000),
    fields=st.dictionaries(
        st.text(max_size=2000),
        st.one_of(st.text(max_size=3000), st.floats(), st.binary(), st.none()),
        max_size=8,
    ),
)
def test_a_line_is_one_json_object_that_a_pipe_takes_in_one_piece(
    message: str, fields: dict[str, object]
) -> None:
    line = line_of({"ts": "2024-03-01T12:30:15.250Z", "message": message}, fields)
    assert len(line) <= 4096
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert line.isascii()
    json.loads(line, parse_constant=lambda name: pytest.fail(f"'{name}' is no JSON"))


def test_a_field_cannot_pretend_to_be_the_message() -> None:
    line = json.loads(
        line_of({"message": "draining", "level": "info"}, {"message": "all is well", "level": "x"})
    )
    assert line == {"message": "draining", "level": "info"}


def test_what_libraries_log_has_the_same_form(written: Written) -> None:
    logger = logging.getLogger("test.library")
    logger.propagate = False
    handler = ToLogs(written.logs)
    logger.addHandler(handler)
    logger.warning("cannot reach\n%s", "127.0.0.1")
    logger.info("not of interest")
    logger.removeHandler(handler)
    (line,) = written.lines()
    assert (line["level"], line["message"], line["text"]) == (
        "warning",
        "logged by test.library",
        "cannot reach\n127.0.0.1",
    )
