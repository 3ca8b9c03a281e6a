"""`lockgate promote`: one version pinned in one environment, and what is rendered of that."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.names import require_place
from lockgate.cli.project import find_root, read_spec, require_spec
from lockgate.cli.pull_requests.opening import open_pull_request, require_ready
from lockgate.cli.releasing.moving import Move, Moved, apply, say_moved
from lockgate.cli.releasing.records import record_failures, require_recorded
from lockgate.cli.terminal import Terminal, printable
from lockgate.registry import shelf
from lockgate.registry.rejections import override_file, rejection_in_force
from lockgate.registry.shelf import Files
from lockgate.spec.model import Spec


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 0 where the version is pinned there already."""
    root = find_root(arguments.root)
    reading = read_spec(root)
    spec = require_spec(reading, terminal)
    require_place(spec, arguments.model, arguments.environment)
    if arguments.open_pr:
        require_ready(root, spec)
    files = shelf.on_disk(root, [arguments.model])
    with record_failures():
        move = _move(arguments, spec, files)
    if move.old == move.new:
        terminal.say(
            printable(f"{move.model} {move.new} is pinned in {move.environment} already: nothing to do")
        )
        return Exit.OK
    moved = apply(terminal, root, reading, move)
    say_moved(terminal, moved)
    if arguments.open_pr:
        terminal.say(open_pull_request(root, spec, moved, _body(arguments, moved)))
    else:
        terminal.say("next: commit this on a branch and open a pull request; merging it promotes")
    return Exit.OK


def _move(arguments: Namespace, spec: Spec, files: Files) -> Move:
    model, environment = arguments.model, arguments.environment
    version = arguments.version or _newest(model, files)
    require_recorded(model, version, files)
    marks = _override(arguments, version, files)
    old = spec.pins.get(environment, {}).get(model)
    return Move(model=model, environment=environment, old=old, new=version, marks=marks)


def _newest(model: str, files: Files) -> str:
    recorded = shelf.recorded(files).get(model, [])
    if not recorded:
        raise Failure(f"'{model}' has not been released yet", help="merge it, or run `lockgate release`")
    sound = [it for it in recorded if rejection_in_force(files, model, it) is None]
    return sound[-1] if sound else recorded[-1]


def _override(arguments: Namespace, version: str, files: Files) -> Mapping[str, bytes]:
    rejection = rejection_in_force(files, arguments.model, version)
    if rejection is None:
        return {}
    if not arguments.override_rejection:
        raise Failure(
            f"'{arguments.model}' {version} was rejected in '{rejection.environment}' on {rejection.time}: "
            f"{printable(' '.join(rejection.reason.split()))}",
            help="promote another version, or say why this one all the same: --override-rejection REASON",
        )
    now = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    path, data = override_file(rejection, arguments.override_rejection, now)
    return {path: data}


def _body(arguments: Namespace, moved: Moved) -> str:
    lines = ["Made by `lockgate promote`. Merging this promotes; reverting it rolls back."]
    if arguments.override_rejection and moved.move.marks:
        lines.append(
            f"This version was rejected before. Why it is promoted all the same: {arguments.override_rejection}"
        )
    return "\n\n".join(lines)
