"""Rules about environments, pins and champions: what they name exists, and models that are served."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from lockgate.diagnostics import Finding
from lockgate.spec.validate import quote, suggest

Block: TypeAlias = Mapping[str, Any]
Location: TypeAlias = tuple[str | int, ...]


def check(filled: Block, written: Block) -> Iterator[Finding]:
    for name, model in written["models"].items():
        # The default need not exist: a project without environments has a champion on its main branch.
        environment = model.get("compare", {}).get("with")
        if environment is not None and environment not in filled["environments"]:
            at = ("models", name, "compare", "with")
            yield unknown("environment", environment, filled["environments"], at, at_key=False)
    for environment, block in filled["environments"].items():
        yield from _models(filled, block["models"], ("environments", environment, "models"))
    for environment, pins in filled["deployments"].items():
        location = ("deployments", environment)
        if environment not in filled["environments"]:
            yield unknown("environment", environment, filled["environments"], location)
        yield from _models(filled, pins, location)


def _models(filled: Block, named: Iterable[str], location: Location) -> Iterator[Finding]:
    for model in named:
        if model not in filled["models"]:
            yield unknown("model", model, filled["models"], (*location, model))
        elif "serve" not in filled["models"][model]:
            yield Finding(
                rule="not-served",
                location=(*location, model),
                at_key=True,
                message=f"{quote(model)} is not served: it has no 'serve' block",
                help=f"add 'serve: {{}}' to models.{model}, or take {model!r} out here",
            )


def unknown(
    kind: str, name: str, known: Iterable[str], location: Location, *, at_key: bool = True
) -> Finding:
    """A name that nothing of the kind has."""
    listed = sorted(known)
    return Finding(
        rule=f"unknown-{kind}",
        location=location,
        at_key=at_key,
        message=f"no {kind} is called {quote(name)}",
        help=suggest(name, listed)
        or f"add it under '{kind}s'{'; there are: ' + ', '.join(listed) if listed else ''}",
    )
