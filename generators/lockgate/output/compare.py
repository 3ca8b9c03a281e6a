"""What would be written against what lies on the disk: a state for each file. Reads only."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from lockgate.diagnostics.model import Diagnostic
from lockgate.output.block import UNPAIRED, is_shared, split
from lockgate.output.errors import unusable
from lockgate.output.ownership import FILE, RULE, Ownership, read_ownership
from lockgate.output.paths import Folders, path_problem
from lockgate.tuples import NamedTuple


class State(StrEnum):
    """What a file is to Lockgate; `edited`, `orphan-edited` and `foreign` hold somebody else's bytes."""

    CURRENT = "current"
    MISSING = "missing"
    STALE = "stale"
    EDITED = "edited"
    ORPHAN = "orphan"
    ORPHAN_EDITED = "orphan-edited"
    FOREIGN = "foreign"
    EJECTED = "ejected"


_NO_PLAIN_FILE = {errno.ELOOP: "it is a symbolic link", errno.ENXIO: "it is not a plain file"}
REFUSED_STATES = frozenset({State.EDITED, State.ORPHAN_EDITED, State.FOREIGN})


class FileState(NamedTuple):
    """`sha256` is of the bytes on the disk; None where there is no plain file: `reason` says what there is.

    Of a file that is shared with the team, it is of the block.
    """

    path: str
    state: State
    sha256: str | None = None
    reason: str = ""


class Comparison(NamedTuple):
    """`files` are sorted by path. `rendered` holds the texts that belong to the paths, or into them as a block.

    `before` is the record of owned files as it was read, `after` as it has to be once all is written.
    `problems` are of the record itself; with any of them nothing may be written.
    """

    files: tuple[FileState, ...]
    rendered: Mapping[str, str]
    before: Ownership
    after: Ownership
    problems: tuple[Diagnostic, ...]

    @property
    def refused(self) -> tuple[FileState, ...]:
        """The files that stand in the way of writing."""
        return tuple(file for file in self.files if file.state in REFUSED_STATES)

    @property
    def is_current(self) -> bool:
        """Whether there is nothing to write, delete or refuse."""
        settled = {State.CURRENT, State.EJECTED}
        return (
            not self.problems
            and self.before == self.after
            and all(file.state in settled for file in self.files)
        )


def compare(root: Path, rendered: Mapping[str, str]) -> Comparison:
    """The state of each rendered and each recorded file; `rendered` maps paths to texts."""
    before, problems = read_ownership(root)
    # What the record holds was looked at when it was read.
    unseen = (path for path in rendered if path not in before.files)
    assert not any(map(path_problem, unseen)), "a target's path is not in a generated folder"
    folders = Folders(root)
    try:
        states = [
            *_rendered_states(root, rendered, before, folders),
            *_orphan_states(root, rendered, before, folders),
        ]
    except OSError as error:
        raise unusable("read", _relative(root, error), error) from error
    links = tuple(_link_problem(it) for it in states if it.state is State.ORPHAN_EDITED and it.sha256 is None)
    return Comparison(
        files=tuple(sorted(states, key=lambda it: it.path)),
        rendered=rendered,
        before=before,
        after=_ownership_after(rendered, before, states),
        problems=problems + links,
    )


def overwriting(comparison: Comparison, paths: Iterable[str]) -> Comparison:
    """The comparison with edited files under the paths counted as Lockgate's own, so that they are written.

    A path names a file or a folder. Foreign files stay foreign.
    """
    chosen = tuple(path.rstrip("/") for path in paths)
    released = {State.EDITED: State.STALE, State.ORPHAN_EDITED: State.ORPHAN}

    def released_file(file: FileState) -> FileState:
        if file.state not in released or not any(_is_under(file.path, path) for path in chosen):
            return file
        return file._replace(state=released[file.state])

    return comparison._replace(files=tuple(released_file(file) for file in comparison.files))


def digest(data: bytes) -> str:
    """The SHA-256 in hexadecimal."""
    return sha256(data).hexdigest()


def _is_under(path: str, chosen: str) -> bool:
    return chosen in {"", "."} or path == chosen or path.startswith(f"{chosen}/")


