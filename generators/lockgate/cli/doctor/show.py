"""Items → text for a terminal, a checklist in Markdown, or JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby

from lockgate.cli.doctor.item import Item, State
from lockgate.cli.terminal import Terminal, plural, printable
from lockgate.spec.markdown import escape_markdown

_TITLES = {"files": "Files", "git": "Git", "tools": "Tools", "data": "Data", "registry": "Registry"} | {
    "github": "GitHub"
}
_WIDTH = max(map(len, ("ok", "warning", "failed", "by hand")))


def show(terminal: Terminal, form: str, items: Sequence[Item]) -> None:
    """All items in their order; those of an area stand together."""
    if form == "json":
        counts = Counter(it.state for it in items)
        document = {"items": [it._asdict() for it in items], "counts": counts}
        terminal.say(json.dumps(document, indent=2))
        return
    lines = _markdown(items) if form == "md" else _text(terminal, items)
    for line in lines:
        terminal.say(line)


def _text(terminal: Terminal, items: Sequence[Item]) -> Iterable[str]:
    paint: Mapping[State, Callable[[str], str]] = {
        "ok": terminal.green,
        "warning": terminal.yellow,
        "failed": terminal.red,
        "by hand": terminal.yellow,
    }
    indent = " " * (_WIDTH + 4)
    for area, group in groupby(items, key=lambda it: it.area):
        yield _TITLES[area]
        for it in group:
            yield f"  {paint[it.state](f'{it.state:<{_WIDTH}}')}  {printable(it.what)}"
            if it.where:
                yield f"{indent}{terminal.dim(f'at {printable(it.where)}')}"
            if it.fix:
                yield f"{indent}= help: {printable(it.fix)}"
    yield _summary(items)


def _markdown(items: Sequence[Item]) -> Iterable[str]:
    for area, group in groupby(items, key=lambda it: it.area):
        yield f"## {_TITLES[area]}"
        yield ""
        for it in group:
            mark = "x" if it.state == "ok" else " "
            state = "" if it.state == "ok" else f"**{it.state}**: "
            where = f" ({_code(it.where)})" if it.where else ""
            fix = f"; {_code(it.fix)}" if it.fix else ""
            yield f"- [{mark}] {state}{escape_markdown(it.what)}{where}{fix}"
        yield ""
    yield _summary(items)


def _code(text: str) -> str:
    """The text as it is, to be copied: a span that no back-tick inside of it can end."""
    line = " ".join(printable(text).split())
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


def _summary(items: Sequence[Item]) -> str:
    counts = Counter(it.state for it in items)
    warnings = plural(counts["warning"], "warning")
    return f"{counts['ok']} ok, {warnings}, {counts['failed']} failed, {counts['by hand']} to see to by hand"
