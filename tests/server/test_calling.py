"""Every example of `docs/calling-the-model.md` is run as it stands, against the real server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, Block, blocks
from tests.server.model_folder import served, write_folder

from lockgate import spec
from lockgate.contract import Feature, Histogram, Reference, Signature

EXAMPLES = [block for block in blocks() if block.info.endswith(" call")]
PROGRAMS = {"bash": "curl", "python": sys.executable, "java": "java"}
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of a model with the columns of the repository's own."""
    signature = _signature()
    bins = {it["name"]: Histogram(edges=[], counts=[1, 0]) for it in signature["inputs"]}
    for it in signature["inputs"]:
        if it["type"] == "category":
            bins[it["name"]] = Histogram(values=[], counts=[1, 0])
    reference = Reference(rows=1, features=bins, predictions=Histogram(edges=[0.5], counts=[1, 0, 0]))
    model = write_folder(tmp_path_factory.mktemp("flights") / "model", signature, reference)
    with served(model) as url:
        yield url.removeprefix("http://").removesuffix("/")


def test_there_are_examples_in_three_languages() -> None:
    assert {block.language for block in EXAMPLES} == set(PROGRAMS)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda block: block.name)
def test_an_example_gets_a_prediction(example: Block, address: str, tmp_path: Path) -> None:
    program = PROGRAMS[example.language]
    if shutil.which(program) is None:
        pytest.skip(
            f"needs '{program}': install curl and openjdk-17-jdk-headless with your system's packages"
        )
    script = tmp_path / {"bash": "call.sh", "python": "call.py", "java": "Predict.java"}[example.language]
    assert "127.0.0.1:8080" in example.text
    script.write_text(example.text.replace("127.0.0.1:8080", address))
    starter = {"bash": ["bash", "-eu"], "python": [sys.executable], "java": ["java"]}[example.language]
    result = subprocess.run(
        [*starter, str(script)],
        cwd=tmp_path,
        env={**os.environ, "JAVA_TOOL_OPTIONS": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "True" in result.stdout


def _signature() -> Signature:
    """Of the repository's model, as the spec declares its columns."""
    model = spec.load(ROOT).models["flight-delay"]
    assert model.data.columns is not None
    inputs = []
    for name, column in model.data.columns.items():
        feature = Feature(name=name, type=column.type, nullable=column.nullable)
        if column.min is not None:
            feature["min"] = column.min
        if column.max is not None:
            feature["max"] = column.max
        inputs.append(feature)
    return Signature(
        model=model.name,
        kind="binary",
        target=model.data.target,
        inputs=inputs,
        classes=["False", "True"],
        positive="True",
        threshold=0.5,
    )
