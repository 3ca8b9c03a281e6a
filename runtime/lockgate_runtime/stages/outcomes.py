"""What a limit that does not hold comes to, by the policy that the spec gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lockgate.contract import Outcome
    from lockgate.spec.model import OnFail

_OUTCOMES: dict[OnFail, Outcome] = {"observe": "observed", "warn": "warn", "block": "fail"}
"""From the mildest policy to the strictest."""


def failed(policy: OnFail) -> Outcome:
    """The outcome of a limit that does not hold."""
    return _OUTCOMES[policy]


def milder(first: OnFail, second: OnFail) -> OnFail:
    """Of two policies the one that does less."""
    return min(first, second, key=list(_OUTCOMES).index)
