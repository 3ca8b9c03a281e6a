"""What a check read, kept for `unchanged`: only of one that found nothing, and only if all lay still meanwhile.

What is opened and listed Python itself tells, so that no reader is forgotten. What is merely asked for the check names.
"""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from lockgate.cli import unchanged
from lockgate.registry import shelf
from lockgate.spec.schema import schema_path

_REST_NS = 2_000_000_000
"""As coarse as the times of any file system are: what changes within as long may change unseen."""

_JUDGES = frozenset({"lockgate", "yaml", "jsonschema_rs"})
_PROGRAMS = ("os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "socket.")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_LISTENING: list[Notes] = []


class _Uncertain(Exception):  # noqa: N818 - nothing is wrong, only the next check has to look again
    pass


class Notes:
    """What a check of the project in `root` reads; `certain` is False once it asks more than files and tags.

    `tags` is what Git listed before, `since_ns` and `device` say when that was and on which disk.
    """

    __slots__ = ("certain", "device", "paths", "root", "since_ns", "tags")

    def __init__(self, root: str) -> None:
        self.root = root
        self.paths: set[str] = set()
        self.certain = not unchanged.is_forbidden()
        self.since_ns = self.device = 0
        self.tags = ""
        if self.certain:
            self._begin()

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """One of Python's audit events."""
        if event in {"open", "os.listdir", "os.scandir"}:
            self._opened(arguments[0])
        elif event == "subprocess.Popen":
            self.certain = self.certain and bool(self.tags) and _lists_tags(arguments[1])
        elif event.startswith(_PROGRAMS):
            self.certain = False

    def _begin(self) -> None:
        try:
            with _memo_folder(self.root) as folder:
                _ignore_in_git(folder)
                self.since_ns, self.device = _clock(folder)
        except OSError:
            self.certain = False
            return
        if Path(self.root, shelf.FOLDER).is_dir():
            self.tags = unchanged.tags(self.root)

    def _opened(self, path: Any) -> None:  # noqa: ANN401 - what open() takes
        name = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
        if name.startswith("/"):
            self.paths.add(name)
        elif not isinstance(path, int):
            self.certain = False


@contextmanager
def noting(root: Path) -> Iterator[Notes]:
    """Notes what is read meanwhile."""
    notes = Notes(str(root))
    _install()
    _LISTENING.append(notes)
    try:
        yield notes
    finally:
        _LISTENING.remove(notes)


def keep(notes: Notes, said: str, asked: Iterable[str]) -> None:
    """Writes the memo of a check that said this; `asked` are paths in the project of which it saw what they are.

    Writes nothing where that is not allowed, or where something may have changed while it was read.
    """
    if not notes.certain:
        return
    with suppress(OSError, UnicodeError, _Uncertain), _memo_folder(notes.root) as folder:
        entries = [text for entry in _entries(notes, asked) for text in entry]
        head = (unchanged.FORMAT, unchanged.surroundings(), said, notes.tags, str(len(entries)))
        _put(folder, "\0".join((*head, *entries)).encode(errors="surrogateescape"))


@cache
def _install() -> None:
    """Once and for all: a hook cannot be taken away again."""
    sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    for notes in _LISTENING:
        notes.hear(event, arguments)


def _lists_tags(command: Any) -> bool:  # noqa: ANN401 - what Popen takes
    return list(command[3:4]) == ["for-each-ref"] and str(command[-1]).startswith("refs/tags/")


def _entries(notes: Notes, asked: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Stamps, each with its path: from the root for what is the project's, else from the file system's."""
    below = f"{notes.root}/"
    # Python itself holds compiled files to their sources.
    read = {path for path in notes.paths if not path.endswith(".pyc")}
    own = {path.removeprefix(below) for path in read if path.startswith(below)}
    yield from _project_entries(notes, own, {Path(path).as_posix() for path in (*asked, shelf.FOLDER)})
    yield from _code_entries(notes, {path for path in read if not path.startswith(below)})


def _project_entries(notes: Notes, read: set[str], asked: set[str]) -> Iterator[tuple[str, str]]:
    """A link leads out of sight, so there may be none. What comes or goes changes the folder that it is in."""
    folders = {folder.as_posix() for path in (*read, *asked) for folder in Path(path).parents}
    for path in sorted({*read, *asked, *folders}):
        if path.startswith("/") or os.path.normpath(path) != path or ".." in path.split("/"):
            raise _Uncertain
        found = unchanged.look(f"{notes.root}/{path}")
        if isinstance(found, os.stat_result):
            if stat.S_ISLNK(found.st_mode) or found.st_dev != notes.device:
                raise _Uncertain
            if path in read or path in folders:
                _require_rest(found, notes.since_ns)
        yield (unchanged.whole if path in read else unchanged.kind)(found), path


def _code_entries(notes: Notes, read: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Of the program that judges, and whatever else was read; a link with what it leads to."""
    searched = unchanged.search_path()
    schemas = (str(schema_path()), str(schema_path().with_name("record.schema.json")))
    paths = {*schemas, *_judges(), *searched, *read}
    for path in sorted({*paths, *map(os.path.realpath, paths)}):
        found = unchanged.look(path)
        if isinstance(found, os.stat_result):
            # Modules are read from the start of the process on.
            _require_rest(found, min(notes.since_ns, unchanged.STARTED_NS))
        elif path not in searched:
            raise _Uncertain
        yield unchanged.whole(found), path


def _judges() -> Iterator[str]:
    """The modules that make the answer, and their folders: a new file may be another module, or a schema nearer by."""
    for name, module in tuple(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is not None and name.partition(".")[0] in _JUDGES:
            yield from (file, str(Path(file).parent))


def _require_rest(found: os.stat_result, read_ns: int) -> None:
    """Only what has not changed since well before that time is what was read then."""
    if max(found.st_mtime_ns, found.st_ctime_ns) > read_ns - _REST_NS:
        raise _Uncertain


@contextmanager
def _memo_folder(root: str) -> Iterator[int]:
    """The folder open, made where it was not there; never one that a link leads to."""
    with ExitStack() as opened:
        folder = os.open(root, _FOLDER)
        opened.callback(os.close, folder)
        for name in unchanged.FOLDERS:
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=folder)
            folder = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            opened.callback(os.close, folder)
        yield folder


def _clock(folder: int) -> tuple[int, int]:
    """The earlier of the disk's time and the machine's, and the disk."""
    with _new_file(folder) as (_, descriptor):
        found = os.fstat(descriptor)
    return min(found.st_mtime_ns, found.st_ctime_ns, time.time_ns()), found.st_dev


def _put(folder: int, data: bytes) -> None:
    """In one step: whoever reads meanwhile reads the old memo or the new one."""
    with _new_file(folder) as (name, descriptor):
        with os.fdopen(descriptor, "wb", closefd=False) as stream:
            stream.write(data)
        os.rename(name, unchanged.MEMO, src_dir_fd=folder, dst_dir_fd=folder)


@contextmanager
def _new_file(folder: int) -> Iterator[tuple[str, int]]:
    """Of a name that no other process has; gone in the end, if it was not given another."""
    name = f"{unchanged.MEMO}.{os.getpid()}"
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    try:
        yield name, descriptor
    finally:
        os.close(descriptor)
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)


def _ignore_in_git(folder: int) -> None:
    with suppress(FileExistsError):
        ignore = os.open(".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder)
        with os.fdopen(ignore, "w", encoding="ascii") as stream:
            stream.write("*\n")
