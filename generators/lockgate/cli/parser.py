"""The arguments of every command, in one place, so that showing help imports nothing else."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TypeAlias

from lockgate import __version__

_Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

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
    _add_common(parser, root=None, color="auto")
    commands = parser.add_subparsers(title="commands", prog=parser.prog, metavar="COMMAND", required=True)
    for add in (_COMMANDS[first],) if first in _COMMANDS else _COMMANDS.values():
        add(commands)
    return parser


def _add_common(parser: argparse.ArgumentParser, *, root: str | None, color: str) -> None:
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


def _add(commands: _Subparsers, name: str, *, summary: str, examples: str) -> argparse.ArgumentParser:
    """A command whose module has its name."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_common(parser, root=argparse.SUPPRESS, color=argparse.SUPPRESS)
    parser.set_defaults(module=name)
    return parser


def _init(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "init",
        summary="make a small working project in an empty folder",
        examples="  lockgate init flights\n  lockgate init . --name flight-delay --repository github.com/acme/flights",
    )
    parser.add_argument(
        "directory", metavar="DIR", nargs="?", default=".", help="the folder (default: this one)"
    )
    parser.add_argument("--name", help="the model's name (default: the folder's)")
    parser.add_argument("--repository", help="host/owner/name (default: as the Git remote 'origin' says)")


def _check(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "check",
        summary="say everything that is wrong with mlops.yaml and with the generated files",
        examples="  lockgate check\n  lockgate check --format github\n"
        "  lockgate check --format sarif > lockgate.sarif",
    )
    parser.add_argument(
        "--format", choices=("text", "json", "github", "sarif"), default="text", help="default: text"
    )
    parser.add_argument("--strict", action="store_true", help="fail on warnings too")


def _render(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "render",
        summary="write the generated files that differ from what the spec makes",
        examples="  lockgate render\n  lockgate render --diff\n"
        "  lockgate render --force pipelines/flight-delay/dvc.yaml",
    )
    parser.add_argument(
        "--diff", action="store_true", help="show what would change and write nothing; exit 3 if anything"
    )
    parser.add_argument(
        "--force",
        metavar="PATH",
        nargs="+",
        default=[],
        help="overwrite these files, or all in these folders, though edited by hand",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def _explain(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "explain",
        summary="say what holds at a place of the spec, who says so, and what it means",
        examples="  lockgate explain\n  lockgate explain models.flight-delay.serve --env production",
    )
    parser.add_argument(
        "path", metavar="PATH", nargs="?", default="", help="a dotted path (default: all of the spec)"
    )
    parser.add_argument("--env", metavar="ENV", help="as it holds in this environment")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def _run(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "run",
        summary="run the pipelines with DVC, judge the models and write the reports",
        examples="  lockgate run\n  lockgate run flight-delay --base origin/main\n  lockgate run --dry-run",
    )
    parser.add_argument("models", metavar="MODEL", nargs="*", help="default: every model")
    parser.add_argument(
        "--base",
        metavar="REF",
        help="compare with the version that is live as of this commit (default: do not)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say which stages would run")
    parser.add_argument("--verbose", action="store_true", help="pass on all that DVC and the stages print")
    parser.add_argument(
        "--no-gate-exit", action="store_true", help="exit 0 even if a gate blocks: the report says it"
    )


def _plan(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "plan",
        summary="say what happens when the change merges, without training anything",
        examples="  lockgate plan\n  lockgate plan --base origin/main --format md",
    )
    parser.add_argument(
        "--base", metavar="REF", help="the commit that the change starts from (default: the main branch)"
    )
    parser.add_argument("--format", choices=("text", "md", "json"), default="text", help="default: text")


def _report(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "report",
        summary="write the report on what the last run of the pipelines left",
        examples="  lockgate report\n  lockgate report flight-delay --format html --output report.html\n"
        "  lockgate report --base origin/main --format md",
    )
    parser.add_argument("models", metavar="MODEL", nargs="*", help="default: every model")
    parser.add_argument("--format", choices=("md", "html", "json"), default="md", help="default: md")
    parser.add_argument("--output", metavar="FILE", help="default: the standard output")
    parser.add_argument(
        "--base", metavar="REF", help="only the models that the change since this commit touches"
    )
    parser.add_argument(
        "--verdict-output",
        metavar="FILE",
        help="append 'verdict=pass', 'warn' or 'fail' to it, as GitHub's outputs want it",
    )


def _eject(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "eject",
        summary="take over a generated file: from now on Lockgate leaves it alone",
        examples="  lockgate eject pipelines/flight-delay/dvc.yaml\n"
        "  lockgate eject --undo pipelines/flight-delay/dvc.yaml",
    )
    parser.add_argument("file", metavar="FILE", help="a generated file")
    parser.add_argument("--undo", action="store_true", help="give the file back to Lockgate")


def _affected(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "affected",
        summary="say which models a change touches, and why",
        examples="  lockgate affected --base origin/main\n"
        '  lockgate affected --base "$BASE_SHA" --format github-output >> "$GITHUB_OUTPUT"',
    )
    parser.add_argument("--base", metavar="REF", required=True, help="the commit that the change starts from")
    parser.add_argument(
        "--format", choices=("text", "json", "github-output"), default="text", help="default: text"
    )


def _schema(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "schema",
        summary="print the JSON Schema of mlops.yaml",
        examples="  lockgate schema --output mlops.schema.json",
    )
    parser.add_argument("--output", metavar="FILE", help="default: the standard output")


_COMMANDS: Mapping[str | None, Callable[[_Subparsers], None]] = {
    "init": _init,
    "check": _check,
    "render": _render,
    "explain": _explain,
    "plan": _plan,
    "run": _run,
    "report": _report,
    "eject": _eject,
    "affected": _affected,
    "schema": _schema,
}
