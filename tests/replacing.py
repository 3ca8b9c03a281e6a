"""A changed copy of immutable data, whichever of the two kinds it is."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

T = TypeVar("T")


def replace(value: T, **changes: Any) -> T:
    """The value with those fields changed."""
    if isinstance(value, tuple):
        changed: T = value._replace(**changes)  # type: ignore[attr-defined]
        return changed
    return dataclasses.replace(value, **changes)  # type: ignore[type-var]
