"""Files that the user names for output."""

from __future__ import annotations

from pathlib import Path

from lockgate.cli.failure import Failure


def write_text(path: Path, text: str) -> None:
    """Write the file, and make its folder where it is missing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise _unwritable(path, error) from error


def append_line(path: Path, line: str) -> None:
    """Add a line to the file."""
    try:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> Failure:
    return Failure(f"cannot write '{path}': {(error.strerror or '').lower()}", help="name another file")
