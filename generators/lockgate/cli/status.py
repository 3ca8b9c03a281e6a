"""`lockgate status`: for each service its pin, the newest release, what the manifests would run, and what does run."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

from lockgate.cli.cluster.looking import seen_in
from lockgate.cli.failure import Exit
from lockgate.cli.history import show_table
from lockgate.cli.names import require_environments
from lockgate.cli.project import compile_project, find_root, read_spec, require_plan, require_spec
from lockgate.cli.releasing.records import record_failures
from lockgate.cli.terminal import Terminal
from lockgate.cluster.rollouts import Seen
from lockgate.cluster.states import State
from lockgate.registry import shelf
from lockgate.registry.rejections import rejection_in_force
from lockgate.registry.shelf import Files
from lockgate.spec.model import Spec
from lockgate.tuples import NamedTuple
from lockgate.yaml import YamlError
from lockgate.yaml.parse import read_text
from lockgate.yaml.values import read_values

Agreement: TypeAlias = Literal["unreleased", "no record", "rejected", "stale manifests", "behind", "newest"]

_WORKLOADS = frozenset({"Deployment", "Rollout"})


class Status(NamedTuple):
    """A model in an environment; `image` is what its manifests run, None where they run nothing."""

    environment: str
    model: str
    pinned: str | None
    newest: str | None
    image: str | None
    state: Agreement


Looked: TypeAlias = Mapping[tuple[str, str], Seen]
"""What runs, by environment and model; empty where no cluster was asked."""


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Says what is, and judges nothing: `lockgate check` does."""
    root = find_root(arguments.root)
    spec = require_spec(read_spec(root), terminal)
    environments = require_environments(spec, [arguments.env] if arguments.env is not None else [])
    with record_failures():
        found = tuple(
            it for it in _statuses(root, spec, shelf.on_disk(root)) if it.environment in environments
        )
    looked = _looked(root, environments, arguments.context, terminal) if arguments.cluster else {}
    if arguments.format == "json":
        document = {"services": [_service(it, looked) for it in found]}
        terminal.say(json.dumps(document, indent=2, ensure_ascii=False))
        return Exit.OK
    heads = ("Environment", "Model", "Pinned", "Newest", "State")
    more = ("In the cluster", "More") if arguments.cluster else ()
    rows = [_row(it, looked) for it in found]
    show_table(terminal, arguments.format, (*heads, *more), rows, nothing="nothing is served")
    return Exit.OK


def _looked(root: Path, environments: Iterable[str], context: str | None, terminal: Terminal) -> Looked:
    plan = require_plan(compile_project(root), terminal)
    return {(it.environment, it.name): seen for it, seen in seen_in(root, plan, environments, context)}


def _service(status: Status, looked: Looked) -> dict[str, Any]:
    seen = looked.get((status.environment, status.model))
    if seen is None:
        return status._asdict()
    cluster = {
        "state": seen.state.value,
        "message": seen.word,
        "object": seen.object,
        "image": seen.image or None,
        "version": seen.version or None,
        "revision": seen.revision or None,
        "differences": [it._asdict() for it in seen.differences],
    }
    return {**status._asdict(), "cluster": cluster}


def _row(status: Status, looked: Looked) -> tuple[str, ...]:
    pinned, newest = status.pinned or "-", status.newest or "-"
    row = (status.environment, status.model, pinned, newest, status.state)
    seen = looked.get((status.environment, status.model))
    return row if seen is None else (*row, seen.state.value, _word(status, seen))


def _word(status: Status, seen: Seen) -> str:
    """Another version than the pinned one says more than the fields that differ with it."""
    if seen.version and status.pinned is not None and seen.version != status.pinned:
        return f"{seen.version}" + (f": {seen.word}" if seen.state is not State.DRIFTED else " runs")
    return seen.word or "-"


def _statuses(root: Path, spec: Spec, files: Files) -> Iterator[Status]:
    for environment in spec.environments.values():
        for model in environment.serve:
            pinned = spec.pins.get(environment.name, {}).get(model)
            newest = shelf.newest(files, model)
            image = _image_in_manifests(root / "manifests" / environment.name / model)
            state = _state(files, model, pinned, newest, image)
            yield Status(environment.name, model, pinned, newest, image, state)


def _state(files: Files, model: str, pinned: str | None, newest: str | None, image: str | None) -> Agreement:
    if pinned is None:
        return "stale manifests" if image is not None else "unreleased"
    path = shelf.record_path(model, pinned)
    if path not in files:
        return "no record"
    if rejection_in_force(files, model, pinned) is not None:
        return "rejected"
    if image is None or image != _block(files[path]).get("image"):
        return "stale manifests"
    return "newest" if pinned == newest else "behind"


def _image_in_manifests(folder: Path) -> str | None:
    """The image of the first container of the workload that lies there."""
    for path in sorted(folder.glob("*.yaml")):
        block = _block(path.read_bytes())
        if block.get("kind") in _WORKLOADS:
            return _image(block)
    return None


def _image(workload: Mapping[str, Any]) -> str | None:
    try:
        return str(workload["spec"]["template"]["spec"]["containers"][0]["image"])
    except (KeyError, IndexError, TypeError):
        return None


def _block(data: bytes) -> Mapping[str, Any]:
    try:
        block = read_values(read_text(data))
    except YamlError:
        return {}
    return block if isinstance(block, Mapping) else {}
