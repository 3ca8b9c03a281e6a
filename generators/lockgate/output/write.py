"""Writes a comparison out. Each file is whole at every moment; what a killed run left, the next finishes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from lockgate.output.block import is_shared, with_block, without_block
from lockgate.output.compare import Comparison, FileState, State
from lockgate.output.errors import unusable
from lockgate.output.ownership import FILE, FOLDER, Ownership, dump
from lockgate.tuples import NamedTuple

_TEMPORARY = re.compile(r"\.lockgate-[0-9a-f]{16}\.tmp")


class Written(NamedTuple):
    """Paths, sorted."""

    written: tuple[str, ...]
    deleted: tuple[str, ...]


def write(root: Path, comparison: Comparison) -> Written:
    """Write missing and stale files and delete orphans. The caller has seen that nothing is refused."""
    assert not comparison.problems, "the record of owned files cannot be trusted"
    assert not comparison.refused, "a file would be overwritten that is not Lockgate's"
    writes = [file for file in comparison.files if file.state in {State.MISSING, State.STALE}]
    deletes = [file.path for file in comparison.files if file.state is State.ORPHAN]
    _remove_leftovers(root, comparison)
    if writes or deletes:
        write_record(root, _journal(comparison, writes))
    _make_folders(root, (file.path for file in writes))
    for file in writes:
        _write_file(root, file.path, _content(root, file.path, comparison.rendered[file.path].encode()))
    for path in deletes:
        _take_out(root, path)
    if writes or deletes or comparison.before != comparison.after:
        write_record(root, comparison.after)
    return Written(written=tuple(file.path for file in writes), deleted=tuple(deletes))


def write_record(root: Path, ownership: Ownership) -> None:
    """Write the record of owned files alone."""
    _make_folders(root, (FILE,))
    _write_file(root, FILE, dump(ownership).encode())


def _journal(comparison: Comparison, writes: Iterable[FileState]) -> Ownership:
    """The record while files are being written: what lies there now, and what each is about to become.

    Bytes that an edit made are not vouched for: a killed run must leave them known as an edit.
    """
    before = comparison.before
    ours = {
        file.path: file.sha256
        for file in comparison.files
        if file.sha256 in before.hashes(file.path) or file.state is State.CURRENT
    }
    kept = {path: sha256 for path, sha256 in {**before.files, **ours}.items() if sha256 is not None}
    pending = {file.path: comparison.after.files[file.path] for file in writes}
    return Ownership(files=kept, ejected=before.ejected, pending=pending)


def _content(root: Path, path: str, rendered: bytes) -> bytes:
    return with_block(_read(root, path), rendered) if is_shared(path) else rendered


def _take_out(root: Path, path: str) -> None:
    """Delete the file; of one that is the team's as well, its block."""
    kept = without_block(_read(root, path)) if is_shared(path) else b""
    if kept:
        _write_file(root, path, kept)
    else:
        _delete(root, path)


def _read(root: Path, path: str) -> bytes:
    try:
        return (root / path).read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise unusable("read", path, error) from error


def _make_folders(root: Path, paths: Iterable[str]) -> None:
    for folder in sorted({path.rpartition("/")[0] for path in paths}):
        try:
            (root / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unusable("make the folder", folder, error) from error


def _write_file(root: Path, path: str, content: bytes) -> None:
    target = f"{root}/{path}"
    temporary = f"{target.rpartition('/')[0]}/.lockgate-{os.urandom(8).hex()}.tmp"
    try:
        _write_new(temporary, content)
        os.replace(temporary, target)  # noqa: PTH105 - for thousands of files, making paths takes as long as writing
    except OSError as error:
        with suppress(OSError):
            Path(temporary).unlink()
        raise unusable("write", path, error) from error


def _write_new(file: str, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
    finally:
        os.close(descriptor)


def _delete(root: Path, path: str) -> None:
    try:
        (root / path).unlink(missing_ok=True)
    except OSError as error:
        raise unusable("delete", path, error) from error
    _remove_empty_folders(root, path)


def _remove_empty_folders(root: Path, path: str) -> None:
    with suppress(OSError):  # a folder that still holds something stays, and those above it
        for parent in list(Path(path).parents)[:-1]:
            (root / parent).rmdir()


def _remove_leftovers(root: Path, comparison: Comparison) -> None:
    """Delete the temporary files of killed runs; nobody else is writing, for the caller holds the lock."""
    before = comparison.before
    paths = {*comparison.rendered, *before.files, *before.pending}
    for folder in {FOLDER, *(path.rpartition("/")[0] for path in paths)}:
        for name in _leftovers(root / folder):
            _delete(root, f"{folder}/{name}")


def _leftovers(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if _TEMPORARY.fullmatch(entry.name)]
    except OSError:  # the folder is not there, or is not to be read: then there is nothing of ours to find
        return []
