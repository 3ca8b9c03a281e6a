"""`lockgate history`: what was live when, which commit made it so, and who merged that. Asks Git and nothing else."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.project import find_root
from lockgate.cli.terminal import Terminal, printable
from lockgate.registry.git import Git, GitError
from lockgate.registry.history import Commit, Event, Live, events, live_at
from lockgate.registry.shelf import record_path

_SHORT = 7


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 2 for a time or a reference that is not understood."""
    root = find_root(arguments.root)
    at = _time(arguments.at) if arguments.at is not None else None
    git = Git(root=root)
    try:
        if git.commit(arguments.ref) is None:
            raise Failure(
                f"Git knows no commit '{printable(arguments.ref)}'",
                help="name one that `git log` shows; a project without commits has no history",
                exit_code=Exit.USAGE,
            )
        changes = events(git, arguments.ref)
        if git.is_shallow:
            terminal.error(
                "this clone is shallow: the history begins where it does (`git fetch --unshallow`)"
            )
    except GitError as error:
        raise Failure(str(error), help="run this in a clone of the project") from error
    chosen = [it for it in changes if _is_chosen(arguments, it.model, it.environment)]
    if at is None:
        _show_events(terminal, arguments.format, chosen)
    else:
        _show_live(terminal, arguments.format, live_at(chosen, at.timestamp()), at, git)
    return Exit.OK


def _is_chosen(arguments: Namespace, model: str, environment: str) -> bool:
    return arguments.model in (None, model) and arguments.env in (None, environment)


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise Failure(
            f"'{printable(text)}' is no time",
            help="write it as 2026-11-03, 2026-11-03T02:00 or 2026-11-03T02:00+01:00",
            exit_code=Exit.USAGE,
        ) from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _show_events(terminal: Terminal, output_format: str, changes: Sequence[Event]) -> None:
    newest_first = changes[::-1]
    if output_format == "json":
        terminal.say(
            json.dumps({"changes": [_event(it) for it in newest_first]}, indent=2, ensure_ascii=False)
        )
        return
    heads = ("When", "Environment", "Model", "Change", "Version", "By", "Commit")
    rows = [_event_row(it) for it in newest_first]
    show_table(terminal, output_format, heads, rows, nothing="nothing has been pinned yet")


def _show_live(terminal: Terminal, output_format: str, live: Sequence[Live], at: datetime, git: Git) -> None:
    if output_format == "json":
        document = {"at": at.isoformat(), "live": [_live(it, data) for it, data in _with_records(live, git)]}
        terminal.say(json.dumps(document, indent=2, ensure_ascii=False))
        return
    heads = ("Environment", "Model", "Version", "Since", "By", "Commit", "Record")
    rows = [_live_row(it, data) for it, data in _with_records(live, git)]
    show_table(terminal, output_format, heads, rows, nothing=f"nothing was live at {at.isoformat()}")


def _with_records(live: Sequence[Live], git: Git) -> Iterator[tuple[Live, bytes | None]]:
    names = [f"{it.since.id}:./{record_path(it.model, it.version)}" for it in live]
    return zip(live, git.contents(names), strict=True)


def _event(event: Event) -> dict[str, Any]:
    return {
        "time": _when(event.commit),
        "environment": event.environment,
        "model": event.model,
        "change": event.change,
        "old": event.old,
        "new": event.new,
        **_word(event.commit),
    }


def _live(live: Live, record: bytes | None) -> dict[str, Any]:
    path = record_path(live.model, live.version) if record is not None else None
    return {
        "environment": live.environment,
        "model": live.model,
        "version": live.version,
        "since": _when(live.since),
        "record": path,
        **_word(live.since),
    }


def _word(commit: Commit) -> dict[str, Any]:
    """On whose word."""
    return {
        "commit": commit.id,
        "author": f"{commit.author} <{commit.author_email}>",
        "committer": f"{commit.committer} <{commit.committer_email}>",
        "subject": commit.subject,
        "pull_request": commit.request,
    }


def _event_row(event: Event) -> tuple[str, ...]:
    version = event.new or "nothing"
    if event.old:
        version = f"{event.old} → {version}"
    commit = event.commit
    return (_when(commit), event.environment, event.model, event.change, version, commit.author, _why(commit))


def _live_row(live: Live, record: bytes | None) -> tuple[str, ...]:
    path = record_path(live.model, live.version) if record is not None else "no record"
    since = live.since
    return (live.environment, live.model, live.version, _when(since), since.author, _why(since), path)


def _when(commit: Commit) -> str:
    return datetime.fromtimestamp(commit.seconds, UTC).isoformat().replace("+00:00", "Z")


def _why(commit: Commit) -> str:
    request = f" #{commit.request}" if commit.request is not None else ""
    return f"{commit.id[:_SHORT]}{request}"


def show_table(
    terminal: Terminal,
    output_format: str,
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    nothing: str,
) -> None:
    """As columns, or as a table of Markdown in which no cell can be anything but text."""
    cells = [tuple(printable(cell) for cell in row) for row in rows]
    if not cells:
        terminal.say(nothing)
    elif output_format == "md":
        for row in (heads, ["---"] * len(heads), *([_markdown(cell) for cell in row] for row in cells)):
            terminal.say(f"| {' | '.join(row)} |")
    else:
        widths = [max(len(row[column]) for row in (heads, *cells)) for column in range(len(heads))]
        for row in (heads, *cells):
            line = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
            terminal.say(terminal.dim(line) if row is heads else line)


def _markdown(text: str) -> str:
    """A cell that can be nothing but text."""
    return "".join(f"\\{it}" if it in "\\`*_[]<>|#~!&" else it for it in text)
