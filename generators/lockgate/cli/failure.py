"""Exit codes, and the one exception that ends a command with words for people."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What an exit code means; stable, for scripts depend on it."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    STALE = 3
    BUG = 70
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class Failure(Exception):  # noqa: N818 - it is no bug, and reads so where it is raised
    """The command cannot go on; `help` is the next step."""

    def __init__(self, message: str, *, help: str = "", exit_code: Exit = Exit.REFUSED) -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.help = help
        self.exit_code = exit_code
