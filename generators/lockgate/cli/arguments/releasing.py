"""The arguments of the commands on releases, pins and what is live."""

from __future__ import annotations

import argparse

from lockgate.cli.arguments.common import Subparsers, add_command


def release(commands: Subparsers) -> None:
    parser = add_command(
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


def promote(commands: Subparsers) -> None:
    parser = add_command(
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


def rollback(commands: Subparsers) -> None:
    parser = add_command(
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


def history(commands: Subparsers) -> None:
    parser = add_command(
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


def status(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "status",
        summary="say what is pinned where, and whether records and manifests agree",
        examples="  lockgate status\n  lockgate status --format json",
    )
    parser.add_argument("--format", choices=("text", "md", "json"), default="text", help="default: text")


def due(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "due",
        summary="say what waits to be released or promoted",
        examples="  lockgate due\n  lockgate due --format json\n  lockgate due --open-pr",
    )
    parser.add_argument(
        "--open-pr", action="store_true", help="open the pull requests of the promotions with `gh`"
    )
    parser.add_argument(
        "--format", choices=("text", "json", "github-output"), default="text", help="default: text"
    )


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("environment", metavar="ENV")
    parser.add_argument(
        "--open-pr", action="store_true", help="push a branch and open the pull request with `gh`"
    )
