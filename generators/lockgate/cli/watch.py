"""`lockgate watch`: rollouts that failed in a cluster, and the pull requests that make Git say so, too.

In two steps where one job may ask the cluster and another may write to the repository.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from lockgate.cli.cluster.looking import seen_in
from lockgate.cli.failure import Exit, Failure
from lockgate.cli.names import require_environments, require_place
from lockgate.cli.project import compile_project, find_root, read_spec, require_plan, require_spec
from lockgate.cli.pull_requests.incidents import open_all
from lockgate.cli.terminal import Terminal, printable
from lockgate.cluster.incidents import Incident, IncidentError, Unclear, Watched, dump, incident_of, load
from lockgate.cluster.rollouts import Seen
from lockgate.cluster.states import FAILED, State
from lockgate.plan.model import Record, Service


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 0 where nothing is wrong, or all that is has its pull request already."""
    _require_usable(arguments)
    root = find_root(arguments.root)
    watched = _read(arguments.incidents) if arguments.incidents else _looked(arguments, root, terminal)
    if arguments.format == "json":
        terminal.say(dump(watched))
    else:
        _show(terminal, watched)
    is_settled = _open(terminal, root, watched) if arguments.open_pr else not watched.incidents
    return Exit.OK if is_settled and not watched.unclear else Exit.REFUSED


def _require_usable(arguments: Namespace) -> None:
    if arguments.format == "json" and arguments.open_pr:
        raise Failure(
            "--format json is of the step that looks, and --open-pr says what it does in words",
            help="leave one of them out",
            exit_code=Exit.USAGE,
        )
    if arguments.incidents and (arguments.environments or arguments.context):
        raise Failure(
            "with --incidents no cluster is asked",
            help="name environments and a context in the step that looks",
            exit_code=Exit.USAGE,
        )


def _looked(arguments: Namespace, root: Path, terminal: Terminal) -> Watched:
    plan = require_plan(compile_project(root), terminal)
    environments = require_environments(plan.spec, arguments.environments)
    seen = tuple(seen_in(root, plan, environments, arguments.context))
    for line in _others(seen):
        terminal.error(printable(line))
    judged = [_judged(service, found) for service, found in seen]
    return Watched(
        incidents=tuple(it for it in judged if isinstance(it, Incident)),
        unclear=tuple(it for it in judged if isinstance(it, Unclear)),
    )


def _judged(service: Service, seen: Seen) -> Incident | Unclear | None:
    """None where all is well, and where what failed is not what Git has pinned: then it says what is true already."""
    why = ""
    if seen.has_failed and seen.image:
        if service.release is not None and _is_pinned(seen, service.release):
            return incident_of(service.environment, service.name, service.release.version, seen)
    elif seen.has_failed:
        why = f"its rollout was {seen.state}, and the cluster does not tell of which image: {seen.word}"
    elif seen.state in FAILED:
        why = f"{seen.state}, and not because of a new version: {seen.word}"
    elif seen.state is State.ABSENT and service.release is not None:
        why = f"{service.release.version} is pinned, and nothing of it is in this cluster"
    return Unclear(service.environment, service.name, why) if why else None


def _is_pinned(seen: Seen, release: Record) -> bool:
    """By the image's digest, for a cluster may pull it from a mirror; one image may serve two releases."""
    digest = release.image.partition("@")[2]
    return seen.image.endswith(f"@{digest}") and seen.version in ("", release.version)


def _others(seen: tuple[tuple[Service, Seen], ...]) -> Iterator[str]:
    """Rollouts that failed of what Git does not pin."""
    for service, found in seen:
        if found.has_failed and found.image and _judged(service, found) is None:
            pinned = f"pins {service.release.version}" if service.release is not None else "pins nothing"
            yield (
                f"{service.name} in {service.environment}: the rollout of {found.version or found.image} "
                f"was {found.state}, and Git {pinned}: nothing to roll back"
            )


def _read(path: str) -> Watched:
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return load(data)
    except OSError as error:
        raise Failure(
            f"cannot read '{printable(path)}': {(error.strerror or '').lower()}",
            help="it is what `lockgate watch --format json` writes",
        ) from error
    except IncidentError as error:
        raise Failure(
            f"'{printable(path)}' tells of no incidents: {error}",
            help="it is what `lockgate watch --format json` writes: see whether that step failed",
        ) from error


def _open(terminal: Terminal, root: Path, watched: Watched) -> bool:
    if not watched.incidents:
        return True
    spec = require_spec(read_spec(root), terminal)
    for incident in watched.incidents:
        require_place(spec, incident.model, incident.environment)
    return open_all(terminal, root, spec, watched.incidents)


def _show(terminal: Terminal, watched: Watched) -> None:
    for it in watched.incidents:
        message = it.evidence.message or "no reason is given"
        terminal.say(
            printable(
                f"{it.model} {it.version} in {it.environment}: {it.state} (incident {it.id}): {message}"
            )
        )
    for unclear in watched.unclear:
        terminal.say(printable(f"{unclear.model} in {unclear.environment}: {unclear.why}"))
    if not watched.incidents and not watched.unclear:
        terminal.say("nothing is wrong")
