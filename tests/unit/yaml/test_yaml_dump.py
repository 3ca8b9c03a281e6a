"""The dumper: what it writes, and that two independent readers give it back exactly."""

from __future__ import annotations

import io
import math
from typing import Any, TypeAlias

import pytest
import ruamel.yaml
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lockgate.yaml.dump import dump
from lockgate.yaml.nodes import plain_value
from lockgate.yaml.parse import parse

Data: TypeAlias = Any
"""Plain data of any shape."""

# Words and shapes that readers disagree about, so that the search meets them often.
TRAPS = [
    "", " ", "~", "null", "yes", "No", "on", "OFF", "y", "n", "true", "=", "<<", "1", "-1", "+1",
    "0777", "0o14", "0x1F",
    "0b1", "1_000", "1e3", "1.5", ".5", "1.", "12e4567", "1e05", ".inf", "-.INF", ".nan", "12:30",
    "190:20:30.15",
    "2013-07-01", "2013-7-1 12:00:00Z", "2001-12-14t21:59:43.10-05:00", "- a", "-", "--", "---", "...", "._", "-_.",
    "--- a", "? a",
    "?", ":", ": a", "a: b", "a:", "a #b", "#b", "[a]", "{a}", "a, b", "&a", "*a", "!a", "|", ">", "%a",
    "@a", "`a`",
    "'a'", '"a"', "a\\b", " a", "a ", "a\tb", "\ta", "a\nb", "a\n", "a\n\n", "\na", "\n", "\n\n",
    "  a\nb\n", "a\n  b",
    "a\n \n", "a \nb", "a\n\tb", "\ta\nb", "a\r\nb", "a\rb", "\x00", "\x07", "\x1b[31m", "\x7f", "\x85",
    "a\x85b", "\xa0",
    "\u2028", "a\u2029b", "\u202e", "\ufeff", "a\ufeffb", "\ufffe", "\uffff", "🚀", "café", "漢字",
    "\U0010ffff", "+", ".",
    "a" * 2000, ("word " * 300).strip(), "${{ x }}", "# a\nb", "a\n# b\n", "a\n---\nb", "- a\n- b\n",
    "e1", "_1", "1_", "-e",
]  # fmt: skip

texts = st.one_of(
    st.sampled_from(TRAPS),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.text("ab01 \n\t:#-'\"\\.eExX_+|>", max_size=12),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**18) + 1, 10**18 - 1), st.floats(allow_nan=False), texts
)
documents = st.recursive(
    st.one_of(st.dictionaries(texts, scalars, max_size=5), st.lists(scalars, max_size=5)),
    lambda inner: st.one_of(
        st.dictionaries(texts, st.one_of(inner, scalars), max_size=4),
        st.lists(st.one_of(inner, scalars), max_size=4),
    ),
    max_leaves=10,
)


@given(documents)
def test_a_reader_of_yaml_1_1_gives_the_data_back(document: Data) -> None:
    assert exact(yaml.safe_load(dump(document))) == exact(document)


@given(documents)
def test_a_reader_of_yaml_1_2_gives_the_data_back(document: Data) -> None:
    assert exact(read_1_2(dump(document))) == exact(document)


@given(documents)
def test_our_own_reader_gives_the_data_back(document: Data) -> None:
    assert exact(plain_value(parse(dump(document)))) == exact(document)


@pytest.mark.parametrize("trap", TRAPS)
def test_every_trap_is_read_back_at_every_place(trap: str) -> None:
    document = {
        trap: trap,
        "list": [trap, [trap], {trap: trap, "z": trap}],
        "deep": {trap: {trap: [trap]}},
        "end": 1,
    }

    text = dump(document)

    assert yaml.safe_load(text) == document
    assert read_1_2(text) == document
    assert plain_value(parse(text)) == document


def test_blocks_are_indented_by_two_and_keys_keep_their_order() -> None:
    document = {
        "zeta": {"on": ["push", {"branches": ["main"], "paths": []}], "env": {}},
        "alpha": [[1, 2], [], {"a": {"b": None}}],
        "script": "set -e\n\nmake  all\n",
        "numbers": [1, 1.5, 1e-05, 1e16, True, math.inf],
    }

    assert (
        dump(document)
        == """\
zeta:
  "on":
    - push
    - branches:
        - main
      paths: []
  env: {}
alpha:
  - - 1
    - 2
  - []
  - a:
      b: null
script: |
  set -e

  make  all
numbers:
  - 1
  - 1.5
  - 1.0e-05
  - 1.0e+16
  - true
  - .inf
"""
    )


def test_text_that_every_reader_takes_for_text_stays_without_quotes() -> None:
    plain = [
        "1.2.0", "500m", "1Gi", "180d", "./run.sh", ".dvc/remote", "--flag", "-c",
        "models.flight.data:load", "a, b",
        "${{ inputs.x }}", "ghcr.io/acme/flight:1.2.0", "3.12-slim", "v1", "it's", 'say "so"', "café 🚀",
        "a[0]",
    ]  # fmt: skip

    assert dump(plain) == "".join(f"- {text}\n" for text in plain)


def test_quotes_are_double_unless_that_would_need_escapes() -> None:
    assert (
        dump(["yes", '"a"', "\\: ", "a\tb", "\u202e"])
        == '- "yes"\n- \'"a"\'\n- \'\\: \'\n- "a\\tb"\n- "\\u202E"\n'
    )


def test_block_scalars_keep_their_last_line_breaks() -> None:
    assert dump({"a": "x\ny", "b": "x\n", "c": "x\n\n\n", "d": " x\ny"}) == (
        "a: |-\n  x\n  y\nb: |\n  x\nc: |+\n  x\n\n\nd: |2-\n   x\n  y\n"
    )


def test_long_text_is_not_folded() -> None:
    text = ("word " * 400).strip()

    assert dump([text, f"{text}: x"]) == f'- {text}\n- "{text}: x"\n'


@pytest.mark.parametrize("empty", [{}, []])
def test_an_empty_document_is_an_empty_collection(empty: Data) -> None:
    assert dump(empty) == f"{empty}\n"


@pytest.mark.parametrize(
    ("document", "found"),
    [({"a": {1}}, "set"), ({1: "a"}, "int"), ({"a": (1,)}, "tuple"), ([b"a"], "bytes"), ("a", "str")],
)
def test_anything_but_plain_data_is_a_type_error(document: Data, found: str) -> None:
    with pytest.raises(TypeError, match=found):
        dump(document)


def read_1_2(text: str) -> Data:
    return ruamel.yaml.YAML(typ="safe", pure=True).load(io.StringIO(text))


def exact(value: Data) -> str:
    """Tells 1 from 1.0 and True, and -0.0 from 0.0."""
    return repr(value)
