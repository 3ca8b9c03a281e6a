"""Plan → what Dependabot may propose: newer libraries and actions that have been out for a week, nothing generated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_COOLDOWN_DAYS = 7


def dependabot(interval: str, generated: Sequence[str]) -> dict[str, Any]:
    """The configuration; `generated` are paths of workflows that Lockgate writes and pins itself."""
    return {
        "version": 2,
        "updates": [
            {**_update("github-actions", interval), "exclude-paths": list(generated)},
            _update("pip", interval),
        ],
    }


def _update(ecosystem: str, interval: str) -> dict[str, Any]:
    return {
        "package-ecosystem": ecosystem,
        "directory": "/",
        "schedule": {"interval": interval},
        "cooldown": {"default-days": _COOLDOWN_DAYS},
    }
