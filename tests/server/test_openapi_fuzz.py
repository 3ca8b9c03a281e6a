"""Schemathesis reads the document and tries the real server with what it allows, and with what it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from tests.server.hostile import BUS, BUS_REFERENCE
from tests.server.model_folder import served, write_folder

MOST_ROWS = 20
# What the document does not allow may be refused with any status of the client's fault.
CONFIG = '[checks]\nnegative_data_rejection = { expected-statuses = ["4xx"] }\n'
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    model = write_folder(tmp_path_factory.mktemp("bus") / "model", BUS, BUS_REFERENCE)
    with served(model, "--max-rows", str(MOST_ROWS), "--unknown-categories", "refuse") as url:
        yield url


def test_no_request_made_from_the_document_breaks_the_server_or_its_word(
    address: str, tmp_path: Path
) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    # That columns are of one length, and tensors as long as they say, is beyond what a schema can tell.
    command = ["--checks", "all", "--exclude-checks", "positive_data_acceptance", "--seed", "1"]
    result = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"),
            *(f"{address}openapi.json", "--phases", "examples,coverage,fuzzing", "--max-examples", "15"),
            *command,
        ],
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout[-8000:]


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(["", "A", "B", "Z", "1", "true", 0.0, 2.0, 100.0, 100.5, -1, 1e39, 2**70, 10**400]),
    st.integers(-5, 105),
    st.floats(-5, 105),
    st.text(max_size=3),
    st.just([]),
)
FITTING: dict[str, st.SearchStrategy[object]] = {
    "number": st.floats(0, 100) | st.integers(0, 100),
    "integer": st.integers(1, 2**40),
    "category": st.sampled_from(["A", "B", "C"]),
    "boolean": st.booleans(),
}
ROWS = st.fixed_dictionaries({it["name"]: FITTING[it["type"]] for it in BUS["inputs"]})
CHANGES = st.dictionaries(
    st.sampled_from([*(it["name"] for it in BUS["inputs"]), "other"]), VALUES, max_size=2
)


def test_a_row_is_predicted_exactly_where_the_document_allows_it(address: str) -> None:
    document = requests.get(f"{address}openapi.json", timeout=10).json()
    schema = {"$ref": "#/components/schemas/Rows", "components": document["components"]}
    allows = Draft202012Validator(schema).is_valid
    with requests.Session() as session:

        @given(ROWS, CHANGES, st.sets(st.sampled_from([it["name"] for it in BUS["inputs"]]), max_size=1))
        def send(row: dict[str, object], changes: dict[str, object], left_out: set[str]) -> None:
            changed = {name: value for name, value in {**row, **changes}.items() if name not in left_out}
            body = {"rows": [changed]}
            answer = session.post(f"{address}v1/predict", data=json.dumps(body), timeout=10)
            assert answer.status_code == (200 if allows(body) else 422), answer.text

        send()
