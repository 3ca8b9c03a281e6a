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
        summary="say what is pinned where, and whether records, manifests and a cluster agree",
        examples="  lockgate status\n  lockgate status --format json\n"
        "  lockgate status --cluster --env production",
    )
    parser.add_argument("--env", metavar="ENV", help="default: every environment")
    parser.add_argument(
        "--cluster", action="store_true", help="look at what runs, in the cluster of the kubeconfig"
    )
    _add_context(parser)
    parser.add_argument("--format", choices=("text", "md", "json"), default="text", help="default: text")


def watch(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "watch",
        summary="see rollouts that failed, and open the pull requests that roll them back",
        examples="  lockgate watch production\n  lockgate watch production --open-pr\n"
        "  lockgate watch --format json > incidents.json\n"
        "  lockgate watch --incidents incidents.json --open-pr",
    )
    parser.add_argument(
        "environments", metavar="ENV", nargs="*", help="those of one cluster (default: every environment)"
    )
    parser.add_argument(
        "--open-pr", action="store_true", help="push a branch and open a pull request for each with `gh`"
    )
    parser.add_argument(
        "--incidents",
        metavar="FILE",
        help="ask no cluster: take what `--format json` wrote (`-` is the standard input)",
    )
    _add_context(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


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


def deploy(commands: Subparsers) -> None:
    parser = add_command(
        commands,
        "deploy",
        summary="apply an environment's manifests to its cluster, and wait for the rollouts",
        examples="  lockgate deploy staging --dry-run\n  lockgate deploy production --timeout 1h\n"
        "  lockgate deploy production --newest origin",
    )
    parser.add_argument("environment", metavar="ENV")
    parser.add_argument(
        "--context", metavar="NAME", help="of the kubeconfig (default: the one that is current there)"
    )
    parser.add_argument(
        "--newest",
        metavar="REMOTE",
        help="deploy only what the remote's main branch says now; else a newer commit does, and that is fine",
    )
    parser.add_argument("--no-wait", action="store_true", help="do not wait for what comes of it")
    parser.add_argument(
        "--timeout",
        metavar="TIME",
        help="how long to wait (default: `delivery.timeout` and the pauses of the rollout)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would change")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def _add_context(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--context", metavar="NAME", help="of the kubeconfig (default: its current one)")


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("environment", metavar="ENV")
    parser.add_argument(
        "--open-pr", action="store_true", help="push a branch and open the pull request with `gh`"
    )
