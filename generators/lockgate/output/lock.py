"""One writer at a time in a project, across processes."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lockgate.output.errors import OutputError, unusable
from lockgate.output.ownership import FOLDER

PATIENCE_SECONDS = 30.0
_POLL_SECONDS = 0.05
_HELD = {errno.EAGAIN, errno.EACCES}
# Some network file systems lock no folders. Two runs at once are rare there, and each file stays whole.
_UNSUPPORTED = {errno.EBADF, errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}


@contextmanager
def locked(
    root: Path, *, say: Callable[[str], None], patience_seconds: float = PATIENCE_SECONDS
) -> Iterator[None]:
    """Hold the project's lock, the folder `.lockgate` itself; the system frees it when a process dies.

    `say` is told once that somebody else holds it. OutputError after that many seconds of waiting.
    """
    descriptor = _open_folder(root)
    try:
        _acquire(descriptor, say, time.monotonic() + patience_seconds)
        yield
    finally:
        os.close(descriptor)


def _open_folder(root: Path) -> int:
    try:
        (root / FOLDER).mkdir(exist_ok=True)
        return os.open(root / FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise unusable("use the folder", FOLDER, error) from error


def _acquire(descriptor: int, say: Callable[[str], None], deadline: float) -> None:
    if _try(descriptor):
        return
    say("another Lockgate is writing here; waiting for it")
    while not _try(descriptor):
        if time.monotonic() >= deadline:
            raise OutputError(
                "another Lockgate has been writing in this project for too long",
                help=f"see which process holds the folder '{FOLDER}' (lsof {FOLDER}), then try again",
            )
        time.sleep(_POLL_SECONDS)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            return True
        if error.errno in _HELD:
            return False
        raise unusable("lock the folder", FOLDER, error) from error
    return True
