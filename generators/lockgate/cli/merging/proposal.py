"""The change that proposes the candidates, as the report takes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lockgate.cli.git import base_commit, file_at
from lockgate.cli.merging.base import effects_since
from lockgate.cli.merging.next_releases import proved_candidates, releases_after
from lockgate.cli.project import Compiled
from lockgate.plan.model import Plan
from lockgate.report import Proposal


def proposal_since(root: Path, compiled: Compiled, plan: Plan, reference: str) -> Proposal:
    """What the project as it lies here does to the branch that the reference names."""
    effects = effects_since(root, compiled, plan, reference)
    candidates = proved_candidates(root, plan, effects.models)
    effects = replace(effects, releases=releases_after(root, plan, effects.models, candidates))
    base = base_commit(root, reference)
    locks = {it.name: file_at(root, base, f"{it.directory}/dvc.lock") for it in plan.pipelines}
    known = {name: lock for name, lock in locks.items() if lock is not None}
    return Proposal(effects=effects, base_locks=known)
