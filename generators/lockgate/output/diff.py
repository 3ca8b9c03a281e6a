"""What writing would change, as a unified diff that `git apply` reads."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from lockgate.output.compare import Comparison, FileState, State
from lockgate.output.errors import unusable


def diff(root: Path, comparison: Comparison) -> Iterator[str]:
    """The lines, without line ends: of files to be written or deleted, and of those that stand in the way."""
    for file in comparison.files:
        if file.state in _CHANGED:
            yield from _file_diff(root, file, comparison.rendered.get(file.path))


_CHANGED = frozenset(
    {State.MISSING, State.STALE, State.EDITED, State.ORPHAN, State.ORPHAN_EDITED, State.FOREIGN}
)


def _file_diff(root: Path, file: FileState, rendered: bytes | None) -> Iterator[str]:
    before = "" if file.sha256 is None else _read(root, file.path)
    after = "" if rendered is None else rendered.decode()
    source = "/dev/null" if file.sha256 is None else f"a/{file.path}"
    target = "/dev/null" if rendered is None else f"b/{file.path}"
    for line in difflib.unified_diff(_lines(before), _lines(after), source, target):
        yield from line.removesuffix("\n").split("\n")


def _read(root: Path, path: str) -> str:
    try:
        return (root / path).read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise unusable("read", path, error) from error


def _lines(text: str) -> list[str]:
    """Lines as Git counts them; the last one says where it has no end."""
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, f"{last}\n\\ No newline at end of file"] if last else lines
