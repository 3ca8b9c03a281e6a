"""Rules about serving, for the model's own block and for what each environment makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lockgate.diagnostics import Finding
from lockgate.spec import units
from lockgate.spec.build import served_in

Block: TypeAlias = Mapping[str, Any]
Location: TypeAlias = tuple[str | int, ...]


def check(filled: Block, written: Block) -> Iterator[Finding]:
    for name, model in filled["models"].items():
        if "serve" in model:
            yield from _serve(model["serve"], ("models", name, "serve"))
    for environment, block in filled["environments"].items():
        yield from _changes(environment, block, written)


def _changes(environment: str, block: Block, written: Block) -> Iterator[Finding]:
    for model in block["models"]:
        if model in written["models"] and "serve" in block["models"][model]:
            serve = served_in(block, model, written)
            if serve is not None:
                yield from _serve(serve, ("environments", environment, "models", model, "serve"))


def _serve(serve: Block, location: Location) -> Iterator[Finding]:
    replicas, resources = serve["replicas"], serve["resources"]
    if replicas["min"] > replicas["max"]:
        yield Finding(
            rule="empty-range",
            location=(*location, "replicas", "min"),
            message=f"at least {replicas['min']} pods and at most {replicas['max']} cannot both hold",
            help="raise 'max' or lower 'min'; what is not given has a default, see 'lockgate explain'",
        )
    if units.cpu_cores(resources["cpu"]) > units.cpu_cores(resources["cpu_limit"]):
        yield Finding(
            rule="empty-range",
            location=(*location, "resources", "cpu"),
            message=f"a pod is promised {resources['cpu']} CPU and may use {resources['cpu_limit']}",
            help="raise 'cpu_limit' or lower 'cpu'",
        )
    yield from _rollout(serve, (*location, "rollout"))


def _rollout(serve: Block, location: Location) -> Iterator[Finding]:
    rollout = serve["rollout"]
    if isinstance(rollout, str):
        return
    if "steps" in rollout and rollout["strategy"] != "canary":
        yield Finding(
            rule="rollout-steps",
            location=(*location, "steps"),
            at_key=True,
            message=f"steps belong to a canary, and the strategy is {rollout['strategy']}",
            help="take 'steps' out, or make the strategy canary",
        )
    weights = [step["weight"] for step in rollout.get("steps", [])]
    for index, weight in enumerate(weights[1:], start=1):
        if weight <= weights[index - 1]:
            yield Finding(
                rule="rollout-steps",
                location=(*location, "steps", index, "weight"),
                message=f"the share goes from {weights[index - 1]} % to {weight} %",
                help="let every step give the new version more than the one before",
            )
