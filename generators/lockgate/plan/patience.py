"""How long a rollout takes when all goes well: whoever waits for one waits for its pauses, too."""

from __future__ import annotations

from lockgate.plan.analysis import watched_seconds
from lockgate.plan.model import Plan, Service


def patience_seconds(plan: Plan, environment: str, beyond_pauses: int) -> int:
    """The longest pauses of a rollout of the environment, and so long for pods to start and analysis to end."""
    services = [service for service in plan.services if service.environment == environment]
    return beyond_pauses + max((_pauses_seconds(service) for service in services), default=0)


def _pauses_seconds(service: Service) -> int:
    rollout = service.serve.rollout
    shadow = 0 if rollout.shadow is None else rollout.shadow.seconds
    test = rollout.test_seconds if rollout.strategy == "cautious" else 0
    return shadow + test + (0 if rollout.strategy == "rolling" else watched_seconds(service))
