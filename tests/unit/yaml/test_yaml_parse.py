"""The reader: values by YAML 1.2, exact places, and one clear refusal for everything else."""

from __future__ import annotations

import importlib
import io
import json
import math
import time
from typing import Any, TypeAlias

import pytest
import ruamel.yaml
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockgate.yaml.nodes import (
    Entry,
    Mapping,
    Mark,
    Node,
    Scalar,
    Sequence,
    Span,
    YamlError,
    node_at,
    plain_value,
)
from lockgate.yaml.parse import MAX_BYTES, parse, read_text

Data: TypeAlias = Any
"""Plain data of any shape."""

READERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]


@pytest.fixture(params=READERS, ids=lambda it: str(it.__name__))
def each_reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML comes with or without libyaml; both must do."""
    monkeypatch.setattr(importlib.import_module("lockgate.yaml.parse"), "READER", request.param)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("Null", None),
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("1", 1),
        ("-12", -12),
        ("+3", 3),
        ("0", 0),
        ("0o14", 12),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1.5E-3", 0.0015),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("999999999999999999", 10**18 - 1),
        ("-999999999999999999", 1 - 10**18),
    ],
)
def test_plain_scalars_are_read_by_the_core_schema(text: str, value: object) -> None:
    read = plain_value(parse(f"key: {text}"))["key"]

    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "no",
        "on",
        "off",
        "y",
        "tRUE",
        "nULL",
        "12:30",
        "1_000",
        "0b1",
        "1.2.0",
        "0o8",
        "0xG",
        "+0x1",
        "-0o7",
        "1e",
        ".",
        "+",
        ".e1",
        "180d",
        "<<",
        "=",
        "1.2e3.4",
        "é🚀",
    ],
)
def test_all_other_plain_scalars_are_text(text: str) -> None:
    assert plain_value(parse(f"key: {text}")) == {"key": text}


def test_not_a_number_is_read() -> None:
    assert math.isnan(plain_value(parse("- .nan"))[0])


def test_quoted_and_block_scalars_are_always_text() -> None:
    assert plain_value(parse("- '1'\n- \"null\"\n- |\n  1\n- >-\n  true\n")) == ["1", "null", "1\n", "true"]


def test_keys_are_text_whatever_they_look_like() -> None:
    assert plain_value(parse("on: 1\n1: 2\n1.0: 3\nnull: 4\n'': 5\n0777: 6\n")) == {
        "on": 1, "1": 2, "1.0": 3, "null": 4, "": 5, "0777": 6,
    }  # fmt: skip


def test_nodes_hold_their_text_and_their_places() -> None:
    assert parse("a: 'x'\nb: [1, {c: }]\n") == Mapping(
        entries=(
            Entry(
                _scalar("a", "a", (0, 0, 0), (0, 1, 1)), _scalar("x", "x", (0, 3, 3), (0, 6, 6), plain=False)
            ),
            Entry(
                _scalar("b", "b", (1, 0, 7), (1, 1, 8)),
                Sequence(
                    items=(
                        _scalar(1, "1", (1, 4, 11), (1, 5, 12)),
                        Mapping(
                            entries=(
                                Entry(
                                    _scalar("c", "c", (1, 8, 15), (1, 9, 16)),
                                    _scalar(None, "", (1, 11, 18), (1, 11, 18)),
                                ),
                            ),
                            span=_span((1, 7, 14), (1, 12, 19)),
                        ),
                    ),
                    span=_span((1, 3, 10), (1, 13, 20)),
                ),
            ),
        ),
        span=_span((0, 0, 0), (1, 13, 20)),
    )


@pytest.mark.usefixtures("each_reader")
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "# é🚀\n"])
def test_spans_cut_the_scalars_out_of_any_text(line_end: str, start: str) -> None:
    text = start + line_end.join(
        ["a: 🚀 # 🚀", "é: {b: 'x🚀', c: \"y\"}", "", "d:", "  - z", "  - |", "    k", "", "", "e: f"]
    )

    root = parse(text)

    places: list[tuple[tuple[str | int, ...], str]] = [
        (("a",), "🚀"),
        (("é", "b"), "'x🚀'"),
        (("é", "c"), '"y"'),
        (("d", 0), "z"),
        (("d", 1), f"|{line_end}    k"),
        (("e",), "f"),
        (("é",), "{b: 'x🚀', c: \"y\"}"),
        (("d",), f"- z{line_end}  - |{line_end}    k"),
    ]
    assert [(place, _cut(text, root, place)) for place, _ in places] == places


@pytest.mark.usefixtures("each_reader")
def test_the_end_of_a_block_is_the_end_of_its_last_value() -> None:
    root = parse("a:\n  b: |\n    x\n\n# about c\n\nc: 1\n")

    block = node_at(root, ("a",))
    assert block is not None
    assert block.span == _span((1, 2, 5), (2, 5, 15))


@pytest.mark.usefixtures("each_reader")
@pytest.mark.parametrize(
    ("text", "rule", "message", "place"),
    [
        ("a:\n\tb: 1\n", "yaml-syntax", "found a tab in the indentation", (1, 0)),
        ("a:\n  b: 1\n\tc: 2\n", "yaml-syntax", "found a tab in the indentation", (2, 0)),
        ("a:\n  \tb: 1\n", "yaml-syntax", "found a tab in the indentation", (1, 2)),
        ("a: b: c\n", "yaml-syntax", "found a ':' where no mapping may start", (0, 4)),
        ("a: 1\n b: 2\n", "yaml-syntax", "found a ':' where no mapping may start", (1, 2)),
        ("a: 'x\nb: 1\n", "yaml-syntax", "found an opening ' that is never closed", (0, 3)),
        ("a: [1, 2\n", "yaml-syntax", "found an opening [ that is never closed", (0, 3)),
        ("a: {b: 1\nc: 2\n", "yaml-syntax", "found ':' before the '{' of line 1 is closed", (1, 1)),
        ("a: @b\n", "yaml-syntax", "found '@', which cannot start a value", (0, 3)),
        ("a: \"\\q\"\n", "yaml-syntax", "found a backslash sequence that YAML does not know", (0, 4)),
        ("a: 1\nb\nc: 2\n", "yaml-syntax",
         "found a line that is neither 'key: value' nor part of the value above",
         (1, 0)),
        ("a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> x\n", "yaml-syntax",
         "found the marker of a merge conflict", (1, 0)),
        ("a: - b\n", "yaml-syntax", "found a '-' where no list may start", (0, 3)),
        ("- a\nb: 1\n", "yaml-syntax", "found text that continues nothing above it", (1, 0)),
        ("[a]]\n", "yaml-syntax", "found text after the end of the document", (0, 3)),
        ("a: 1\nb: 2\na: 3\n", "yaml-duplicate-key", "found the key 'a' twice, first in line 1", (2, 0)),
        ("{a: 1, 'a': 2}\n", "yaml-duplicate-key", "found the key 'a' twice, first in line 1", (0, 7)),
        ("a: &x 1\n", "yaml-alias", "found the anchor '&x'", (0, 3)),
        ("a: &x {b: 1}\n", "yaml-alias", "found the anchor '&x'", (0, 3)),
        ("a: *x\n", "yaml-alias", "found the alias '*x'", (0, 3)),
        ("*x : 1\n", "yaml-alias", "found the alias '*x'", (0, 0)),
        ("a: *.csv\n", "yaml-alias", "found '*', with which an alias or an anchor starts", (0, 4)),
        ("a: !!python/object:os.system x\n", "yaml-tag",
         "found the tag 'tag:yaml.org,2002:python/object…s.system'",
         (0, 3)),
        ("a: !env X\n", "yaml-tag", "found the tag '!env'", (0, 3)),
        ("a: ! X\n", "yaml-tag", "found the tag '!'", (0, 3)),
        ("a: !x!y X\n", "yaml-tag", "found a tag, which Lockgate refuses", (0, 3)),
        ("[a, !!seq []]\n", "yaml-tag", "found the tag 'tag:yaml.org,2002:seq'", (0, 4)),
        ("[" * 900, "yaml-depth", "found more than 50 levels of nesting", (0, 50)),
        ("- " * 51, "yaml-depth", "found more than 50 levels of nesting", (0, 100)),
        ("[a]: 1\n", "yaml-key", "found a mapping or a list as a key", (0, 0)),
        ("? {a: 1}\n: 1\n", "yaml-key", "found a mapping or a list as a key", (0, 2)),
        ("?\n: 1\n", "yaml-key", "found a mapping entry without a key", (0, 1)),
        ("[a, }]\n", "yaml-syntax", "found '}' where a value is expected", (0, 4)),
        ("a: 1\n---\nb: 2\n", "yaml-documents", "found a second document", (1, 0)),
        ("", "yaml-documents", "found an empty document", (0, 0)),
        ("# nothing\n", "yaml-documents", "found an empty document", (0, 0)),
        ("---\n", "yaml-documents", "found an empty document", (0, 0)),
        ("a: 2013-07-01\n", "yaml-ambiguous",
         "found the bare date '2013-07-01', which DVC and others do not take for text",
         (0, 3)),
        ("a: 0777\n", "yaml-ambiguous",
         "found '0777', which some YAML readers take for octal and others for decimal",
         (0, 3)),
        ("a: 1e999\n", "yaml-number", "found '1e999', a number too large for a 64-bit float", (0, 3)),
        ("a: 12e4567\n", "yaml-number", "found '12e4567', a number too large for a 64-bit float", (0, 3)),
        ("a: 1000000000000000000\n", "yaml-number",
         "found the number '1000000000000000000', which has more than 18 digits",
         (0, 3)),
        ("a: 0xfffffffffffffffff\n", "yaml-number",
         "found the number '0xfffffffffffffffff', which has more than 18 digits",
         (0, 3)),
        ("a: x\x1by\n", "yaml-control", "found the control character U+001B", (0, 4)),
        ("a: 'x\u2028y'\n", "yaml-control", "found the control character U+2028", (0, 5)),
        ("a: \ud800\n", "yaml-control", "found the control character U+D800", (0, 3)),
    ],
)  # fmt: skip
def test_what_a_spec_has_no_use_for_is_refused(
    text: str, rule: str, message: str, place: tuple[int, int]
) -> None:
    error = _error(text)

    assert (error.rule, error.message, (error.span.start.line, error.span.start.column)) == (
        rule,
        message,
        place,
    )
    assert error.help
    assert error.span.start.offset <= error.span.end.offset <= len(text)


def test_nesting_that_the_reader_itself_gives_up_on_is_too_deep() -> None:
    assert _error("[" * 3000).rule == "yaml-depth"


def test_a_long_number_is_refused_quickly_and_shown_clipped() -> None:
    message = _error("a: " + "9" * 1_000_000).message

    assert message == f"found the number '{'9' * 31}…{'9' * 8}', which has more than 18 digits"


def test_fifty_levels_are_read() -> None:
    node = parse("- " * 50 + "x")

    assert node_at(node, (0,) * 50) == _scalar("x", "x", (0, 100, 100), (0, 101, 101))


def test_a_byte_order_mark_of_utf_8_is_left_out() -> None:
    assert read_text(b"\xef\xbb\xbfa: \xc3\xa9\r\n") == "a: é\r\n"


@pytest.mark.parametrize(
    ("data", "rule", "message", "place"),
    [
        (b"a: 1\n\xc3\xa9: \xff\n", "yaml-encoding", "found the byte 0xff, which is not UTF-8", (1, 3)),
        (b"a: \xc3", "yaml-encoding", "found the byte 0xc3, which is not UTF-8", (0, 3)),
        (b"a: \xed\xa0\x80", "yaml-encoding", "found the byte 0xed, which is not UTF-8", (0, 3)),
        ("a: 1".encode("utf-16"), "yaml-encoding", "found a byte order mark of UTF-16 or UTF-32", (0, 0)),
        ("a: 1".encode("utf-32"), "yaml-encoding", "found a byte order mark of UTF-16 or UTF-32", (0, 0)),
        (b"a: 1\nb: \x00", "yaml-control", "found the control character U+0000", (1, 3)),
        (b"\xff" * (MAX_BYTES + 1), "yaml-size",
         "found more than 8 MB, which is more than Lockgate reads", (0, 0)),
    ],
)  # fmt: skip
def test_bytes_that_are_no_clean_text_are_refused(
    data: bytes, rule: str, message: str, place: tuple[int, int]
) -> None:
    with pytest.raises(YamlError) as caught:
        read_text(data)

    start = caught.value.span.start
    assert (caught.value.rule, caught.value.message, (start.line, start.column)) == (rule, message, place)


@pytest.mark.usefixtures("each_reader")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.one_of(
        st.text(),
        st.text(" \n\t-:?,[]{}#&*!|>'\"%@`\\abux019.~<=\r\ufeff\x85"),
        st.lists(
            st.sampled_from(
                [
                    "a: ",
                    "- ",
                    "? ",
                    "\n",
                    "\n  ",
                    "{",
                    "}",
                    "[",
                    "]",
                    '"',
                    "'",
                    "|\n",
                    ">+\n",
                    "&a ",
                    "*a ",
                    "!!x ",
                    "---\n",
                    "%YAML 1.1\n",
                    "%YAML 1." + "9" * 5000 + "\n",
                    '"\\UFFFFFFFF"',
                    '"\\ud800"',
                    "#",
                    ",",
                    "1e999",
                    "\r\n",
                    "...",
                ]
            )
        ).map("".join),
    )
)
def test_any_text_is_read_or_refused(text: str) -> None:
    span = _read(text).span

    assert 0 <= span.start.offset <= span.end.offset <= len(text)


@given(st.binary())
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    rule = ""
    try:
        text = read_text(data)
    except YamlError as error:
        rule, text = error.rule, ""

    assert rule in {"yaml-encoding", "yaml-control"} or data.removeprefix(b"\xef\xbb\xbf") == text.encode()


documents = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**17), 10**17),
        st.text(
            st.characters(
                codec="utf-8",
                exclude_characters="\ufeff\x85\u2028\u2029\ufffe\uffff",
                exclude_categories=["Cc"],
            )
        ),
        st.sampled_from(
            ["yes", "on", "12:30", "2013-07-01", "0o14", "null", "~", "1e3", "a\nb\n", "a\n\n", " x\ny"]
        ),
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text("abc ü:#-\n", min_size=1), inner)),
).filter(lambda it: it is not None)


@settings(max_examples=60)
@given(documents)
def test_what_another_writer_of_yaml_1_2_writes_is_read_as_it_reads_it(document: Data) -> None:
    other = ruamel.yaml.YAML(typ="safe", pure=True)
    other.default_flow_style = False
    stream = io.StringIO()
    other.dump(document, stream)

    assert plain_value(parse(stream.getvalue())) == other.load(stream.getvalue())


@given(documents, st.sampled_from([None, 2]))
def test_json_is_read_as_json(document: Data, indent: int | None) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=indent)

    assert plain_value(parse(text)) == document


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1_000_000,
        "{a: " * 300_000,
        "- " * 500_000,
        "a" * 3_000_000,
        "'" + "x\n\n" * 500_000,
        "? " * 500_000,
        "a: |\n" + "  \n" * 300_000,
        "#\n" * 500_000 + "a: 1",
        "\n".join(f"k{n}: v" for n in range(40_000)),
    ],
    ids=range(9),
)
def test_long_input_takes_time_by_its_length(text: str) -> None:
    start = time.process_time()

    _read(text)

    assert time.process_time() - start < 5


def _scalar(
    value: Data, text: str, start: tuple[int, int, int], end: tuple[int, int, int], *, plain: bool = True
) -> Scalar:
    return Scalar(value, text, plain, _span(start, end))


def _span(start: tuple[int, int, int], end: tuple[int, int, int]) -> Span:
    return Span(Mark(*start), Mark(*end))


def _cut(text: str, root: Node, place: tuple[str | int, ...]) -> str:
    node = node_at(root, place)
    assert node is not None
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    start = node.span.start
    assert lines[start.line][start.column] == text[start.offset]
    return text[start.offset : node.span.end.offset]


def _read(text: str) -> Node | YamlError:
    try:
        return parse(text)
    except YamlError as error:
        return error


def _error(text: str) -> YamlError:
    with pytest.raises(YamlError) as caught:
        parse(text)
    return caught.value
