"""Why a cluster cannot be asked, in words for people."""

from __future__ import annotations

_LONGEST = 400


class ClusterError(Exception):
    """The cluster or the kubeconfig refuses; `help` is the next step."""

    def __init__(self, message: str, *, help: str = "") -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.help = help


class Refused(ClusterError):  # noqa: N818 - it reads so where it is caught
    """The cluster answered, and its answer is no; `status` is that of HTTP."""

    def __init__(self, message: str, *, status: int, help: str = "") -> None:  # noqa: A002
        super().__init__(message, help=help)
        self.status = status


def one_line(text: str) -> str:
    """What a cluster says, bounded, on one line, without what a terminal would obey."""
    line = " ".join("".join(it if it.isprintable() else " " for it in text).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
