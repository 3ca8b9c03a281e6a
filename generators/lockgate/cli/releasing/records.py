"""What commands need of records: that there is one, and words for people where it cannot be understood."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lockgate.cli.failure import Failure
from lockgate.cli.terminal import printable
from lockgate.registry import shelf
from lockgate.registry.past import RecordError
from lockgate.registry.shelf import Files


@contextmanager
def record_failures() -> Iterator[None]:
    """A record, or a mark beside it, that is not what was written ends the command."""
    try:
        yield
    except RecordError as error:
        raise Failure(f"{error.path}: {error.message}", help="restore the file from Git") from error


def require_recorded(model: str, version: str, files: Files) -> None:
    """Failure where there is no such release. `files` are the registry's."""
    recorded = shelf.recorded(files).get(model, [])
    if version not in recorded:
        raise Failure(
            f"no release {printable(version)} of '{model}' is recorded",
            help=f"recorded versions: {', '.join(recorded[-5:]) or 'none'}",
        )
