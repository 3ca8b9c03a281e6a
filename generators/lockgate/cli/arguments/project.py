"""The arguments of the commands on a project: making, checking, rendering and explaining it."""

from __future__ import annotations

from lockgate.cli.arguments.common import Subparsers, add_command


def init(commands: Subparsers) -> None:
    parser = add_command(
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


def check(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "check",
        summary="say everything that is wrong with mlops.yaml and with the generated files",
        examples="  lockgate check\n  lockgate check --remote\n  lockgate check --format github\n"
        "  lockgate check --format sarif > lockgate.sarif",
    )
    parser.add_argument(
        "--format", choices=("text", "json", "github", "sarif"), default="text", help="default: text"
    )
    parser.add_argument("--strict", action="store_true", help="fail on warnings too")
    parser.add_argument(
        "--remote", action="store_true", help="ask DVC's remote, too, whether it has what is pinned"
    )
    parser.add_argument(
        "--no-cache", action="store_true", help="look anew though nothing has changed since the last check"
    )


def render(commands: Subparsers) -> None:
    parser = add_command(
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


def explain(commands: Subparsers) -> None:
    parser = add_command(
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


def eject(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "eject",
        summary="take over a generated file: from now on Lockgate leaves it alone",
        examples="  lockgate eject pipelines/flight-delay/dvc.yaml\n"
        "  lockgate eject --undo pipelines/flight-delay/dvc.yaml",
    )
    parser.add_argument("file", metavar="FILE", help="a generated file")
    parser.add_argument("--undo", action="store_true", help="give the file back to Lockgate")


def doctor(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "doctor",
        summary="say what is not set up, here and on GitHub, and list what nobody here can look at",
        examples="  lockgate doctor\n  lockgate doctor --offline\n  lockgate doctor --format md > checklist.md",
    )
    parser.add_argument(
        "--offline", action="store_true", help="ask nobody: not DVC's remote, not Git's, not GitHub"
    )
    parser.add_argument("--strict", action="store_true", help="fail on warnings too")
    parser.add_argument("--format", choices=("text", "md", "json"), default="text", help="default: text")


def schema(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "schema",
        summary="print the JSON Schema of mlops.yaml",
        examples="  lockgate schema --output mlops.schema.json",
    )
    parser.add_argument("--output", metavar="FILE", help="default: the standard output")
