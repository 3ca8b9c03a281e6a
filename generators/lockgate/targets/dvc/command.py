"""Arguments → the `cmd` of a stage, such that the process gets exactly those arguments."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def shell_command(arguments: Sequence[str]) -> str | list[str]:
    """The arguments, quoted for a POSIX shell.

    DVC runs each line of a string as a command of its own, and takes more characters for line ends than a
    shell does (U+0085 and U+2028 among them): a string that has one goes into a list, whose items stay whole.
    """
    command = shlex.join(arguments)
    return command if command.splitlines() == [command] else [command]
