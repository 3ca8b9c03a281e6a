"""What `lockgate doctor` says: items as plain data, each of one question, with a state and the next step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from lockgate.diagnostics import Diagnostic
from lockgate.tuples import NamedTuple

State: TypeAlias = Literal["ok", "warning", "failed", "by hand"]
Area: TypeAlias = Literal["files", "git", "tools", "data", "registry", "github"]

_MOST_SHOWN = 10


class Item(NamedTuple):
    """`check` is the question's stable name. `by hand` is what nobody here could look at.

    `fix` is a command or a place in GitHub's settings; empty where there is nothing to do.
    """

    area: Area
    check: str
    state: State
    what: str
    where: str = ""
    fix: str = ""


def from_diagnostics(area: Area, diagnostics: Sequence[Diagnostic]) -> Iterator[Item]:
    """What is wrong with the spec, the files or the registry; the first few, and how many more there are."""
    for it in diagnostics[:_MOST_SHOWN]:
        position = f":{it.position.line}:{it.position.column}" if it.position else ""
        state: State = "failed" if it.severity == "error" else "warning"
        yield Item(area, it.rule, state, it.message, f"{it.file}{position}", it.help)
    rest = diagnostics[_MOST_SHOWN:]
    if rest:
        worst: State = "failed" if any(it.severity == "error" for it in rest) else "warning"
        yield Item(area, "more", worst, f"and {len(rest):,} more", fix="`lockgate check` lists them all")


def named(names: Iterable[str]) -> str:
    """The first few of them, in a sentence."""
    found = list(names)
    more = f" and {len(found) - 3:,} more" if len(found) > 3 else ""
    return ", ".join(f"'{name}'" for name in found[:3]) + more
