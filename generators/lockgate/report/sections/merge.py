"""What merging does: which models run, what is deployed where and how, which fields and which keys change."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from lockgate.plan.merge import (
    EnvironmentEffect,
    FieldChange,
    MergeEffects,
    ModelEffect,
    ObjectChange,
    ServiceEffect,
)
from lockgate.report.document import Block, Cell, Section, Table, Text, cells, headings
from lockgate.report.numbers import ABSENT
from lockgate.report.sections.next_release import releases_blocks
from lockgate.report.text import clean, clip, plural

_NAMED = 5
_VALUE_LENGTH = 120
_DIGEST = re.compile(r"\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b")


def merge_section(effects: MergeEffects | None) -> Section | None:
    if effects is None:
        return None
    blocks = (
        *_notes(effects),
        *_environments(effects),
        *_models(effects),
        *releases_blocks(effects.releases),
        *_files(effects),
    )
    return Section(title="When this merges", blocks=blocks)


def manifests_section(effects: MergeEffects | None) -> Section | None:
    if effects is None or not effects.manifests:
        return None
    rows = tuple(row for change in effects.manifests for row in _object_rows(change))
    table = Table(
        caption="Fields that change",
        headings=headings(("Environment", "Object", "Field", "Before", "After")),
        rows=rows,
        shown=40,
    )
    objects = plural(len(effects.manifests), "object")
    return Section(title=f"Manifests: {objects} of Kubernetes", blocks=(table,), folded=True)


def spec_section(effects: MergeEffects | None) -> Section | None:
    if effects is None or not effects.spec:
        return None
    table = Table(
        caption="Keys of mlops.yaml that change",
        headings=headings(("Key", "Before", "After")),
        rows=tuple(_field_row(change) for change in effects.spec),
        shown=40,
    )
    return Section(title=f"Spec: {plural(len(effects.spec), 'key')}", blocks=(table,), folded=True)


def _notes(effects: MergeEffects) -> Iterator[Block]:
    for note in effects.notes:
        yield Text(text=clean(note), tone="warn")


def _environments(effects: MergeEffects) -> Iterator[Block]:
    if not effects.environments:
        yield Text(text="Nothing that is deployed changes: what is live stays live until its pin moves.")
        return
    quiet = [it for it in effects.environments if not it.services]
    for environment in quiet:
        yield Text(text=f"{clean(environment.name)} is {environment.change}.")
    rows = tuple(_service_row(it, service) for it in effects.environments for service in it.services)
    if rows:
        yield Table(
            caption="Environments that change",
            headings=headings(("Environment", "Service", "Version", "Rollout", "Image")),
            rows=rows,
            shown=20,
        )


def _service_row(environment: EnvironmentEffect, service: ServiceEffect) -> tuple[Cell, ...]:
    image = Cell(text=_shortened(clean(service.image)), kind="code") if service.image else Cell(text=ABSENT)
    words = (f"{environment.name} (namespace {environment.namespace})", service.model, _version(service))
    return (*cells(*map(clean, words)), Cell(text=_rollout(service)), image)


def _version(service: ServiceEffect) -> str:
    old, new = service.old_version, service.new_version
    if old == new:
        return f"stays {new}" if new else "none is pinned"
    return f"{old or 'none'} → {new or 'none'}"


def _rollout(service: ServiceEffect) -> str:
    if service.change == "removed":
        return "is taken down"
    if not service.rolls_out:
        return "changes in place: no pod is replaced"
    if not service.steps:
        return service.strategy
    return f"{service.strategy}: {', '.join(rollout_steps(service))}, 100 %"


def rollout_steps(service: ServiceEffect) -> Iterator[str]:
    """What comes before all traffic, in words."""
    if service.shadow is not None:
        yield f"shadow of {service.shadow.percent} %{_pause(service.shadow.seconds)}"
    if service.strategy == "cautious":
        yield f"test by header{_pause(service.test_seconds)}"
    for step in service.steps:
        yield f"{step.weight_percent} %{_pause(step.pause_seconds)}"


def _pause(seconds: int) -> str:
    if not seconds:
        return ""
    return f" for {seconds // 60} min" if seconds % 60 == 0 else f" for {seconds} s"


def _models(effects: MergeEffects) -> Iterator[Block]:
    if not effects.models:
        yield Text(text="No pipeline runs again: nothing is trained.")
        return
    yield Table(
        caption="Models that the change touches",
        headings=headings(("Model", "What happens", "Because of")),
        rows=tuple(
            (
                Cell(text=clean(it.name), kind="code"),
                Cell(text=_happens(it)),
                Cell(text=_listed(it.reasons) or ABSENT),
            )
            for it in effects.models
        ),
        shown=20,
    )


def _happens(effect: ModelEffect) -> str:
    match effect.change:
        case "runs":
            stages = ", ".join(clean(stage) for stage, _ in effect.stages)
            return f"its pipeline runs again: {stages}"
        case "checked":
            return "is proved again; every stage is kept"
        case "served":
            return "nothing is trained: only what serves it changes"
        case "removed":
            return "is removed"


def _files(effects: MergeEffects) -> Iterator[Block]:
    if effects.other_files:
        yield Text(text=f"Other generated files that change: {_listed(effects.other_files)}.")
    if effects.idle_files:
        idle = plural(len(effects.idle_files), "changed file")
        yield Text(text=f"Nothing here reads {idle}: {_listed(effects.idle_files)}.")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(clip(clean(name), 100) for name in names[:_NAMED]) + more


def _object_rows(change: ObjectChange) -> Iterator[tuple[Cell, ...]]:
    named = cells(clean(change.environment), clean(f"{change.kind} {change.name}"))
    if change.change != "changed":
        yield (*named, *cells(f"the object is {change.change}", ABSENT, ABSENT))
    for field in change.fields:
        yield (*named, *_field_row(field))


def _field_row(change: FieldChange) -> tuple[Cell, ...]:
    place = Cell(text=clean(change.pointer), kind="code")
    return place, Cell(text=_value(change.old)), Cell(text=_value(change.new))


def _value(value: object) -> str:
    if value is None:
        return ABSENT
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return clip(_shortened(clean(text)), _VALUE_LENGTH) or "''"


def _shortened(text: str) -> str:
    """The text with its hashes cut: whole they are in the files themselves."""
    return _DIGEST.sub(r"\1…", text)
