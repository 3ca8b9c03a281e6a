"""What a pipeline reads from outside, and where DVC's pointers to it may stand."""

from __future__ import annotations

from tests.replacing import replace
from tests.targets.pipeline_plans import MODEL, PROJECT, stage

from lockgate.plan.build import make
from lockgate.plan.inputs import inputs, pointers
from lockgate.spec.model import Ci, Spec


def test_inputs_are_what_no_stage_writes() -> None:
    first = stage("first", ("one",), deps=("data/a.csv", "code"), outs=("made",), metrics=("measured",))
    second = stage("second", ("two",), deps=("made", "measured", "code", "data/b.csv"))

    assert inputs((first, second)) == ("data/a.csv", "code", "data/b.csv")


def test_a_pointer_may_stand_for_the_file_or_for_a_folder_that_holds_it() -> None:
    assert pointers("data/raw/a.csv") == ("data/raw/a.csv.dvc", "data/raw.dvc", "data.dvc")
    assert pointers("a.csv") == ("a.csv.dvc",)


def test_a_change_of_a_pointer_touches_the_model_that_reads_the_data() -> None:
    data = replace(MODEL.data, source="data/flights.csv", deps=("lookup.csv",))
    spec = Spec(
        project=PROJECT,
        models={"m": replace(MODEL, name="m", data=data)},
        environments={},
        pins={},
        ci=Ci(runner="ubuntu-24.04", timeout_minutes=60, updates=None, steps_before=(), steps_after=()),
        delivery=None,
        patches=(),
    )

    (pipeline,) = make(spec, {})[0].pipelines

    assert pipeline.watch == (
        "data/flights.csv",
        "lookup.csv",
        "models/flight_delay",
        "data/flights.csv.dvc",
        "data.dvc",
        "lookup.csv.dvc",
        "requirements.txt",
        "pipelines/m",
    )
