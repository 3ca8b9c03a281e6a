"""Diagnostics on the terminal, and as the formats that machines read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from lockgate.cli.terminal import Terminal
from lockgate.diagnostics import Diagnostic
from lockgate.diagnostics.text import render_text

MOST_OF_A_RULE = 20
"""So many findings about whole files are shown of one rule; a changed default may touch thousands."""


def show_diagnostics(
    terminal: Terminal, diagnostics: tuple[Diagnostic, ...], sources: Mapping[str, str]
) -> None:
    """The findings as text, among the complaints."""
    if diagnostics:
        text = render_text(tuple(_condensed(diagnostics)), sources, colour=terminal.err_colour)
        terminal.error(text.rstrip("\n"))


def _condensed(diagnostics: Iterable[Diagnostic]) -> Iterable[Diagnostic]:
    """Findings about whole files, of each rule the first few; the last of them says how many more there are."""
    seen: Counter[str] = Counter()
    left_out: dict[str, Diagnostic] = {}
    for diagnostic in diagnostics:
        seen[diagnostic.rule] += 1
        if diagnostic.position is not None or seen[diagnostic.rule] <= MOST_OF_A_RULE:
            yield diagnostic
        else:
            left_out[diagnostic.rule] = diagnostic
    for rule, last in left_out.items():
        more = seen[rule] - MOST_OF_A_RULE - 1
        yield last._replace(message=f"{last.message} (and {more:,} more files)") if more else last
