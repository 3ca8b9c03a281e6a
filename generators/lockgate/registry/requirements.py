"""What an environment asks of a version before it comes: to have been live elsewhere, and for how long. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lockgate.diagnostics import Finding
from lockgate.registry.history import Event, seconds_live, was_live
from lockgate.spec.model import Environment, Spec


def has_requirements(spec: Spec) -> bool:
    """Whether a pin has to meet any: only then is the history worth reading."""
    return any(
        environment.requires and spec.pins.get(name) for name, environment in spec.environments.items()
    )


def unmet_requirements(spec: Spec, changes: Sequence[Event], now: float, whole: bool) -> Iterator[Finding]:  # noqa: FBT001
    """Findings about pins that came too early. `whole` is whether the history goes back to its beginning.

    A version that has been live in the environment before may come back at once: that is a rollback.
    """
    for name, environment in spec.environments.items():
        for model, version in spec.pins.get(name, {}).items():
            if not was_live(_earlier(changes, name, model), name, model, version):
                for required in environment.requires:
                    yield from _unmet(environment, required, model, version, changes, now, whole=whole)


def _earlier(changes: Sequence[Event], environment: str, model: str) -> Sequence[Event]:
    """The changes before the pin that is in force: what was live once need not wait again."""
    own = [it for it in changes if (it.environment, it.model) == (environment, model)]
    return own[:-1]


def _unmet(
    environment: Environment,
    required: str,
    model: str,
    version: str,
    changes: Sequence[Event],
    now: float,
    *,
    whole: bool,
) -> Iterator[Finding]:
    location = ("deployments", environment.name, model)
    if not was_live(changes, required, model, version):
        yield Finding(
            rule="pin-requires",
            location=location,
            message=f"{model!r} {version} has never been live in {required!r}, which {environment.name!r} requires",
            help=f"promote it there first: lockgate promote {model} {required} --version {version}"
            if whole
            else "this clone is shallow and may not know: fetch the history (`git fetch --unshallow`)",
        )
        return
    live = seconds_live(changes, required, model, version, now)
    if live < environment.soak_seconds:
        missing = environment.soak_seconds - live
        yield Finding(
            rule="pin-soak",
            location=location,
            message=f"{model!r} {version} has been live in {required!r} for {_duration(live)}, "
            f"and {environment.name!r} asks for {_duration(environment.soak_seconds)}",
            help=f"run this again in {_duration(missing + 59)}",
        )


def _duration(seconds: float) -> str:
    minutes = int(seconds // 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or f"{int(seconds)} s"
