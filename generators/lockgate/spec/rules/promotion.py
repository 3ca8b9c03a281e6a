"""Rules about how versions reach environments: what must come before, who decides, and who applies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lockgate.diagnostics import Finding
from lockgate.spec import units
from lockgate.spec.rules.deployments import unknown

Block: TypeAlias = Mapping[str, Any]
Location: TypeAlias = tuple[str | int, ...]

_KEYS_OF_MODE = {
    "argocd": ("namespace", "project", "runner", "steps"),
    "flux": ("namespace", "interval", "secret", "runner", "steps"),
    "push": ("runner", "steps", "timeout"),
}


def check(filled: Block, written: Block) -> Iterator[Finding]:
    environments = filled["environments"]
    for name, environment in environments.items():
        location = ("environments", name)
        for index, required in enumerate(environment["requires"]):
            at = (*location, "requires", index)
            if required not in environments:
                yield unknown("environment", required, environments, at, at_key=False)
        yield from _circle(name, environments, (*location, "requires"))
        yield from _decision(environment, location)
    if "delivery" in filled:
        yield from _delivery(written["delivery"])


def _circle(name: str, environments: Block, location: Location) -> Iterator[Finding]:
    """Each environment that waits for itself, directly or by way of others."""
    before: set[str] = set()
    waiting = list(environments[name]["requires"])
    while waiting:
        required = waiting.pop()
        if required not in before and required in environments:
            before.add(required)
            waiting += environments[required]["requires"]
    if name in before:
        yield Finding(
            rule="promotion-order",
            location=location,
            at_key=True,
            message=f"a version would have to be live in {name!r} before it may come to {name!r}",
            help="let environments wait in one direction, such as production for staging",
        )


def _decision(environment: Block, location: Location) -> Iterator[Finding]:
    if units.seconds(environment["soak"]) > 0 and not environment["requires"]:
        yield Finding(
            rule="promotion-order",
            location=(*location, "soak"),
            at_key=True,
            message="'soak' is a time in other environments, and none is required",
            help="name them in 'requires', or take 'soak' out",
        )
    if environment["promote"] == "automatic" and environment["reviewers"]:
        yield Finding(
            rule="promotion-reviewers",
            location=(*location, "reviewers"),
            at_key=True,
            message="a promotion that merges itself waits for no reviewers",
            help="take 'reviewers' out, or write 'promote: pull-request'",
        )


def _delivery(written: Block) -> Iterator[Finding]:
    mode = written["mode"]
    for key in written:
        if key != "mode" and key not in _KEYS_OF_MODE[mode]:
            yield Finding(
                rule="delivery-mode",
                location=("delivery", key),
                at_key=True,
                message=f"{key!r} says nothing to the mode {mode}",
                help=f"take it out; what counts there: {', '.join(repr(known) for known in _KEYS_OF_MODE[mode])}",
            )
    if mode == "push" and not written.get("steps"):
        yield Finding(
            rule="delivery-mode",
            location=("delivery", "mode"),
            message="a job that pushes has to log in to the cluster, and no step does",
            help="add 'steps' that turn the job's OIDC identity into a kubeconfig",
        )
    if mode != "push" and "runner" in written and not written.get("steps"):
        yield Finding(
            rule="delivery-mode",
            location=("delivery", "runner"),
            at_key=True,
            message="'runner' is where a watcher runs, and without 'steps' there is none",
            help="add 'steps' that turn the job's OIDC identity into a kubeconfig, or take it out",
        )
