"""Plan → the workflows of pull requests, of what was merged, and of clusters. They know no stage and no gate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from lockgate.plan.model import Plan
from lockgate.targets.file import File
from lockgate.targets.github import deploy, fork_report, pull_request, release, watch
from lockgate.targets.github.pins import annotate
from lockgate.targets.github.updates import dependabot

if TYPE_CHECKING:
    from lockgate.targets.github.types import Workflow

__all__ = ["annotate", "emit"]


def emit(plan: Plan) -> tuple[File, ...]:
    """The workflows of a project. What writes them passes their text through `annotate`."""
    workflows = (
        _file("lockgate-pr", pull_request.workflow(plan)),
        _file("lockgate-fork-report", fork_report.workflow(plan)),
        _file("lockgate-release", release.workflow(plan)),
        *_of_clusters(plan),
    )
    interval = plan.spec.ci.updates
    if interval is None:
        return workflows
    rules = dependabot(interval, [file.path for file in workflows])
    return (*workflows, File(path=".github/dependabot.yml", content=rules))


def _of_clusters(plan: Plan) -> Iterator[File]:
    delivery = plan.spec.delivery
    if delivery is None or not plan.services:
        return
    if delivery.mode == "push":
        yield _file("lockgate-deploy", deploy.workflow(plan, delivery))
    if delivery.steps:
        yield _file("lockgate-watch", watch.workflow(plan, delivery))


def _file(name: str, workflow: Workflow) -> File:
    return File(path=f".github/workflows/{name}.yml", content=cast("Mapping[str, Any]", workflow))
