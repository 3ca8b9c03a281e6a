"""Ingest: functions, files and addresses → raw rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from lockgate.spec.model import Model, Spec
from lockgate_runtime.stages import ingest
from lockgate_runtime.stages.files import file_sha256
from lockgate_runtime.stages.user_code import StageError

Ingest = Callable[..., pd.DataFrame]


@pytest.fixture
def run(project: Path, make_model: Callable[..., Model], make_spec: Callable[[Model], Spec]) -> Ingest:
    """Run the stage with the data section so changed; the raw rows."""

    def run(**data: object) -> pd.DataFrame:
        model = make_model(data={"time": None, **data})
        ingest.run(make_spec(model), model, project)
        return pd.read_parquet(project / "artifacts" / "late-bus" / "raw.parquet")

    return run


@pytest.fixture
def source(project: Path) -> Callable[[str], str]:
    """Make `team/other.py` of the code; the reference of its function `load`."""

    def write(code: str) -> str:
        (project / "team" / "other.py").write_text(code)
        return "team.other:load"

    return write


WINDOW = """
import pandas as pd

def load({parameters}):
    return pd.DataFrame({{"late": [str({value})]}})
"""


@pytest.mark.parametrize(
    ("parameters", "value", "expected"),
    [
        ("as_of", "as_of", "2024-03-01"),
        ("start, end", "(start.isoformat(), end.isoformat())", "('2024-01-01', '2024-03-21')"),
        ("*, end=None", "end", "2024-03-21"),
        ("region='north'", "region", "north"),
        ("**window", "sorted(window)", "['as_of', 'end', 'start']"),
        ("", "None", "None"),
    ],
)
def test_function_is_called_with_the_arguments_it_takes(
    run: Ingest, source: Callable[[str], str], parameters: str, value: str, expected: str
) -> None:
    code = WINDOW.format(parameters=parameters, value=value)
    assert run(source=source(code))["late"].tolist() == [expected]


def test_window_is_none_where_the_spec_gives_none(run: Ingest, source: Callable[[str], str]) -> None:
    code = WINDOW.format(parameters="as_of, start, end", value="(as_of, start, end)")
    rows = run(source=source(code), as_of=None, train_days=None, holdout_days=None, holdout_share=0.2)
    assert rows["late"].tolist() == ["(None, None, None)"]


def test_artifacts_say_what_was_read_and_are_equal_for_equal_rows(run: Ingest, project: Path) -> None:
    folder = project / "artifacts" / "late-bus"
    run()
    first = (folder / "raw.parquet").read_bytes()
    run()
    assert (folder / "raw.parquet").read_bytes() == first
    assert json.loads((folder / "ingest.json").read_text()) == {
        "source": "team.data:load",
        "rows": 600,
        "columns": ["departure", "distance", "stops", "line", "express", "late", "minutes"],
        "sha256": file_sha256(folder / "raw.parquet"),
    }
    assert sorted(path.name for path in folder.iterdir()) == ["ingest.json", "raw.parquet"]


@pytest.mark.parametrize("name", ["rows.csv", "rows.csv.gz", "rows.parquet"])
def test_file_is_read_by_its_name(run: Ingest, project: Path, name: str) -> None:
    rows = pd.DataFrame({"distance": [1.5, 2.0], "late": [True, False]})
    (rows.to_parquet if name.endswith("parquet") else rows.to_csv)(project / name, index=False)
    assert run(source=name).to_dict("list") == {"distance": [1.5, 2.0], "late": [True, False]}


@pytest.mark.parametrize(
    ("code", "message", "help_"),
    [
        (
            "def load():\n    return [1]\n",
            "'team.other:load' returned a value of type 'list', expected a pandas DataFrame",
            "return the rows as a DataFrame",
        ),
        (
            "import pandas as pd\ndef load():\n    return pd.DataFrame({'late': []})\n",
            "'team.other:load' gives no rows for as_of 2024-03-01, start 2024-01-01, end 2024-03-21",
            "correct the dates or the source",
        ),
        (
            "import pandas as pd\ndef load():\n    return pd.DataFrame([[1, 2, 3]], columns=['late', 'a', 'a'])\n",
            "'team.other:load' gives more than one column called 'a'",
            "rename or drop one",
        ),
        (
            "import pandas as pd\ndef load():\n    return pd.DataFrame({'lat': [1], 'x': [2]})\n",
            "'data.target' is 'late', which 'team.other:load' does not give",
            "did you mean 'lat'?",
        ),
        (
            "def load(region):\n    return None\n",
            "'team.other:load' takes (region), but is called with as_of, start, end alone, each a date or None",
            "give 'region' a default, or take it out",
        ),
        (
            "def load():\n    return read()\n\ndef read():\n    raise KeyError('flights')\n",
            (
                "'team.other:load' raised KeyError: 'flights'\n"
                "  team/other.py:2: return read()\n"
                "  team/other.py:5: raise KeyError('flights')"
            ),
            "fix the code above, then run the stage again",
        ),
        (
            "import pandas as pd\ndef load():\n    return pd.DataFrame({'late': [1, 'a', None]})\n",
            "the rows cannot be written as Parquet: ",
            "give each column values of one type",
        ),
        (
            "def load():\n    exit(3)\n",
            "'team.other:load' raised SystemExit: 3\n  team/other.py:2: exit(3)",
            "fix the code above, then run the stage again",
        ),
    ],
)
def test_function_that_gives_no_rows_is_told_why(
    run: Ingest, source: Callable[[str], str], code: str, message: str, help_: str
) -> None:
    with pytest.raises(StageError) as raised:
        run(source=source(code))
    assert raised.value.message.startswith(message)
    assert raised.value.help == help_


@pytest.mark.parametrize(
    ("reference", "message", "help_"),
    [
        (
            "team.date:load",
            "'team.date:load': there is no module 'team.date' in the project",
            "make 'team/date.py', or correct the reference in 'mlops.yaml'",
        ),
        (
            "team.data:laod",
            "'team.data:laod': module 'team.data' has no function 'laod'",
            "did you mean 'load'?",
        ),
        (
            "team.other:load",
            (
                "'team.other:load' cannot be imported: ModuleNotFoundError: No module named 'no_such_library'\n"
                "  team/other.py:2: import no_such_library"
            ),
            "add what brings 'no_such_library' to the requirements file and install it, or correct the import",
        ),
    ],
)
def test_reference_to_nothing_is_told_why(
    run: Ingest, source: Callable[[str], str], reference: str, message: str, help_: str
) -> None:
    source("\nimport no_such_library\n")
    with pytest.raises(StageError) as raised:
        run(source=reference)
    assert (raised.value.message, raised.value.help) == (message, help_)


def test_syntax_error_is_shown_at_its_line(run: Ingest, source: Callable[[str], str]) -> None:
    with pytest.raises(StageError) as raised:
        run(source=source("x = 1\ndef load(:\n"))
    assert raised.value.message.splitlines()[1:] == ["  team/other.py:2: def load(:"]


def test_value_is_no_function(run: Ingest, source: Callable[[str], str]) -> None:
    with pytest.raises(StageError) as raised:
        run(source=source("load = 3\n"))
    assert raised.value.message == "'team.other:load' is of type 'int', expected a function"


def test_function_that_hides_what_it_takes_is_refused(run: Ingest) -> None:
    with pytest.raises(StageError, match="'builtins:dict' is of type 'type', expected a function"):
        run(source="builtins:dict")


def test_missing_file_is_told(run: Ingest) -> None:
    with pytest.raises(StageError) as raised:
        run(source="rows.csv")
    assert raised.value.message == "'data.source' is 'rows.csv', and there is no such file"


def test_broken_file_is_told(run: Ingest, project: Path) -> None:
    (project / "rows.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(StageError) as raised:
        run(source="rows.parquet")
    assert raised.value.message.startswith("'rows.parquet' cannot be read: ArrowInvalid: ")


@pytest.mark.skipif(
    find_spec("gcsfs") is not None, reason="gcsfs is installed: 'pip uninstall gcsfs' to see it asked for"
)
def test_address_needs_its_package(run: Ingest) -> None:
    with pytest.raises(StageError) as raised:
        run(source="gs://bucket/rows.parquet")
    message = "reading 'gs://bucket/rows.parquet' needs the package 'gcsfs', which is not installed"
    assert raised.value.message == message


def test_address_without_format_is_refused(run: Ingest) -> None:
    with pytest.raises(StageError) as raised:
        run(source="https://example.com/rows")
    assert (
        raised.value.message
        == "'data.source' is 'https://example.com/rows', whose format its name does not tell"
    )
