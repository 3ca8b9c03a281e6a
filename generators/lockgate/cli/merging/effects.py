"""What merging does, on the terminal: models, environments, fields of manifests, keys of the spec, patches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from lockgate.cli.merging.promotion_lines import release_lines, show_promotions
from lockgate.cli.terminal import Terminal, plural, printable
from lockgate.contract import SPEC_FILE
from lockgate.plan.merge import (
    Change,
    EnvironmentEffect,
    FieldChange,
    MergeEffects,
    ModelEffect,
    ObjectChange,
    PatchEffect,
    ServiceEffect,
)
from lockgate.report.sections.merge import rollout_steps

_MOST_NAMED = 5
_WIDEST_VALUE = 60
_MARKS: dict[Change, str] = {"added": "+", "removed": "-", "changed": "~"}


def show_effects(terminal: Terminal, effects: MergeEffects, base: str) -> None:
    """Only what changes is told; that nothing does is told as well."""
    for note in effects.notes:
        terminal.say(f"{terminal.yellow('!')} {printable(note)}")
    show_promotions(terminal, effects.promotions)
    said = [
        *(line for model in effects.models for line in _model(model)),
        *release_lines(effects.releases),
        *(line for environment in effects.environments for line in _environment(environment, effects)),
        *_spec(effects.spec),
        *(line for patch in effects.patches for line in _patch(patch)),
        *_files("generated, and changes", effects.other_files),
    ]
    for line in said:
        terminal.say(_painted(terminal, printable(line)))
    if not effects.models:
        terminal.say("no model: nothing runs and nothing is trained")
    if not effects.environments:
        terminal.say("no environment: nothing that is deployed changes")
    for line in _files("read by nothing here", effects.idle_files):
        terminal.say(printable(line))
    terminal.say(terminal.dim(f"against {printable(base)}"))


def _painted(terminal: Terminal, line: str) -> str:
    start = line.lstrip()[:2]
    if start == "+ ":
        return terminal.green(line)
    return terminal.red(line) if start == "- " else line


def _model(effect: ModelEffect) -> Iterator[str]:
    match effect.change:
        case "runs":
            yield f"{effect.name}: {plural(len(effect.stages), 'stage')} run{'s' * (len(effect.stages) == 1)} again"
            width = max(len(stage) for stage, _ in effect.stages)
            yield from (f"  {stage:<{width}}  {reason}" for stage, reason in effect.stages)
        case "checked":
            yield f"{effect.name}: proved again, every stage is kept: {_listed(effect.reasons)}"
        case "served":
            yield f"{effect.name}: nothing is trained, only what serves it changes"
        case "removed":
            yield f"{effect.name}: removed"


def _environment(effect: EnvironmentEffect, effects: MergeEffects) -> Iterator[str]:
    change = "" if effect.change == "changed" else f": {effect.change}"
    yield f"{effect.name} (namespace {effect.namespace}){change}"
    yield from (f"  {service.model} {_version(service)}: {_rollout(service)}" for service in effect.services)
    for it in effects.manifests:
        if it.environment == effect.name:
            yield from _object(it)


def _version(service: ServiceEffect) -> str:
    old, new = service.old_version, service.new_version
    return (new or "without a version") if old == new else f"{old or 'nothing'} → {new or 'nothing'}"


def _rollout(service: ServiceEffect) -> str:
    if service.change == "removed":
        return "taken down"
    if not service.rolls_out:
        return "changed in place, no pod is replaced"
    steps = (*rollout_steps(service), "100 %") if service.steps else ()
    return f"rolls out, {service.strategy}{': ' + ', '.join(steps) if steps else ''}"


def _object(change: ObjectChange) -> Iterator[str]:
    yield f"  {_MARKS[change.change]} {change.kind} {change.name}"
    yield from (f"      {line}" for line in _fields(change.fields))


def _spec(changes: Sequence[FieldChange]) -> Iterator[str]:
    if changes:
        yield SPEC_FILE
        yield from (f"  {line}" for line in _fields(changes))


def _fields(changes: Sequence[FieldChange]) -> Iterator[str]:
    for change in changes:
        yield f"{change.pointer}: {_value(change.old)} → {_value(change.new)}"


def _value(value: object) -> str:
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _WIDEST_VALUE else f"{text[: _WIDEST_VALUE - 1]}…"


def _patch(effect: PatchEffect) -> Iterator[str]:
    files = f"{effect.target}, {plural(len(effect.files), 'file')}" if effect.files else effect.target
    change = f" ({effect.change})" if effect.change else ""
    yield f"patch {effect.name}{change} of {files}: {effect.reason}"


def _files(what: str, paths: Sequence[str]) -> Iterator[str]:
    if paths:
        yield f"{plural(len(paths), 'file')} {what}: {_listed(paths)}"


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
