"""What can fail on the disk, as one exception that holds facts for people."""

from __future__ import annotations


class OutputError(Exception):
    """Something on the disk is in the way; `help` is the next step."""

    def __init__(self, message: str, *, help: str) -> None:  # noqa: A002 - the word of the diagnostics
        super().__init__(message)
        self.message = message
        self.help = help


def unusable(action: str, path: str, error: OSError) -> OutputError:
    """The failure of the system's call, said of a path relative to the project's root."""
    reason = (error.strerror or type(error).__name__).lower()
    return OutputError(
        f"cannot {action} '{path}': {reason}",
        help="check who owns it, its permissions, and the free space of the disk",
    )
