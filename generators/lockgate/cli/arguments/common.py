"""What the arguments of all commands are made of."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TypeAlias

Subparsers: TypeAlias = "argparse._SubParsersAction[CommandParser]"


class CommandParser(argparse.ArgumentParser):
    """Of a command with `passed_on`, keeps there what stands behind `--`: arguments of the program it starts."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str], namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        if self.get_default("passed_on") is None or "--" not in args:
            return super().parse_known_args(args, namespace)
        end = list(args).index("--")
        parsed, unknown = super().parse_known_args(args[:end], namespace)
        parsed.passed_on = tuple(args[end + 1 :])
        return parsed, unknown


def add_common(parser: argparse.ArgumentParser, *, root: str | None, color: str) -> None:
    """`-C` and `--color`, which stand before or after the command."""
    parser.add_argument(
        "-C",
        "--root",
        metavar="DIR",
        default=root,
        help="the project's folder (default: where mlops.yaml is, here or above)",
    )
    parser.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default=color,
        help="colour the output (default: auto)",
    )


def add_command(commands: Subparsers, name: str, *, summary: str, examples: str) -> argparse.ArgumentParser:
    """A command whose module has its name."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_common(parser, root=argparse.SUPPRESS, color=argparse.SUPPRESS)
    parser.set_defaults(module=name)
    return parser
