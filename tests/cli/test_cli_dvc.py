"""What DVC prints, read as events and shown as lines."""

from __future__ import annotations

import io
import re

import pytest
from tests.replacing import replace
from tests.targets.pipeline_plans import pipeline, train_stage

from lockgate.cli.dvc.progress import Forecast, PassThrough, Progress
from lockgate.cli.dvc.repro import Ended, Event, Failed, Printed, Skipped, Started, events
from lockgate.cli.terminal import Terminal

# As DVC 3.67 prints it into a pipe.
FIRST_RUN = """\
Running stage 'pipelines/iris/dvc.yaml:ingest':
> python -m lockgate_runtime ingest iris
a warning
ingest: 150 rows
Generating lock file 'pipelines/iris/dvc.lock'
Updating lock file 'pipelines/iris/dvc.lock'

Stage 'pipelines/iris/dvc.yaml:split' is cached - skipping run, checking out outputs
Updating lock file 'pipelines/iris/dvc.lock'

Running stage 'pipelines/iris/dvc.yaml:train':
> python -m lockgate_runtime train iris
train: fitted
Updating lock file 'pipelines/iris/dvc.lock'

To track the changes with git, run:

\tgit add pipelines/iris/dvc.lock

To enable auto staging, run:

\tdvc config core.autostage true
Use `dvc push` to send your updates to remote storage.
"""
NOTHING_TO_DO = """\
Stage 'pipelines/iris/dvc.yaml:ingest' didn't change, skipping
Data and pipelines are up to date.
"""
FAILURE = """\
Running stage 'pipelines/iris/dvc.yaml:train':
> python -m lockgate_runtime train iris
error: no such function\x1b[2J
ERROR: failed to reproduce 'pipelines/iris/dvc.yaml:train': failed to run: python, exited with 1
"""
# DVC looks for the runs of before by the hashes of before, and no stage of a dry run changes what the next reads.
DRY_RUN = """\
Stage 'pipelines/iris/dvc.yaml:ingest' didn't change, skipping
Stage 'pipelines/iris/dvc.yaml:train' is cached - skipping run, checking out outputs
Running stage 'pipelines/iris/dvc.yaml:train':
> python -m lockgate_runtime train iris
Stage 'pipelines/iris/dvc.yaml:gate' didn't change, skipping
Use `dvc push` to send your updates to remote storage.
"""


def read(text: str) -> list[Event]:
    return list(events(text.splitlines(keepends=True)))


def test_a_run_is_read_stage_by_stage_without_dvcs_advice() -> None:
    assert read(FIRST_RUN) == [
        Started("ingest"),
        Printed("a warning"),
        Printed("ingest: 150 rows"),
        Ended(),
        Skipped("split", "cached"),
        Started("train"),
        Printed("train: fitted"),
        Ended(),
    ]


def test_a_run_that_changes_nothing_is_read() -> None:
    assert read(NOTHING_TO_DO) == [Skipped("ingest", "unchanged")]


def test_a_failure_is_read_with_dvcs_words() -> None:
    assert read(FAILURE)[-1] == Failed(
        "failed to reproduce 'pipelines/iris/dvc.yaml:train': failed to run: python, exited with 1"
    )


def test_a_stage_without_outputs_ends_where_the_next_one_starts() -> None:
    text = "Running stage 'p/dvc.yaml:a':\n> x\nRunning stage 'p/dvc.yaml:b':\n> x\n"
    assert read(text) == [Started("a"), Ended(), Started("b")]


def terminal() -> tuple[Terminal, io.StringIO]:
    out = io.StringIO()
    return Terminal(out=out, err=io.StringIO(), out_colour=False, err_colour=False, live=False), out


def without_times(text: str) -> str:
    return re.sub(r" +\d+\.\d s", " N s", text)


def test_a_stage_is_shown_with_its_time_and_its_last_line() -> None:
    shown, out = terminal()
    progress = Progress(shown)
    progress.follow(read(FIRST_RUN))
    assert without_times(out.getvalue()) == (
        "  ✓ ingest N s  150 rows\n  · split      cached\n  ✓ train N s  fitted\n"
    )
    assert progress.stages == {"ingest": "ran", "split": "cached", "train": "ran"}


def test_a_failed_stage_shows_all_that_it_printed_harmlessly() -> None:
    shown, out = terminal()
    progress = Progress(shown)
    progress.follow(read(FAILURE))
    assert without_times(out.getvalue()) == "  ✗ train N s  failed\n      error: no such function\\x1b[2J\n"
    assert progress.stages == {"train": "failed"}


def test_dvcs_own_failure_is_shown() -> None:
    shown, out = terminal()
    Progress(shown).follow(read("ERROR: Unable to acquire lock.\n"))
    assert out.getvalue() == "  ✗ Unable to acquire lock.\n"


@pytest.mark.parametrize("text", [FIRST_RUN, FAILURE])
def test_passing_through_shows_every_line_of_a_stage(text: str) -> None:
    shown, out = terminal()
    follower, silent = PassThrough(shown), Progress(terminal()[0])
    follower.follow(read(text))
    silent.follow(read(text))
    assert follower.stages == silent.stages
    printed = [it.line.replace("\x1b", "\\x1b") for it in read(text) if isinstance(it, Printed)]
    assert [line.strip() for line in out.getvalue().splitlines() if line.startswith("    ")] == printed


def test_a_dry_run_says_what_would_run() -> None:
    shown, out = terminal()
    ingest = replace(train_stage("iris"), name="ingest", outs=("raw",))
    train = replace(train_stage("iris"), deps=("raw",), outs=("model",))
    gate = replace(train_stage("iris"), name="gate", deps=("model",))
    Forecast(shown, pipeline((ingest, train, gate))).follow(read(DRY_RUN))
    assert out.getvalue() == (
        "  · ingest     unchanged\n"
        "  · train      would run\n"
        "  · gate       would run: reads what 'train' writes\n"
    )


def test_a_running_stage_is_announced_on_a_screen() -> None:
    out = io.StringIO()
    shown = Terminal(out=out, err=io.StringIO(), out_colour=False, err_colour=False, live=True)
    Progress(shown).follow([Started("train"), Ended()])
    assert out.getvalue().startswith("  … train      running\r\x1b[K  ✓ train")
