"""`lockgate rollback`: the same one-line change backwards, to what was live before or to a version that is named."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.names import require_place
from lockgate.cli.project import find_root, read_spec, require_spec
from lockgate.cli.pull_requests.opening import open_pull_request, require_ready
from lockgate.cli.releasing.moving import Move, apply, say_moved
from lockgate.cli.releasing.records import record_failures, require_recorded
from lockgate.cli.terminal import Terminal, printable
from lockgate.registry import shelf
from lockgate.registry.git import Git, GitError
from lockgate.registry.history import events
from lockgate.registry.rejections import Rejection, rejection_file, rejection_in_force
from lockgate.registry.shelf import Files
from lockgate.spec.model import Spec
from lockgate.tuples import NamedTuple


class Mark(NamedTuple):
    """Why the version is not to be promoted again; without an `incident` it is called by place and time."""

    reason: str
    incident: str | None = None
    evidence: Mapping[str, Any] = {}


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 1 where there is nothing to go back to."""
    root = find_root(arguments.root)
    reading = read_spec(root)
    spec = require_spec(reading, terminal)
    require_place(spec, arguments.model, arguments.environment)
    if arguments.open_pr:
        require_ready(root, spec)
    mark = Mark(arguments.reason, arguments.incident) if arguments.reason else None
    move = move_back(root, spec, arguments.environment, arguments.model, to=arguments.to, mark=mark)
    moved = apply(terminal, root, reading, move)
    say_moved(terminal, moved)
    if arguments.open_pr:
        terminal.say(open_pull_request(root, spec, moved, _body(arguments)))
    else:
        terminal.say("next: commit this on a branch and open a pull request; merging it rolls back")
    return Exit.OK


def move_back(
    root: Path, spec: Spec, environment: str, model: str, *, to: str | None = None, mark: Mark | None = None
) -> Move:
    """To that version, or to what was live before; Failure where there is none that is sound."""
    old = spec.pins.get(environment, {}).get(model)
    if old is None:
        raise Failure(
            f"nothing of '{model}' is pinned in '{environment}'", help="there is nothing to roll back"
        )
    new = to or _before(root, environment, model, old)
    files = shelf.on_disk(root, [model])
    require_recorded(model, new, files)
    if new == old:
        raise Failure(f"'{model}' {old} is what is pinned in '{environment}'", help="name another with --to")
    _require_sound(model, new, files)
    marks = _marked(model, old, environment, mark) if mark is not None else {}
    return Move(model=model, environment=environment, old=old, new=new, marks=marks)


def _before(root: Path, environment: str, model: str, current: str) -> str:
    """What was pinned there before the current version, by Git."""
    git = Git(root=root)
    try:
        changes = [it for it in events(git) if (it.environment, it.model) == (environment, model)]
    except GitError as error:
        raise Failure(
            f"cannot tell what was live before: {error}", help="name the version with --to"
        ) from error
    for event in reversed(changes):
        if event.new == current and event.old not in (None, current):
            return str(event.old)
    why = "this clone is shallow" if git.is_shallow else "Git knows of no version before it"
    raise Failure(
        f"cannot tell what was live in '{environment}' before '{model}' {current}: {why}",
        help="name the version with --to",
    )


def _require_sound(model: str, version: str, files: Files) -> None:
    with record_failures():
        rejection = rejection_in_force(files, model, version)
    if rejection is not None:
        raise Failure(
            f"'{model}' {version} was rejected itself: {printable(' '.join(rejection.reason.split()))}",
            help="name another with --to, or use `lockgate promote` with --override-rejection REASON",
        )


def _marked(model: str, version: str, environment: str, mark: Mark) -> Mapping[str, bytes]:
    """The mark's file: the version is not to be promoted again by mistake."""
    now = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    path, data = rejection_file(
        Rejection(
            model=model,
            version=version,
            incident=mark.incident or f"{environment}-{now}",
            environment=environment,
            reason=mark.reason,
            time=now,
            evidence=mark.evidence,
        )
    )
    return {path: data}


def _body(arguments: Namespace) -> str:
    lines = ["Made by `lockgate rollback`. Merging this rolls back; reverting it promotes again."]
    if arguments.reason:
        lines.append(f"Why: {arguments.reason}")
    return "\n\n".join(lines)
