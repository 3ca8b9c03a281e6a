"""The files in the repository that a spec names, and findings about those that are not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from lockgate.diagnostics import Finding
from lockgate.spec.model import Model, Spec

Location: TypeAlias = tuple[str | int, ...]


def check_files(spec: Spec, exists: Callable[[str], bool]) -> Iterator[Finding]:
    """Findings about named files that are not there; `exists` answers for a path relative to the root."""
    if not exists(spec.project.requirements):
        yield _missing(
            spec.project.requirements, ("project", "requirements"), "CI installs it before anything else"
        )
    for model in spec.models.values():
        for location, path in _paths(model):
            if not exists(path):
                yield _missing(path, location, "the path is relative to the repository's root")
        for location, function in _functions(model):
            yield from _module(function, location, exists)


def _paths(model: Model) -> Iterator[tuple[Location, str]]:
    base: Location = ("models", model.name)
    if model.requirements is not None:
        yield (*base, "requirements"), model.requirements
    if model.image.requirements is not None:
        yield (*base, "image", "requirements"), model.image.requirements
    for index, path in enumerate(model.code or ()):
        yield (*base, "code", index), path


def _functions(model: Model) -> Iterator[tuple[Location, str]]:
    base: Location = ("models", model.name)
    if ":" in model.data.source and "://" not in model.data.source:
        yield (*base, "data", "source"), model.data.source
    yield (*base, "train", "estimator"), model.train.estimator
    for name, metric in model.evaluate.metrics.items():
        yield (*base, "evaluate", "metrics", name, "function"), metric.function


def _module(function: str, location: Location, exists: Callable[[str], bool]) -> Iterator[Finding]:
    path = function.partition(":")[0].replace(".", "/")
    if not exists(f"{path}.py") and not exists(f"{path}/__init__.py"):
        yield _missing(f"{path}.py", location, "the module is looked for from the repository's root")


def _missing(path: str, location: Location, why: str) -> Finding:
    return Finding(
        rule="missing-file",
        location=location,
        message=f"there is no file {path!r}",
        help=f"add it, or name another; {why}",
        severity="warning",
    )
