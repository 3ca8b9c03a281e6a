"""The reader without positions: the same values and the same refusals as the one with them."""

from __future__ import annotations

import importlib
from typing import Any, TypeAlias

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lockgate.yaml.dump import dump
from lockgate.yaml.nodes import YamlError, plain_value
from lockgate.yaml.parse import MAX_DEPTH, parse
from lockgate.yaml.values import read_values

Data: TypeAlias = Any
READERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]
SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text()
DOCUMENTS = st.recursive(
    SCALARS, lambda below: st.lists(below, min_size=1) | st.dictionaries(st.text(), below, min_size=1)
)
PIECES = [
    *("a", "b", ": ", "- ", "\n", "  ", "'", '"', "[", "]", "{", "}", ", ", "?", "&x", "*x", "!t", "|", "#"),
    *("---\n", "...\n", "0", "01", "1e999", "2013-01-01", "\t", "\x85", "é", "~", "\ufeff", "%YAML 1.1\n"),
]


@pytest.fixture(autouse=True, params=READERS, ids=lambda it: str(it.__name__), scope="module")
def each_reader(request: pytest.FixtureRequest) -> Data:
    """PyYAML comes with or without libyaml; both must do."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("parse", "values"):
            patch.setattr(importlib.import_module(f"lockgate.yaml.{module}"), "READER", request.param)
        yield


def outcome(text: str, *, with_places: bool) -> Data:
    try:
        return repr(plain_value(parse(text)) if with_places else read_values(text))
    except YamlError as error:
        return error.rule, error.message, error.span, error.help


@given(st.lists(DOCUMENTS, min_size=1) | st.dictionaries(st.text(), DOCUMENTS, min_size=1))
def test_documents_are_read_as_the_reader_with_positions_reads_them(document: Data) -> None:
    text = dump(document)
    assert outcome(text, with_places=False) == outcome(text, with_places=True)


@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_text_is_read_or_refused_as_by_the_reader_with_positions(text: str) -> None:
    assert outcome(text, with_places=False) == outcome(text, with_places=True)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\nb: 2\na: 3\n",
        "{a: 1, a: 2}",
        "a: &x 1\nb: *x\n",
        "&x a: 1\n",
        "!t a: 1\n",
        "a: !t [1]\n",
        "a: &x {b: 1}\n",
        "? [a]\n: 1\n",
        "? {a: 1}\n: 1\n",
        ": 1\n",
        "'': 1\n",
        "a: 01\n",
        "a: 2013-01-01\n",
        "a: 1e999\n",
        "a: 1\n---\nb: 2\n",
        "--- \n",
        "",
        "word",
        "'word'",
        "\ufeffa: 1\n",
        "a: \x7f\n",
        "a: [1\n",
        "[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1),
        "[" * MAX_DEPTH + "]" * MAX_DEPTH,
    ],
)
def test_what_is_unusual_is_read_or_refused_as_by_the_reader_with_positions(text: str) -> None:
    assert outcome(text, with_places=False) == outcome(text, with_places=True)
