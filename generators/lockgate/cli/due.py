"""`lockgate due`: what waits to be released or promoted; opens the promotions' pull requests where asked."""

from __future__ import annotations

import json
import time
from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import Any

from lockgate.cli.dvc.lock import hash_of, read_lock
from lockgate.cli.failure import Exit, Failure
from lockgate.cli.project import compile_project, find_root, require_plan
from lockgate.cli.pull_requests.github import github_of
from lockgate.cli.pull_requests.opening import require_ready
from lockgate.cli.pull_requests.upkeep import Wanted, keep_open
from lockgate.cli.releasing.moving import Move
from lockgate.cli.releasing.records import record_failures
from lockgate.cli.terminal import Terminal, printable
from lockgate.contract import CARD, COMPARISON, MODEL_DIRECTORY, PROVENANCE, artifact_path
from lockgate.plan import image
from lockgate.plan.model import Pipeline, Plan
from lockgate.registry import shelf
from lockgate.registry.due import Promotion, due_promotions, due_releases
from lockgate.registry.git import Git, GitError
from lockgate.registry.history import events
from lockgate.tuples import NamedTuple

_READ = (".json", ".csv", CARD)
_BODY = "Opened by `lockgate due`. Merging this promotes; reverting it rolls back; closing it says no to this version."


class Due(NamedTuple):
    """`images` maps a model that is to be released to where its image goes, if it is to have one."""

    releases: tuple[Pipeline, ...]
    promotions: tuple[Promotion, ...]
    images: dict[str, str]


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 0 where nothing is due, too."""
    root = find_root(arguments.root)
    plan = require_plan(compile_project(root), terminal)
    try:
        with record_failures():
            due = _due(root, plan)
    except GitError as error:
        raise Failure(str(error), help="run this in a clone with its whole history") from error
    if arguments.open_pr:
        _open_all(terminal, root, plan, due.promotions)
    else:
        _show(terminal, arguments.format, due)
    return Exit.OK


def _due(root: Path, plan: Plan) -> Due:
    files = shelf.on_disk(root)
    locked = {
        it.name: hash_of(read_lock(root, it.directory), artifact_path(it.name, MODEL_DIRECTORY))
        for it in plan.pipelines
    }
    names = due_releases(locked, files)
    served = {service.name for service in plan.services} if plan.spec.project.image_registry else set()
    return Due(
        releases=tuple(it for it in plan.pipelines if it.name in names),
        promotions=tuple(due_promotions(plan.spec, files, events(Git(root=root)), time.time())),
        images={name: image.repository(plan, name) for name in names if name in served},
    )


def _show(terminal: Terminal, form: str, due: Due) -> None:
    releases = [_release(it, due.images.get(it.name, "")) for it in due.releases]
    promotions = [it._asdict() for it in due.promotions]
    if form == "json":
        terminal.say(json.dumps({"releases": releases, "promotions": promotions}, indent=2))
    elif form == "github-output":
        terminal.say(f"releases={json.dumps(releases)}\npromotions={json.dumps(promotions)}")
        terminal.say(f"images={json.dumps([it for it in releases if it['image']])}")
    else:
        for pipeline in due.releases:
            terminal.say(printable(f"{pipeline.name}: to be released"))
        for it in due.promotions:
            terminal.say(printable(f"{it.model}: {it.new} to be promoted to {it.environment}"))
        if not releases and not promotions:
            terminal.say("nothing is due")


def _release(pipeline: Pipeline, reference: str) -> dict[str, Any]:
    """What a job needs to know; `paths` are the files that the release reads, as DVC has them."""
    written = (path for it in pipeline.stages for path in (*it.outs, *it.metrics, *it.plots))
    model = artifact_path(pipeline.name, MODEL_DIRECTORY)
    own = {artifact_path(pipeline.name, name) for name in (COMPARISON, PROVENANCE)}
    read = [path for path in written if path == model or (path.endswith(_READ) and path not in own)]
    return {
        "model": pipeline.name,
        "image": reference,
        "dockerfile": image.dockerfile(pipeline.name),
        "paths": "\n".join(dict.fromkeys(read)),
    }


def _open_all(terminal: Terminal, root: Path, plan: Plan, promotions: tuple[Promotion, ...]) -> None:
    if not promotions:
        terminal.say("no promotion is due")
        return
    require_ready(root, plan.spec)
    github = github_of(root, plan.spec)
    for it in promotions:
        branch = f"lockgate/{it.environment}/{it.model}/{it.new}"
        want = partial(_wanted, it)
        keep_open(terminal, plan.spec, github, branch, want, is_automatic=it.is_automatic)


def _wanted(promotion: Promotion) -> Wanted:
    move = Move(promotion.model, promotion.environment, promotion.old, promotion.new, marks={})
    return Wanted(move, _BODY, _BODY)