def _rendered_states(
    root: Path, rendered: Mapping[str, str], before: Ownership, folders: Folders
) -> Iterable[FileState]:
    # Encoded one by one: of a large spec's files, kept besides the texts, the bytes would fill the memory again.
    for path, text in rendered.items():
        if path in before.ejected:
            yield FileState(path=path, state=State.EJECTED)
        elif reason := folders.problem(path):
            yield FileState(path=path, state=State.FOREIGN, reason=reason)
        else:
            yield _rendered_state(root, path, text.encode(), before)


def _rendered_state(root: Path, path: str, content: bytes, before: Ownership) -> FileState:
    found = _own(root, path)
    if found is None and (reason := _shadowed(root, path)):
        return FileState(path=path, state=State.FOREIGN, reason=reason)
    if found is None:
        return FileState(path=path, state=State.MISSING)
    if isinstance(found, str):
        return FileState(path=path, state=State.FOREIGN, reason=found)
    found_digest = digest(found)
    if found == content:
        return FileState(path=path, state=State.CURRENT, sha256=found_digest)
    known = before.hashes(path)
    owned = State.STALE if found_digest in known else State.EDITED
    # A block says itself whose it is.
    is_ours = bool(known) or is_shared(path)
    return FileState(path=path, state=owned if is_ours else State.FOREIGN, sha256=found_digest)


def _orphan_states(
    root: Path, rendered: Mapping[str, str], before: Ownership, folders: Folders
) -> Iterable[FileState]:
    for path in sorted({*before.files, *before.pending} - {*rendered, *before.ejected}):
        if reason := folders.problem(path):
            yield FileState(path=path, state=State.ORPHAN_EDITED, reason=reason)
            continue
        found = _own(root, path)
        if isinstance(found, str):
            yield FileState(path=path, state=State.ORPHAN_EDITED, reason=found)
        elif found is not None:
            found_digest = digest(found)
            state = State.ORPHAN if found_digest in before.hashes(path) else State.ORPHAN_EDITED
            yield FileState(path=path, state=state, sha256=found_digest)


def _own(root: Path, path: str) -> bytes | str | None:
    """What of the file is Lockgate's, read as below."""
    found = _read(root, path)
    if not isinstance(found, bytes) or not is_shared(path):
        return found
    parts = split(found)
    return UNPAIRED if parts is None else parts.block or None


def _shadowed(root: Path, path: str) -> str:
    """Why a file that is shared must not be made: GitHub reads the first of three, and the team's would not count."""
    if not is_shared(path) or (root / path).exists():
        return ""
    name = path.rpartition("/")[2]
    other = next((it for it in (name, f"docs/{name}") if (root / it).is_file()), None)
    return f"GitHub would no longer read '{other}': move that to '{path}'" if other else ""


def _read(root: Path, path: str) -> bytes | str | None:
    """The file's bytes; or, as text, why it is no plain file; or None where there is nothing."""
    try:
        # Without O_NONBLOCK, opening a named pipe in the file's place would wait for ever.
        descriptor = os.open(f"{root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in _NO_PLAIN_FILE:
            return _NO_PLAIN_FILE[error.errno]
        raise
    try:
        status = os.fstat(descriptor)
        return (
            _read_all(descriptor, status.st_size)
            if stat.S_ISREG(status.st_mode)
            else "it is not a plain file"
        )
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, size: int) -> bytes:
    data = os.read(descriptor, size + 1)
    if len(data) == size:  # of one byte more that was asked for, there is none
        return data
    chunks = [data]
    while chunk := os.read(descriptor, size + 1):
        chunks.append(chunk)
    return b"".join(chunks)


def _ownership_after(
    rendered: Mapping[str, str], before: Ownership, states: Iterable[FileState]
) -> Ownership:
    current = {state.path: state.sha256 for state in states if state.state is State.CURRENT}
    files = {
        path: current.get(path) or digest(text.encode())
        for path, text in rendered.items()
        if path not in before.ejected
    }
    return Ownership(files=files, ejected=before.ejected)


def _link_problem(state: FileState) -> Diagnostic:
    return Diagnostic(
        rule=RULE,
        message=f"'{state.path}' is recorded as a generated file, but {state.reason}",
        file=FILE,
        help="correct that, then run `lockgate render`"
        if is_shared(state.path)
        else "remove what is in its place, then run `lockgate render`",
    )


def _relative(root: Path, error: OSError) -> str:
    return str(error.filename).removeprefix(f"{root}/")
