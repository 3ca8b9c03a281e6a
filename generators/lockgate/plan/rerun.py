"""Two pipelines and what changed → the stages that DVC runs again, each with why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from posixpath import normpath
from typing import Any

from lockgate.contract import SPEC_FILE
from lockgate.plan.affected import is_under
from lockgate.plan.inputs import pointers
from lockgate.plan.model import Pipeline, Stage
from lockgate.plan.spec_diff import same, value_at

_MOST_NAMED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """What stages read: both specs as written, the dotted paths that differ between them, and changed files' paths."""

    before: Mapping[str, Any]
    after: Mapping[str, Any]
    differing: Sequence[str]
    changed: Collection[str]


def rerun(before: Pipeline | None, after: Pipeline, inputs: Inputs) -> tuple[tuple[str, str], ...]:
    """The stages of the newer pipeline that run again, in their order; all of them where there was none before."""
    known = {stage.name: stage for stage in before.stages} if before else {}
    found: dict[str, str] = {}
    for stage in after.stages:
        earlier = known.get(stage.name)
        reason = _own_reason(earlier, stage, inputs) if earlier else "is new"
        reason = reason or upstream(stage, after, found)
        if reason:
            found[stage.name] = reason
    return tuple(found.items())


def _own_reason(before: Stage, after: Stage, inputs: Inputs) -> str:
    if before.command != after.command:
        return "its command is another"
    if _files(before) != _files(after):
        return "it reads or writes other files"
    return _named((*_keys(before, after, inputs), *_paths(after, inputs)))


def _files(stage: Stage) -> tuple[set[str], set[str]]:
    return set(stage.deps), {*stage.outs, *stage.metrics, *stage.plots}


def _keys(before: Stage, after: Stage, inputs: Inputs) -> Iterator[str]:
    """Keys of the spec that the stage reads and that are written otherwise, in DVC's eyes."""
    for key in dict.fromkeys((*after.params, *before.params)):
        if not same(value_at(inputs.before, key), value_at(inputs.after, key)):
            inside = [it for it in inputs.differing if it == key or it.startswith(f"{key}.")]
            yield from (f"{SPEC_FILE}: {it}" for it in inside or [key])


def _paths(stage: Stage, inputs: Inputs) -> Iterator[str]:
    """Changed files among what the stage reads, or by which DVC tracks that."""
    read = [normpath(it) for path in stage.deps for it in (path, *pointers(path))]
    yield from sorted(path for path in inputs.changed if any(is_under(path, folder) for folder in read))


def upstream(stage: Stage, pipeline: Pipeline, running: Collection[str]) -> str:
    """Why the stage has to follow others that run; empty where it reads nothing of theirs."""
    for other in pipeline.stages:
        if other.name in running and other.name != stage.name:
            written = _files(other)[1]
            if any(is_under(path, out) or is_under(out, path) for path in stage.deps for out in written):
                return f"reads what '{other.name}' writes"
    return ""


def _named(reasons: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(reasons) - _MOST_NAMED
    return ", ".join(reasons[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
