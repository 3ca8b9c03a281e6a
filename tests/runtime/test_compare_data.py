"""What changed in the training data: PSI by hand, bins of an earlier reference, columns that come and go."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from math import log
from pathlib import Path

import numpy as np
import pytest
from tests.runtime.champions import crown, forget_modules
from tests.runtime.stage_runs import artifact_json, run_until

from lockgate import contract
from lockgate.contract import Histogram
from lockgate.spec.model import Model, Spec
from lockgate_runtime.stages.data_change import counted_into, data_change, psi
from lockgate_runtime.stages.reference import category_histogram, number_histogram

Make = Callable[..., Model]
MakeSpec = Callable[[Model], Spec]


def test_the_index_is_that_of_the_formula() -> None:
    # With half a row more in each bin: 10.5 / 21, 10.5 / 21 against 5.5 / 21, 15.5 / 21.
    expected = (5.5 - 10.5) / 21 * log(5.5 / 10.5) + (15.5 - 10.5) / 21 * log(15.5 / 10.5)
    assert psi([10, 10], [5, 15]) == pytest.approx(expected)


def test_equal_counts_have_an_index_of_nothing_and_empty_bins_none_of_infinity() -> None:
    assert psi([3, 0, 7], [3, 0, 7]) == 0
    assert 0 < psi([100, 0], [0, 100]) < 20


def test_values_are_counted_into_earlier_bins() -> None:
    texts = np.array(["a", "b", "new", "", "a"], dtype=object)
    assert counted_into(Histogram(values=["b", "a"], counts=[]), texts)["counts"] == [1, 2, 1, 1]
    numbers = np.array([0.5, 1.0, 9.0, np.nan], dtype=np.float32)
    assert counted_into(Histogram(edges=[1.0, 2.0], counts=[]), numbers)["counts"] == [1, 1, 1, 1]


def test_counting_the_same_values_again_gives_the_reference() -> None:
    generator = np.random.default_rng(0)
    texts = generator.choice([f"v{index}" for index in range(150)] + [""], 2000).astype(object)
    histogram = category_histogram(texts)
    assert counted_into(histogram, texts) == histogram
    numbers = generator.normal(size=500)
    assert counted_into(number_histogram(numbers, [-1.0, 1.0]), numbers) == number_histogram(
        numbers, [-1.0, 1.0]
    )


def test_rows_target_and_columns_of_two_runs(project: Path, make_model: Make, make_spec: MakeSpec) -> None:
    model = make_model()
    crown(make_spec(model), model, project)
    before = artifact_json(model, project, contract.SPLIT)["train"]
    data = project / "team/data.py"
    changed = data.read_text().replace("gamma(2.0, 3.0", "gamma(2.0, 9.0").replace("rows = 600", "rows = 500")
    data.write_text(changed.replace('choice(["A", "B", "C"]', 'choice(["A", "B", "D"]'))
    later = make_model(data={"train_days": 40})
    forget_modules()
    run_until("export", make_spec(later), later, project)
    now = artifact_json(later, project, contract.SPLIT)["train"]
    change = data_change(later, project)
    assert change is not None
    assert change["rows"] == [360, 240]
    assert change["target"] == {
        label: [before["target"][label], now["target"][label]] for label in ("False", "True")
    }
    columns = change["columns"]
    assert {name: it["change"] for name, it in columns.items()} == dict.fromkeys(columns)
    for name in ("distance", "line"):
        assert (columns[name]["psi"] or 0) > 0.25
    assert (columns["express"]["psi"] or 1) < 0.1
    assert columns["late"]["psi"] is None
    assert columns["stops"]["missing"][0] == pytest.approx(0.05, abs=0.03)


def test_columns_that_come_go_or_change_their_type_are_told(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model()
    crown(make_spec(model), model, project)
    code, data = project / "team/model.py", project / "team/data.py"
    code.write_text(code.read_text().replace('"stops", "express"', '"stops"'))
    changed = data.read_text().replace(
        '"express": random.random(rows) < 0.3,', '"wet": random.random(rows) < 0.2,'
    )
    data.write_text(changed.replace('"line": line,', '"line": (line == "A") + 0.5,'))
    forget_modules()
    run_until("export", make_spec(model), model, project)
    change = data_change(model, project)
    assert change is not None
    told = {name: it["change"] for name, it in change["columns"].items() if it["change"] is not None}
    assert told == {"express": "removed", "wet": "added", "line": "changed type"}
    assert change["columns"]["express"] == {"psi": None, "missing": [0.0, None], "change": "removed"}


def test_a_champion_without_its_files_has_no_data_to_compare(
    project: Path, make_model: Make, make_spec: MakeSpec
) -> None:
    model = make_model()
    crown(make_spec(model), model, project)
    (project / contract.champion_file(model.name, contract.SPLIT)).unlink()
    assert data_change(model, project) is None
    shutil.copy(
        project / contract.artifact_path(model.name, contract.SPLIT),
        project / contract.champion_file(model.name, contract.SPLIT),
    )
    assert data_change(model, project) is not None
    (project / contract.champion_file(model.name, contract.VALIDATION)).write_text("[]")
    assert data_change(model, project) is None
