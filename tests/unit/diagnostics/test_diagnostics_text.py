"""What people see of a diagnostic: the exact printed text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.diagnostics.model import Diagnostic, Position
from lockgate.diagnostics.text import MAX_SNIPPET_WIDTH, render_text, summary


def test_a_diagnostic_shows_its_place_its_line_and_its_help() -> None:
    source = "\n" * 13 + "  - metric: auc\n"
    found = Diagnostic(
        rule="gate-metric",
        message="gate reads metric 'auc', which evaluate does not report",
        file="mlops.yaml",
        position=_position(14, 13, 16),
        help="did you mean 'roc_auc'?",
    )

    assert (
        render_text([found], {"mlops.yaml": source}, colour=False)
        == """\
mlops.yaml:14:13: error: gate reads metric 'auc', which evaluate does not report [gate-metric]
   |
14 |   - metric: auc
   |             ^^^
   = help: did you mean 'roc_auc'?

1 error
"""
    )


def test_without_a_position_or_a_source_only_the_message_is_shown() -> None:
    whole = Diagnostic(rule="size", message="too large", file="a.yaml", help="split it", severity="warning")
    unknown = Diagnostic(rule="key", message="no such key", file="b.yaml", position=_position(3, 1, 2))
    beyond = Diagnostic(rule="end", message="ends early", file="a.yaml", position=_position(9, 1, 2))

    assert (
        render_text([whole, unknown, beyond], {"a.yaml": "x\n"}, colour=False)
        == """\
a.yaml: warning: too large [size]
   = help: split it

b.yaml:3:1: error: no such key [key]

a.yaml:9:1: error: ends early [end]

2 errors, 1 warning
"""
    )


@pytest.mark.parametrize(
    ("line", "columns", "shown", "carets"),
    [
        ("a: b", (4, 5), "a: b", "   ^"),
        ("a: b", (4, 4), "a: b", "   ^"),
        ("a: b", (5, 5), "a: b", "    ^"),
        ("a: b", (4, 99), "a: b", "   ^"),
        ("\ta:\tb", (5, 6), " a: b", "    ^"),
        ("漢字: x", (5, 6), "漢字: x", "      ^"),
        ("a: 漢字", (4, 6), "a: 漢字", "   ^^^^"),
        ("e\u0301: x", (5, 6), "e\u0301: x", "   ^"),
        ("a\x1b[31m: x", (9, 10), "a\\x1b[31m: x", "           ^"),
        ("a: \u202ex", (4, 5), "a: \\u202ex", "   ^^^^^^"),
        ("", (1, 1), "", "^"),
    ],
)  # fmt: skip
def test_carets_stand_under_what_is_meant(
    line: str, columns: tuple[int, int], shown: str, carets: str
) -> None:
    found = Diagnostic(rule="r", message="m", file="f", position=_position(1, *columns))

    printed = render_text([found], {"f": f"{line}\r\nnext"}, colour=False)

    assert (
        printed
        == f"f:1:{columns[0]}: error: m [r]\n  |\n1 | {shown}".rstrip() + f"\n  | {carets}\n\n1 error\n"
    )


def test_a_stretch_of_many_lines_is_marked_to_the_end_of_its_first() -> None:
    position = Position(line=1, column=4, end_line=3, end_column=2)
    found = Diagnostic(rule="r", message="m", file="f", position=position)

    assert render_text([found], {"f": "a: {b,\n c\n}"}, colour=False).split("\n")[2:4] == [
        "1 | a: {b,",
        "  |    ^^^",
    ]


@pytest.mark.parametrize(("start", "end"), [(1, 4), (5000, 5003), (9998, 10001), (1, 10001), (3000, 8000)])
@pytest.mark.parametrize("character", ["x", "漢", "\x01"])
def test_a_long_line_is_cut_around_the_carets(start: int, end: int, character: str) -> None:
    found = Diagnostic(rule="r", message="m", file="f", position=_position(1, start, end))

    line, carets = render_text([found], {"f": character * 10_000}, colour=False).split("\n")[2:4]

    assert _width(line) <= MAX_SNIPPET_WIDTH + len("1 | ")
    assert _width(carets) <= _width(line)
    assert "…" in line
    assert "^" in carets


def test_what_files_say_cannot_steer_the_terminal() -> None:
    hostile = "\x1b]0;x\x07\n\r\u202e\u2066\u200b\x9b"
    found = Diagnostic(rule=hostile, message=hostile, file=hostile, help=hostile, position=_position(1, 1, 9))

    printed = render_text([found], {hostile: hostile}, colour=False)

    shown = "\\x1b]0;x\\x07\\n\\r\\u202e\\u2066\\u200b\\x9b"
    assert printed.split("\n") == [
        f"{shown}:1:1: error: {shown} [{shown}]",
        "  |",
        "1 | \\x1b]0;x\\x07",
        "  | ^^^^^^^^^^^^",
        f"  = help: {shown}",
        "",
        "1 error",
        "",
    ]


def test_colours_change_nothing_but_colours() -> None:
    found = Diagnostic(
        rule="r", message="m", file="f", help="h", position=_position(1, 1, 2), severity="warning"
    )

    assert render_text([found], {"f": "ab"}, colour=True) == (
        "\x1b[1mf:1:1:\x1b[0m \x1b[1;33mwarning:\x1b[0m m [r]\n"
        "  \x1b[34m|\x1b[0m\n"
        "\x1b[34m1\x1b[0m \x1b[34m|\x1b[0m ab\n"
        "  \x1b[34m|\x1b[0m \x1b[1;33m^\x1b[0m\n"
        "  \x1b[1;36m= help:\x1b[0m h\n\n1 warning\n"
    )


def test_the_summary_counts_in_words() -> None:
    error = Diagnostic(rule="r", message="m", file="f")
    warning = Diagnostic(rule="r", message="m", file="f", severity="warning")

    assert [summary(it) for it in ([], [error], [warning] * 2, [error, warning, error])] == [
        "no errors", "1 error", "2 warnings", "2 errors, 1 warning",
    ]  # fmt: skip


@given(st.text(), st.integers(1, 9), st.integers(1, 99), st.integers(0, 9), st.integers(1, 99))
def test_any_place_in_any_text_is_shown_on_safe_lines(
    source: str, line: int, column: int, more: int, end: int
) -> None:
    position = Position(line=line, column=column, end_line=line + more, end_column=end)
    found = Diagnostic(rule="r", message="m", file="f", position=position)

    printed = render_text([found], {"f": source}, colour=False)

    assert printed.endswith("\n\n1 error\n")
    assert printed.count("\n") in {3, 6}
    assert not {it for it in printed if unicodedata.category(it) == "Cc"} - {"\n"}


def _position(line: int, column: int, end_column: int) -> Position:
    return Position(line=line, column=column, end_line=line, end_column=end_column)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(it) in "WF" else 1 for it in text)
