"""The arguments of the commands that serve a model on this machine."""

from __future__ import annotations

import argparse

from lockgate.cli.arguments.common import Subparsers, add_command


def serve(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "serve",
        summary="serve an exported model on this machine, as a cluster would",
        examples="  lockgate serve flight-delay\n  lockgate serve flight-delay --port 0 --format json\n"
        "  lockgate serve flight-delay --env production\n"
        "  lockgate serve flight-delay --folder champion/model -- --workers 2",
    )
    parser.usage = "lockgate serve [OPTION ...] MODEL [-- SERVER_OPTION ...]"
    parser.add_argument("model", metavar="MODEL", help="the model's name in mlops.yaml")
    parser.add_argument(
        "--port", metavar="N", type=_port, default=8080, help="0 finds a free one (default: 8080)"
    )
    parser.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help="default: 127.0.0.1")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument(
        "--folder", metavar="DIR", help="of the exported model (default: the last run's in artifacts/)"
    )
    chosen.add_argument("--version", metavar="VERSION", help="a release, fetched from DVC's cache or remote")
    chosen.add_argument(
        "--env", metavar="ENV", help="the release that is pinned there, with its settings there"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="of the first line (default: text)"
    )
    parser.set_defaults(passed_on=())


def rehearse(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "rehearse",
        summary="roll an exported model out on this machine, step by step and under the generated analysis",
        examples="  lockgate rehearse flight-delay\n"
        "  lockgate rehearse flight-delay --env production --version 1.3.0\n"
        "  lockgate rehearse flight-delay --stable main --speed 60 --format json\n"
        "  lockgate rehearse flight-delay --stable champion/model --candidate other/model --traffic log.parquet",
    )
    parser.add_argument("model", metavar="MODEL", help="the model's name in mlops.yaml")
    parser.add_argument(
        "--stable",
        metavar="REF_OR_DIR",
        help="a release (1.2.0), a commit with its dvc.lock, or an exported model's folder (default: what is pinned)",
    )
    candidate = parser.add_mutually_exclusive_group()
    candidate.add_argument(
        "--candidate", metavar="DIR", help="of the exported model (default: the last run's in artifacts/)"
    )
    candidate.add_argument(
        "--version", metavar="VERSION", help="a release as the candidate, fetched from DVC's cache or remote"
    )
    parser.add_argument(
        "--traffic",
        metavar="PATH",
        default="holdout",
        help="'holdout', a Parquet file, or the folder of a log of predictions (default: holdout)",
    )
    parser.add_argument("--env", metavar="ENV", help="whose rollout (default: the last with an analysis)")
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


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port: expected a number from 0 to 65535")
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1_000_000:
        raise argparse.ArgumentTypeError(f"'{text}' is no number above 0 and up to 1000000")
    return value
