"""The command line: arguments in, an exit code out. Nothing is imported here that an unchanged project does without."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from lockgate.cli.unchanged import recall


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is one of `lockgate.cli.failure.Exit`."""
    # A run is short, and what it makes of a large spec has no cycles: looking for some takes longer and longer.
    gc.disable()
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    said = recall(arguments)
    # What any command needs takes longer to import than that answer.
    if said is None:
        from lockgate.cli.command import run

        return run(arguments)
    try:
        print(said, flush=True)
    except BrokenPipeError:
        from lockgate.cli.command import reader_left

        return reader_left()
    return 0
