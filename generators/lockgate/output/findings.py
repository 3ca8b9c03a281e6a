"""File states as diagnostics: one for each file that is not as it should be, with its fix."""

from __future__ import annotations

from collections.abc import Callable

from lockgate.diagnostics.model import Diagnostic
from lockgate.output.block import is_shared
from lockgate.output.compare import Comparison, FileState, State, digest
from lockgate.output.ownership import FILE

RENDER = "run `lockgate render`"
STALE_RULES = frozenset({"file-missing", "file-stale", "file-edited", "file-orphan", "file-foreign"})
"""The rules whose breach means that the committed files are not what the spec makes."""


def diagnose(comparison: Comparison) -> tuple[Diagnostic, ...]:
    """What is wrong with the files, and which ejected ones would be generated otherwise by now."""
    found = [_DIAGNOSES[file.state](file) for file in comparison.files if file.state in _DIAGNOSES]
    found += _ejected_changes(comparison)
    if not found and not comparison.problems and comparison.before != comparison.after:
        found = [_stale_record()]
    return (*comparison.problems, *found)


def _missing(file: FileState) -> Diagnostic:
    return Diagnostic(rule="file-missing", message=f"{_named(file)} is missing", file=file.path, help=RENDER)


def _named(file: FileState) -> str:
    return "the generated block in the file" if is_shared(file.path) else "the file"


def _stale(file: FileState) -> Diagnostic:
    message = f"{_named(file)} is stale: the spec makes it otherwise now"
    return Diagnostic(rule="file-stale", message=message, file=file.path, help=RENDER)


def _edited(file: FileState) -> Diagnostic:
    return Diagnostic(
        rule="file-edited",
        message="the generated block in the file was edited by hand"
        if is_shared(file.path)
        else "the generated file was edited by hand",
        file=file.path,
        help="say it in the spec or as a patch and run `lockgate render --force FILE`, "
        "or run `lockgate eject FILE` to keep it",
    )


def _orphan(file: FileState) -> Diagnostic:
    message = f"the spec no longer makes {'the block in ' * is_shared(file.path)}this file"
    return Diagnostic(rule="file-orphan", message=message, file=file.path, help=f"{RENDER}, which deletes it")


def _orphan_edited(file: FileState) -> Diagnostic:
    return Diagnostic(
        rule="file-orphan",
        message=f"the spec no longer makes {'the block in ' * is_shared(file.path)}this file, "
        "and it was edited by hand",
        file=file.path,
        help="move it away if it is still needed, else run `lockgate render --force FILE`, which deletes it",
    )


def _foreign(file: FileState) -> Diagnostic:
    reason = f": {file.reason}" if file.reason else ""
    if is_shared(file.path):
        return Diagnostic(
            rule="file-foreign",
            message=f"the generated block cannot stand in the file{reason}",
            file=file.path,
            help="correct that, then run `lockgate render`",
        )
    return Diagnostic(
        rule="file-foreign",
        message=f"a file that is not Lockgate's is where a generated one belongs{reason}",
        file=file.path,
        help="move it away, then run `lockgate render`",
    )


_DIAGNOSES: dict[State, Callable[[FileState], Diagnostic]] = {
    State.MISSING: _missing,
    State.STALE: _stale,
    State.EDITED: _edited,
    State.ORPHAN: _orphan,
    State.ORPHAN_EDITED: _orphan_edited,
    State.FOREIGN: _foreign,
}


def _ejected_changes(comparison: Comparison) -> list[Diagnostic]:
    return [
        Diagnostic(
            rule="file-ejected",
            message="the file was ejected, and Lockgate would by now generate it otherwise",
            file=path,
            help="take over what it needs, then run `lockgate eject FILE` again",
            severity="warning",
        )
        for path, recorded in comparison.before.ejected.items()
        if path in comparison.rendered and digest(comparison.rendered[path].encode()) != recorded
    ]


def _stale_record() -> Diagnostic:
    message = "the record of generated files is not up to date, though the files are"
    return Diagnostic(rule="file-stale", message=message, file=FILE, help=RENDER)
