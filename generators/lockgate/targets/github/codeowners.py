"""Plan → who has to approve a change of what is deployed: the block of Lockgate's in `.github/CODEOWNERS`."""

from __future__ import annotations

from lockgate.plan.model import Plan
from lockgate.targets.file import File

PATH = ".github/CODEOWNERS"


def codeowners(plan: Plan) -> tuple[File, ...]:
    """A line for each environment that names reviewers; no file where none does.

    A promotion changes the environment's manifests. `registry/` has no line: releases are pushed there, and a rollback
    that puts a mark there waits for the reviewers of its environment alone.
    """
    environments = plan.spec.environments.values()
    owners = {f"/manifests/{it.name}/": it.reviewers for it in environments if it.reviewers}
    width = max(map(len, owners), default=0)
    lines = [f"{folder:<{width}} {' '.join(reviewers)}\n" for folder, reviewers in owners.items()]
    return (File(path=PATH, content="".join(lines)),) if lines else ()
