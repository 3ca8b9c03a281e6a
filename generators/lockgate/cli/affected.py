"""`lockgate affected`: which models a change touches, and why."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from lockgate.cli.failure import Exit
from lockgate.cli.git import change_since, file_at
from lockgate.cli.project import compile_project, find_root, require_plan
from lockgate.cli.terminal import Terminal, printable
from lockgate.contract import SPEC_FILE
from lockgate.plan.affected import Affected, affected
from lockgate.plan.model import Plan
from lockgate.spec import read
from lockgate.spec.model import Spec

_MOST_REASONS = 3


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 2 for a base that Git does not know."""
    root = find_root(arguments.root)
    plan = require_plan(compile_project(root), terminal)
    found = affected_since(root, plan, arguments.base)
    if arguments.format == "github-output":
        terminal.say(f"models={json.dumps([_job(it) for it in found], separators=(',', ':'))}")
    elif arguments.format == "json":
        documents = [{**_job(it), "reasons": list(it.reasons)} for it in found]
        terminal.say(json.dumps({"models": documents}, indent=2, ensure_ascii=False))
    else:
        _show(terminal, found, arguments.base)
    return Exit.OK


def affected_since(root: Path, plan: Plan, reference: str) -> tuple[Affected, ...]:
    """The models that the change since the reference touches, uncommitted changes included."""
    change = change_since(root, reference)
    return affected(plan, _spec_at(root, change.base), change.paths)


def _spec_at(root: Path, commit: str) -> Spec | None:
    data = file_at(root, commit, SPEC_FILE)
    return None if data is None else read(data).spec


def _job(found: Affected) -> dict[str, str | int]:
    """What the workflow's matrix needs of a model."""
    pipeline = found.pipeline
    return {
        "model": pipeline.name,
        "runner": pipeline.runner,
        "timeout_minutes": pipeline.timeout_minutes,
        **({"requirements": pipeline.model.requirements} if pipeline.model.requirements else {}),
    }


def _show(terminal: Terminal, found: Sequence[Affected], reference: str) -> None:
    for it in found:
        more = len(it.reasons) - _MOST_REASONS
        named = ", ".join(printable(reason) for reason in it.reasons[:_MOST_REASONS])
        terminal.say(f"{it.pipeline.name}: {named}{f' and {more:,} more' if more > 0 else ''}")
    if not found:
        terminal.say(f"no model is affected by what changed since {printable(reference)}")
