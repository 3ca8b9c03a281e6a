"""A pin moved: the spec's text with another version at one place, and all that is rendered of it, written together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.findings import show_diagnostics
from lockgate.cli.project import Compiled, compile_reading, disk_failures, has_errors
from lockgate.cli.render import write_files
from lockgate.cli.terminal import Terminal, plural, printable
from lockgate.contract import SPEC_FILE
from lockgate.output import State, compare
from lockgate.registry.versions import order
from lockgate.spec import Reading, read
from lockgate.tuples import NamedTuple
from lockgate.yaml.edit import insert_key, replace_scalar

_WORKFLOWS = ".github/"
_MOST_NAMED = 12


class Move(NamedTuple):
    """`old` is None where nothing is pinned yet. `marks` are further files that belong to it, by path."""

    model: str
    environment: str
    old: str | None
    new: str
    marks: Mapping[str, bytes]

    @property
    def verb(self) -> str:
        is_back = self.old is not None and order(self.new) < order(self.old)
        return "roll back" if is_back else "promote"

    @property
    def title(self) -> str:
        """In a line, as a commit's subject."""
        before = f" (was {self.old})" if self.old else ""
        direction = "to" if self.verb == "roll back" else "in"
        verb = self.verb[0].upper() + self.verb[1:]
        if direction == "to":
            return f"{verb} {self.model} in {self.environment} to {self.new}{before}"
        return f"{verb} {self.model} {self.new} in {self.environment}{before}"


class Moved(NamedTuple):
    """The paths that were written or deleted, the spec among them."""

    move: Move
    paths: tuple[str, ...]


def apply(terminal: Terminal, root: Path, reading: Reading, move: Move) -> Moved:
    """Write the spec, the marks and what is rendered; nothing at all where the spec would have errors then."""
    text = _edited(reading.text, move)
    compiled = compile_reading(root, read(text.encode()))
    if compiled.plan is None or has_errors(compiled.diagnostics):
        show_diagnostics(terminal, compiled.diagnostics, compiled.sources)
        raise Failure(f"with {move.model} {move.new} {SPEC_FILE} has errors", help="nothing was written")
    _require_no_workflow(root, compiled)
    written = write_files(terminal, compiled, [])
    if written is None:
        raise Failure("generated files are in the way", help="nothing was written", exit_code=Exit.STALE)
    contents = {SPEC_FILE: text.encode(), **move.marks}
    for path, data in contents.items():
        _replace(root / path, data)
    return Moved(
        move=move,
        paths=tuple(sorted({*contents, *written.written, *written.deleted, *_record_of_owned(root)})),
    )


def say_moved(terminal: Terminal, moved: Moved) -> None:
    """What changed, and the next step."""
    move = moved.move
    terminal.say(
        printable(
            f"{SPEC_FILE}: deployments.{move.environment}.{move.model}: {move.old or 'nothing'} → {move.new}"
        )
    )
    for path in moved.paths[:_MOST_NAMED]:
        terminal.say(f"wrote {path}")
    if len(moved.paths) > _MOST_NAMED:
        terminal.say(f"wrote {plural(len(moved.paths) - _MOST_NAMED, 'more file')}")


def _edited(text: str, move: Move) -> str:
    location = ("deployments", move.environment)
    try:
        if move.old is None:
            return insert_key(text, location, move.model, move.new)
        return replace_scalar(text, (*location, move.model), move.new)
    except (KeyError, ValueError) as error:
        raise Failure(
            f"cannot change 'deployments.{move.environment}.{move.model}' in {SPEC_FILE} by itself",
            help=f"write `{move.model}: {move.new}` there yourself, then run `lockgate render`",
        ) from error


def _require_no_workflow(root: Path, compiled: Compiled) -> None:
    """A promotion may be merged by those who may not change workflows."""
    with disk_failures():
        files = compare(root, compiled.files).files
    settled = {State.CURRENT, State.EJECTED}
    changed = [it.path for it in files if it.path.startswith(_WORKFLOWS) and it.state not in settled]
    if changed:
        raise Failure(
            f"'{changed[0]}' would change too, and a promotion never touches workflows",
            help="run `lockgate render` and merge that first: nothing was written",
            exit_code=Exit.STALE,
        )


def _record_of_owned(root: Path) -> tuple[str, ...]:
    path = ".lockgate/files.json"
    return (path,) if (root / path).is_file() else ()


def _replace(path: Path, data: bytes) -> None:
    """In one step, so that a killed run leaves the old file or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise Failure(
            f"cannot write '{path}': {(error.strerror or '').lower()}", help="check its permissions"
        ) from error
