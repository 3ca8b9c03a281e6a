"""Whether the last check still holds, because nothing that it read has changed since. Runs before all heavy imports.

Told as Git's index does it, by size, times and inode. `remembering` writes what is read here.
"""
# Importing pathlib takes as long as all of this.
# ruff: noqa: PTH109, PTH113, PTH118, PTH120

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Sequence

from lockgate import __version__

SPEC_FILE = "mlops.yaml"
"""As `lockgate.contract` has it, which takes longer to import than an answer from here."""

STARTED_NS = time.time_ns()

FOLDERS = (".cache", "lockgate")
MEMO = "check"
FORMAT = "lockgate check 1"
_MOST_BYTES = 64 * 1024 * 1024
_TAGS = ("for-each-ref", "--format=%(objectname) %(refname)", "refs/tags", "refs/replace")


def recall(arguments: Sequence[str]) -> str | None:
    """The line that a check with these arguments would end well with; None where only a check can tell."""
    match arguments:
        case ["check"]:
            directory = None
        case ["check", "-C", directory] | ["-C", directory, "check"]:
            pass
        case _:
            return None
    try:
        root = spec_folder(directory)
        said = None if root is None or is_forbidden() else _recall(root)
    except (OSError, ValueError):
        return None
    return said and f"{SPEC_FILE}: ok: {said} (unchanged since the last check)"


def spec_folder(directory: str | None) -> str | None:
    """The folder, if it holds a spec; where none is named, the nearest one from here upwards that does."""
    if directory is not None:
        folder = os.path.realpath(directory)
        return folder if _has_spec(folder) else None
    folder = os.getcwd()
    while not _has_spec(folder):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def is_forbidden() -> bool:
    """Whether an earlier check does not count: in CI, where what it left could be anybody's."""
    return bool(os.environ.get("CI"))


def surroundings() -> str:
    """What else an answer depends on: this program, Python, and where modules come from."""
    return repr((__version__, sys.version, tuple(sys.flags), search_path(), whole(look(__file__))))


def search_path() -> list[str]:
    return [folder or os.getcwd() for folder in sys.path]


def look(path: str, folder: int | None = None) -> os.stat_result | int:
    """What the file system says of a path, links not followed; the error number where it says nothing."""
    try:
        return os.lstat(path, dir_fd=folder)
    except OSError as error:
        return error.errno or 0


def whole(found: os.stat_result | int) -> str:
    """Changes whenever something is written there, put in its place, or allowed to others."""
    if isinstance(found, int):
        return str(found)
    return (
        f"{found.st_mode:o},{found.st_size},{found.st_mtime_ns},{found.st_ctime_ns},"
        f"{found.st_ino},{found.st_dev}"
    )


def kind(found: os.stat_result | int) -> str:
    """Changes only where a file becomes a folder, or comes or goes."""
    return str(found) if isinstance(found, int) else f"{stat.S_IFMT(found.st_mode):o}"


def tags(root: str) -> str:
    """The repository's tags and the objects that they name; what Git's refusal is where it refuses."""
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    read, write = os.pipe()
    with os.fdopen(read, "rb") as stream:
        actions = [
            (os.POSIX_SPAWN_DUP2, write, 1),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        try:
            # Importing subprocess takes longer than Git does.
            process = os.posix_spawnp("git", ("git", "-C", root, *_TAGS), environment, file_actions=actions)
        except FileNotFoundError:
            return "no git"
        finally:
            os.close(write)
        listed = stream.read().decode(errors="surrogateescape")
    _, status = os.waitpid(process, 0)
    return f"{status}\n{listed}"


def _recall(root: str) -> str | None:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        form, around, said, listed, count, *entries = _read(folder)
        is_whole = form == FORMAT and int(count) == len(entries) and said.isascii() and said.isprintable()
        if not is_whole or around != surroundings() or not _is_unchanged(entries, folder):
            return None
        return None if listed and listed != tags(root) else said
    finally:
        os.close(folder)


def _read(folder: int) -> list[str]:
    path = "/".join((*FOLDERS, MEMO))
    # Without O_NONBLOCK, opening a named pipe in its place would wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    with os.fdopen(descriptor, "rb") as stream:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_size > _MOST_BYTES:
            raise ValueError("it is not of this user's making")
        return stream.read(_MOST_BYTES).decode(errors="surrogateescape").split("\0")


def _is_unchanged(entries: Sequence[str], folder: int) -> bool:
    """Entries are stamps, each with the path that it is of."""
    pairs = zip(entries[::2], entries[1::2], strict=True)
    return all(stamp == (whole if "," in stamp else kind)(look(path, folder)) for stamp, path in pairs)


def _has_spec(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, SPEC_FILE))
