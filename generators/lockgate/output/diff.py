"""What writing would change, as a unified diff that `git apply` reads."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from lockgate.output.block import is_shared, with_block, without_block
from lockgate.output.compare import Comparison, FileState, State
from lockgate.output.errors import unusable


def diff(root: Path, comparison: Comparison) -> Iterator[str]:
    """The lines, without line ends: of files to be written or deleted, and of those that stand in the way."""
    for file in comparison.files:
        if file.state in _CHANGED:
            text = comparison.rendered.get(file.path)
            yield from _file_diff(root, file, None if text is None else text.encode())


_CHANGED = frozenset(
    {State.MISSING, State.STALE, State.EDITED, State.ORPHAN, State.ORPHAN_EDITED, State.FOREIGN}
)


def _file_diff(root: Path, file: FileState, rendered: bytes | None) -> Iterator[str]:
    before = None if file.sha256 is None and not is_shared(file.path) else _read(root, file.path)
    after = _shared(before or b"", rendered) if is_shared(file.path) else rendered
    source = "/dev/null" if before is None else f"a/{file.path}"
    target = "/dev/null" if after is None else f"b/{file.path}"
    for line in difflib.unified_diff(_lines(before), _lines(after), source, target):
        yield from line.removesuffix("\n").split("\n")


def _shared(before: bytes, rendered: bytes | None) -> bytes | None:
    return (without_block(before) or None) if rendered is None else with_block(before, rendered)


def _read(root: Path, path: str) -> bytes | None:
    try:
        return (root / path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unusable("read", path, error) from error


def _lines(data: bytes | None) -> list[str]:
    """Lines as Git counts them; the last one says where it has no end."""
    text = (data or b"").decode("utf-8", "replace")
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop().removesuffix("\n")
    return [*lines, f"{last}\n\\ No newline at end of file"] if last else lines
