"""One command from its arguments to its exit code. Every failure ends here as words for people."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from lockgate import __version__
from lockgate.cli.arguments import build_parser
from lockgate.cli.failure import Exit, Failure
from lockgate.cli.terminal import Terminal, make_terminal


def run(arguments: Sequence[str]) -> int:
    """Run the command that the arguments name; the exit code is one of `Exit`."""
    try:
        parsed = build_parser(next(iter(arguments), None)).parse_args(arguments)
    except SystemExit as stop:  # argparse has said what is wrong with the usage, or shown the help
        return stop.code if isinstance(stop.code, int) else Exit.USAGE
    terminal = make_terminal(sys.stdout, sys.stderr, os.environ, parsed.color)
    try:
        code: int = import_module(f"lockgate.cli.{parsed.module}").run(parsed, terminal)
        sys.stdout.flush()
    except BrokenPipeError:
        return reader_left()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Failure as failure:
        _explain(failure, terminal)
        return failure.exit_code
    except Exception:  # noqa: BLE001 - the last place that can still say what to do about a bug
        return _report_bug(terminal)
    return code


def reader_left() -> Exit:
    """Whoever read the output has seen enough: without this, Python would complain when it closes the stream."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return Exit.BROKEN_PIPE


def _explain(failure: Failure, terminal: Terminal) -> None:
    terminal.error(f"{terminal.alarm('error:')} {failure.message}")
    if failure.help:
        terminal.error(f"  = help: {failure.help}")


def _report_bug(terminal: Terminal) -> int:
    import traceback

    terminal.error(traceback.format_exc().rstrip())
    terminal.error(
        f"{terminal.alarm('error:')} this is a bug in Lockgate {__version__}, not a mistake of yours"
    )
    terminal.error("  = help: report it with the lines above and the part of mlops.yaml that brings it about")
    return Exit.BUG
