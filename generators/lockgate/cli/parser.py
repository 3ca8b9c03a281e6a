"""The arguments of every command, in one place, so that showing help imports nothing else."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from lockgate import __version__

_Subparsers: TypeAlias = "argparse._SubParsersAction[_CommandParser]"

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
    commands = parser.add_subparsers(
        title="commands", prog=parser.prog, metavar="COMMAND", required=True, parser_class=_CommandParser
    )
    for add in (_COMMANDS[first],) if first in _COMMANDS else _COMMANDS.values():
        add(commands)
    return parser


class _CommandParser(argparse.ArgumentParser):
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


def _serve(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "serve",
        summary="serve an exported model on this machine, as a cluster would",
        examples="  lockgate serve flight-delay\n  lockgate serve flight-delay --port 0 --format json\n"
        "  lockgate serve flight-delay --folder champion/model -- --workers 2",
    )
    parser.usage = "lockgate serve [OPTION ...] MODEL [-- SERVER_OPTION ...]"
    parser.add_argument("model", metavar="MODEL", help="the model's name in mlops.yaml")
    parser.add_argument(
        "--port", metavar="N", type=_port, default=8080, help="0 finds a free one (default: 8080)"
    )
    parser.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument(
        "--folder", metavar="DIR", help="of the exported model (default: the last run's in artifacts/)"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="of the first line (default: text)"
    )
    parser.set_defaults(passed_on=())


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port: expected a number from 0 to 65535")
    return int(text)


def _rehearse(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "rehearse",
        summary="roll an exported model out on this machine, step by step and under the generated analysis",
        examples="  lockgate rehearse flight-delay --stable main\n"
        "  lockgate rehearse flight-delay --stable flight-delay@v1.2.0 --speed 60 --format json\n"
        "  lockgate rehearse flight-delay --stable champion/model --candidate other/model --traffic log.parquet",
    )
    parser.add_argument("model", metavar="MODEL", help="the model's name in mlops.yaml")
    parser.add_argument(
        "--stable",
        metavar="REF_OR_DIR",
        required=True,
        help="the version that is live: a commit whose dvc.lock names it, or the folder of an exported model",
    )
    parser.add_argument(
        "--candidate", metavar="DIR", help="of the exported model (default: the last run's in artifacts/)"
    )
    parser.add_argument(
        "--traffic",
        metavar="PATH",
        default="holdout",
        help="'holdout', a Parquet file, or the folder of a log of predictions (default: holdout)",
    )
    parser.add_argument(
        "--environment", metavar="ENV", help="whose rollout (default: the last with an analysis)"
    )
    parser.add_argument(
        "--rate", metavar="N", type=_positive, default=200.0, help="requests a second (default: 200)"
    )
    parser.add_argument(
        "--speed", metavar="F", type=_positive, help="how many times as fast (default: all in about a minute)"
    )
    parser.add_argument(
        "--judge",
        choices=("auto", "prometheus", "built-in"),
        default="auto",
        help="who evaluates the analysis; auto takes Prometheus where it is installed (default: auto)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"'{text}' is no number above 0 and up to 1000000")
    return value


def _release(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "release",
        summary="record the next version of every model whose artifact is new",
        examples="  lockgate release --dry-run\n  lockgate release flight-delay --bump minor\n"
        "  lockgate release --publish origin --image flight-delay=ghcr.io/acme/flights@sha256:…",
    )
    parser.add_argument("models", metavar="MODEL", nargs="*", help="default: every model")
    parser.add_argument(
        "--bump", choices=("major", "minor", "patch"), help="default: as the spec's rule says"
    )
    parser.add_argument(
        "--label",
        metavar="LABEL",
        action="append",
        default=[],
        help="a label of the pull request; release:major, release:minor and release:patch count",
    )
    parser.add_argument(
        "--image",
        metavar="[MODEL=]REF",
        action="append",
        default=[],
        help="the image that serves the model, by digest",
    )
    parser.add_argument(
        "--report", metavar="URL", help="where the report lies that was read before the merge"
    )
    parser.add_argument(
        "--evidence",
        metavar="KIND=REF",
        action="append",
        default=[],
        help="where the scan, sbom, provenance or signature of the image lies",
    )
    parser.add_argument(
        "--approver", metavar="NAME", action="append", default=[], help="who approved the pull request"
    )
    parser.add_argument(
        "--publish", metavar="REMOTE", help="push the records to the remote's main branch, then their tags"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be released")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def _promote(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "promote",
        summary="pin a released version in an environment, and render what follows",
        examples="  lockgate promote flight-delay staging\n"
        "  lockgate promote flight-delay production --version 1.2.0 --open-pr",
    )
    _add_place(parser)
    parser.add_argument("--version", metavar="VERSION", help="default: the newest that was not rejected")
    parser.add_argument(
        "--override-rejection", metavar="REASON", help="promote a rejected version all the same, and say why"
    )


def _rollback(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "rollback",
        summary="pin the version that was live before, and render what follows",
        examples='  lockgate rollback flight-delay production --reason "latency doubled" --open-pr\n'
        "  lockgate rollback flight-delay production --to 1.1.0",
    )
    _add_place(parser)
    parser.add_argument("--to", metavar="VERSION", help="default: what was pinned there before, by Git")
    parser.add_argument(
        "--reason", metavar="REASON", help="mark the version, so that it is not promoted again by mistake"
    )
    parser.add_argument("--incident", metavar="ID", help="what the mark is called (default: place and time)")


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("environment", metavar="ENV")
    parser.add_argument(
        "--open-pr", action="store_true", help="push a branch and open the pull request with `gh`"
    )


def _history(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "history",
        summary="say what was live when, and who merged it, from Git alone",
        examples="  lockgate history\n  lockgate history flight-delay --env production\n"
        "  lockgate history --at 2026-11-03T02:00Z --format json",
    )
    parser.add_argument("model", metavar="MODEL", nargs="?", help="default: every model")
    parser.add_argument("--env", metavar="ENV", help="default: every environment")
    parser.add_argument(
        "--at", metavar="TIME", help="what was live then; ISO 8601, UTC where it names no zone"
    )
    parser.add_argument("--ref", metavar="REF", default="HEAD", help="the branch or commit (default: HEAD)")
    parser.add_argument("--format", choices=("text", "md", "json"), default="text", help="default: text")


def _status(commands: _Subparsers) -> None:
    parser = _add(
        commands,
        "status",
        summary="say what is pinned where, and whether records and manifests agree",
        examples="  lockgate status\n  lockgate status --format json",
    )
    parser.add_argument("--format", choices=("text", "md", "json"), default="text", help="default: text")


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
    "serve": _serve,
    "rehearse": _rehearse,
    "release": _release,
    "promote": _promote,
    "rollback": _rollback,
    "history": _history,
    "status": _status,
    "schema": _schema,
}
