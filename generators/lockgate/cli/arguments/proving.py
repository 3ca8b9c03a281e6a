"""The arguments of the commands on a change: what it touches, does and is worth."""

from __future__ import annotations

from lockgate.cli.arguments.common import Subparsers, add_command


def plan(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "plan",
        summary="say what happens when the change merges, without training anything",
        examples="  lockgate plan\n  lockgate plan --base origin/main --format md",
    )
    parser.add_argument(
        "--base", metavar="REF", help="the commit that the change starts from (default: the main branch)"
    )
    parser.add_argument("--format", choices=("text", "md", "json"), default="text", help="default: text")


def run(commands: Subparsers) -> None:
    parser = add_command(
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


def report(commands: Subparsers) -> None:
    parser = add_command(
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


def affected(commands: Subparsers) -> None:
    parser = add_command(
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
