"""Plan → the paths that count: a change of none of them needs neither a check nor a proof."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import normpath

from lockgate.contract import SPEC_FILE
from lockgate.plan.affected import SHARED_PATHS
from lockgate.plan.model import Plan

_LOCKGATES = (".github", ".lockgate", "manifests", "pipelines", "registry")
"""Folders that Lockgate writes or that belong to what it writes."""


def counting_paths(plan: Plan) -> tuple[str, ...]:
    """Files and folders from the root, sorted, none inside another: what Lockgate reads, writes and runs."""
    watched = (path for pipeline in plan.pipelines for path in pipeline.watch)
    own = (SPEC_FILE, plan.spec.project.requirements, *SHARED_PATHS, ".dvcignore", *_LOCKGATES)
    return tuple(_outermost({normpath(path) for path in (*own, *watched)}))


def _outermost(paths: set[str]) -> list[str]:
    if "." in paths:
        return ["."]
    return sorted(path for path in paths if paths.isdisjoint(_folders(path)))


def _folders(path: str) -> Iterator[str]:
    """Those that the path lies in."""
    while (path := path.rpartition("/")[0]) != "":
        yield path
