"""`lockgate render`: makes the generated files what the spec says, or shows what that would change."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

from lockgate.cli.failure import Exit
from lockgate.cli.findings import show_diagnostics
from lockgate.cli.project import (
    Compiled,
    compile_project,
    disk_failures,
    find_root,
    project_path,
    require_plan,
)
from lockgate.cli.terminal import Terminal, plural, printable
from lockgate.diagnostics import Diagnostic
from lockgate.output import (
    REFUSED_STATES,
    Comparison,
    Written,
    compare,
    diagnose,
    diff,
    locked,
    overwriting,
    write,
)

_MOST_SHOWN = 50


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 3 where a file stands in the way or, with --diff, where anything would change."""
    root = find_root(arguments.root)
    forced = [project_path(root, arguments.root, path) for path in arguments.force]
    compiled = compile_project(root)
    require_plan(compiled, terminal)
    show_diagnostics(terminal, compiled.diagnostics, compiled.sources)
    with disk_failures():
        if arguments.diff:
            return _show_diff(terminal, root, overwriting(compare(root, compiled.files), forced))
        return _write(terminal, compiled, forced, arguments.format)


def _show_diff(terminal: Terminal, root: Path, comparison: Comparison) -> Exit:
    for line in diff(root, comparison):
        terminal.say(_painted(terminal, printable(line)))
    show_diagnostics(terminal, _in_the_way(comparison), {})
    return Exit.OK if comparison.is_current else Exit.STALE


def _painted(terminal: Terminal, line: str) -> str:
    if line.startswith(("--- ", "+++ ", "@@")):
        return terminal.dim(line)
    if line.startswith("+"):
        return terminal.green(line)
    return terminal.red(line) if line.startswith("-") else line


def write_files(terminal: Terminal, compiled: Compiled, forced: list[str]) -> Written | None:
    """Write what differs; None where something stands in the way, which is then said, and nothing is written."""
    with disk_failures(), locked(compiled.root, say=terminal.error):
        comparison = overwriting(compare(compiled.root, compiled.files), forced)
        obstacles = _in_the_way(comparison)
        show_diagnostics(terminal, obstacles, {})
        return None if obstacles else write(compiled.root, comparison)


def _write(terminal: Terminal, compiled: Compiled, forced: list[str], output_format: str) -> Exit:
    written = write_files(terminal, compiled, forced)
    if written is None:
        terminal.error("nothing was written")
        return Exit.STALE
    if output_format == "json":
        document = {"written": list(written.written), "deleted": list(written.deleted)}
        terminal.say(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        say_written(terminal, written, len(compiled.files))
    return Exit.OK


def say_written(terminal: Terminal, written: Written, total: int) -> None:
    """A line a file, and a sum."""
    for verb, paths in (("wrote", written.written), ("deleted", written.deleted)):
        for path in paths[:_MOST_SHOWN]:
            terminal.say(f"{verb} {path}")
        if len(paths) > _MOST_SHOWN:
            terminal.say(f"{verb} {plural(len(paths) - _MOST_SHOWN, 'more file')}")
    changed = len(written.written) + len(written.deleted)
    terminal.say(f"{plural(total, 'file')} current, {changed:,} changed")


def _in_the_way(comparison: Comparison) -> tuple[Diagnostic, ...]:
    refused = {file.path for file in comparison.files if file.state in REFUSED_STATES}
    return (
        *comparison.problems,
        *(
            found
            for found in diagnose(comparison)
            if found.file in refused and found not in comparison.problems
        ),
    )
