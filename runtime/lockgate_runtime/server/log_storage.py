"""Where the log of predictions is kept: a directory, or object storage by an fsspec URI.

Files appear whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")


class PredictionLogError(Exception):
    """Predictions cannot be logged as told: what was found, and the next step."""

    def __init__(self, message: str, help_text: str) -> None:
        super().__init__(message)
        self.message, self.help = message, help_text


class Storage(Protocol):
    """Files by names such as `date=2024-03-01/a.parquet`."""

    def put(self, name: str, data: bytes) -> None:
        """Write a file in one step. Raises `OSError`, or what the storage's library raises."""

    def names(self) -> Iterator[str]:
        """Of the files in the folders of days."""

    def delete(self, name: str) -> None:
        """Of the file; one that is gone already is no error."""


def open_storage(place: str) -> Storage:
    """The storage of a path or a URI. Nothing is written yet; raises `PredictionLogError` where it cannot be used."""
    if not _SCHEME.match(place):
        return _directory(Path(place))
    scheme = place.partition("://")[0]
    try:
        import fsspec  # type: ignore[import-untyped]

        return Objects(*fsspec.core.url_to_fs(place))
    except ImportError as error:
        raise PredictionLogError(
            f"predictions are to be logged to '{scheme}://', but what reads it cannot be imported: {error}",
            f"pip install 'fsspec[{scheme}]'",
        ) from error
    except Exception as error:  # Each storage has errors of its own.
        raise PredictionLogError(
            f"predictions cannot be logged to '{scheme}://': {error}",
            "name a directory or a URI that fsspec knows",
        ) from error


def _directory(root: Path) -> Directory:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PredictionLogError(
            f"predictions cannot be logged to '{root}': {error.strerror}",
            "name a directory that can be written",
        ) from error
    if not os.access(root, os.W_OK | os.X_OK):
        raise PredictionLogError(
            f"predictions cannot be logged to '{root}', which is not writable",
            "name a directory that can be written",
        )
    return Directory(root)


class Directory:
    """A directory on this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, name: str, data: bytes) -> None:
        path = self._root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        return (path.relative_to(self._root).as_posix() for path in self._root.glob("date=*/*"))

    def delete(self, name: str) -> None:
        path = self._root / name
        path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # Others' files are in it, or another worker was quicker.
            path.parent.rmdir()


class Objects:
    """A folder of object storage, by fsspec. An object is there when all of it was sent."""

    def __init__(self, file_system: Any, root: str) -> None:  # noqa: ANN401 - fsspec has no types
        self._files, self._root = file_system, root.rstrip("/")

    def put(self, name: str, data: bytes) -> None:
        self._files.makedirs(f"{self._root}/{name}".rpartition("/")[0], exist_ok=True)
        self._files.pipe_file(f"{self._root}/{name}", data)

    def names(self) -> Iterator[str]:
        self._files.invalidate_cache()  # Other workers write, too.
        return ("/".join(str(path).split("/")[-2:]) for path in self._files.glob(f"{self._root}/date=*/*"))

    def delete(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._files.rm_file(f"{self._root}/{name}")
