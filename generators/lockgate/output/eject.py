"""Gives a generated file to the user, and takes it back."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from lockgate.output.compare import Comparison, State, digest
from lockgate.output.errors import OutputError
from lockgate.output.ownership import FILE, Ownership
from lockgate.output.write import write_record


def eject(root: Path, comparison: Comparison, path: str) -> None:
    """From now on the file is the user's: it is neither written nor compared.

    For a file that already is, what Lockgate would write now counts as seen.
    """
    _require_sound_record(comparison)
    if path not in comparison.rendered:
        raise OutputError(f"'{path}' is not a generated file", help=_suggestion(path, comparison))
    state = next(file.state for file in comparison.files if file.path == path)
    if state in {State.MISSING, State.FOREIGN}:
        raise OutputError(
            f"'{path}' is {state.value} and cannot be ejected", help="run `lockgate render` first"
        )
    before = comparison.before
    ejected = {**before.ejected, path: digest(comparison.rendered[path].encode())}
    write_record(
        root,
        Ownership(
            files=_without(before.files, path), ejected=ejected, pending=_without(before.pending, path)
        ),
    )


def take_back(root: Path, comparison: Comparison, path: str) -> None:
    """The file is Lockgate's again. What the user changed in it counts as an edit, so nothing is lost."""
    _require_sound_record(comparison)
    before = comparison.before
    if path not in before.ejected:
        known = ", ".join(f"'{it}'" for it in before.ejected) or "none"
        raise OutputError(f"'{path}' is not ejected", help=f"these are: {known}")
    files = {**before.files, path: before.ejected[path]}
    write_record(root, before._replace(files=files, ejected=_without(before.ejected, path)))


def _require_sound_record(comparison: Comparison) -> None:
    if comparison.problems:
        problem = comparison.problems[0]
        raise OutputError(f"{FILE}: {problem.message}", help=problem.help)


def _without(section: Mapping[str, str], path: str) -> dict[str, str]:
    return {key: value for key, value in section.items() if key != path}


def _suggestion(path: str, comparison: Comparison) -> str:
    near = get_close_matches(path, list(comparison.rendered), n=1)
    return f"did you mean '{near[0]}'?" if near else f"'{FILE}' lists the generated files"
