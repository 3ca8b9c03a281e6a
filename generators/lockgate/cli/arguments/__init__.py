"""The arguments of every command, apart from what they do, so that showing help imports nothing else."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from lockgate import __version__
from lockgate.cli.arguments import project, proving, releasing, serving
from lockgate.cli.arguments.common import CommandParser, Subparsers, add_common

_EXIT_CODES = """\
exit codes:
  0   all is well
  1   the spec, a gate or the surroundings say no
  2   the command line was not understood
  3   generated files are not what the spec makes
  70  a bug in Lockgate
"""


def build_parser(first: str | None = None) -> argparse.ArgumentParser:
    """The parser; `module` of what it returns names the module of `lockgate.cli` that runs the command.

    Where `first`, the first argument, is a command, the parsers of all others are left out.
    """
    parser = argparse.ArgumentParser(
        prog="lockgate",
        description="One file, mlops.yaml, compiled into GitHub Actions workflows, DVC pipelines and "
        "Kubernetes manifests.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"lockgate {__version__}")
    add_common(parser, root=None, color="auto")
    commands = parser.add_subparsers(
        title="commands", prog=parser.prog, metavar="COMMAND", required=True, parser_class=CommandParser
    )
    for add in (_COMMANDS[first],) if first in _COMMANDS else _COMMANDS.values():
        add(commands)
    return parser


_COMMANDS: Mapping[str | None, Callable[[Subparsers], None]] = {
    "init": project.init,
    "check": project.check,
    "render": project.render,
    "explain": project.explain,
    "plan": proving.plan,
    "run": proving.run,
    "report": proving.report,
    "eject": project.eject,
    "affected": proving.affected,
    "serve": serving.serve,
    "rehearse": serving.rehearse,
    "release": releasing.release,
    "promote": releasing.promote,
    "rollback": releasing.rollback,
    "deploy": releasing.deploy,
    "history": releasing.history,
    "status": releasing.status,
    "watch": releasing.watch,
    "due": releasing.due,
    "doctor": project.doctor,
    "schema": project.schema,
}
