"""The workflows of a plan as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lockgate.plan.model import Plan
from lockgate.targets.github import emit


def emitted(plan: Plan) -> list[dict[str, Any]]:
    """In the order in which they are emitted: of a pull request, of what follows a fork's, and others if asked for."""
    contents = [file.content for file in emit(plan)]
    return [dict(content) for content in contents if isinstance(content, Mapping)]
