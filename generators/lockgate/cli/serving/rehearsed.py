"""What a rehearsal saw, for people step by step as it comes, or as one JSON document at the end."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lockgate.cli.terminal import Terminal, plural, printable
from lockgate.plan.analysis import AnalysisMetric
from lockgate.plan.model import Service
from lockgate.rehearsal.compression import Step
from lockgate.rehearsal.processes import Sent
from lockgate.rehearsal.run import Asked, Measurement, Outcome, StepSeen, outcome
from lockgate.spec.model import Rollout

_ROW = "  {:<4}  {:>5}  {:>8}  {:>9}  {:>8}  {:>8}  {}"
_PSI = "prediction-psi"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsal:
    """What is rehearsed. `not_asked` names the metrics that only a cluster's Prometheus can answer."""

    service: Service
    stable: Path
    candidate: Path
    traffic: Path
    rate: float
    speed: float
    steps: tuple[Step, ...]
    asked: tuple[Asked, ...]
    not_asked: tuple[str, ...]


def say_as_text(rehearsal: Rehearsal, seen: Iterable[StepSeen], terminal: Terminal) -> Outcome:
    """Step by step, then how it ends."""
    _greet(rehearsal, terminal)
    so_far: list[StepSeen] = []
    for step in seen:
        so_far.append(step)
        terminal.say(_row(step))
        terminal.out.flush()
    _conclude(rehearsal, so_far, terminal)
    return outcome(so_far[-1].end)


def say_as_json(rehearsal: Rehearsal, seen: Iterable[StepSeen], terminal: Terminal) -> Outcome:
    """One document; a value that is not there, or not a number, is null."""
    steps = list(seen)
    end = steps[-1].end
    document = {
        "model": rehearsal.service.name,
        "environment": rehearsal.service.environment,
        "speed": rehearsal.speed,
        "steps": [_step(step) for step in steps],
        "not_asked": list(rehearsal.not_asked),
        "not_played": _not_played(rehearsal.service.serve.rollout),
        "outcome": outcome(end),
        "step": steps[-1].number if end else None,
        "metric": end.metric if end else None,
        "answers": sum(step.report.candidate.answers for step in steps),
        "bad_answers": sum(step.report.candidate.bad for step in steps),
    }
    terminal.say(json.dumps(document, indent=2, ensure_ascii=False))
    return outcome(end)


def _greet(rehearsal: Rehearsal, terminal: Terminal) -> None:
    service, seconds = rehearsal.service, sum(step.seconds for step in rehearsal.steps)
    terminal.say(
        f"Rehearsing the {service.serve.rollout.strategy} rollout of {service.name} in {service.environment}: "
        f"{_duration(seconds * rehearsal.speed)} in {_duration(seconds)}"
    )
    terminal.say(f"  stable     {printable(str(rehearsal.stable))}")
    terminal.say(f"  candidate  {printable(str(rehearsal.candidate))}")
    terminal.say(f"  traffic    {printable(str(rehearsal.traffic))}, {rehearsal.rate:g} requests a second")
    for name in rehearsal.not_asked:
        terminal.say(terminal.dim(f"  not asked  {name}: only the cluster's Prometheus can answer it"))
    for what in _not_played(service.serve.rollout):
        terminal.say(terminal.dim(f"  not played {what}: here the candidate begins with its first share"))
    terminal.say()
    terminal.say(_ROW.format("step", "share", "requests", "succeeded", "p99", "PSI", "answers"))
    terminal.out.flush()


def _not_played(rollout: Rollout) -> list[str]:
    """What a cautious rollout does before the new version answers anybody who did not ask for it."""
    shadow = [] if rollout.shadow is None else ["shadow"]
    return [*shadow, "test by header"] if rollout.strategy == "cautious" else []


def _row(step: StepSeen) -> str:
    sent = step.report.candidate
    psi = next((it.value for it in reversed(step.measurements) if it.metric == _PSI), None)
    return _ROW.format(
        step.number,
        f"{step.weight_percent} %",
        f"{sent.answers:,}",
        _share(sent.success_share),
        "-" if sent.p99_seconds is None else f"{sent.p99_seconds * 1000:.3g} ms",
        "-" if psi is None or math.isnan(psi) else f"{psi:.3f}",
        _answers(step.measurements),
    )


def _answers(measurements: Sequence[Measurement]) -> str:
    """How many were good, and by name those that were not."""
    good = sum(it.answer == "successful" for it in measurements)
    others = Counter((it.metric, it.answer) for it in measurements if it.answer != "successful")
    told = [f"{metric} {_WORDS[answer]} ({count})" for (metric, answer), count in others.items()]
    return ", ".join([*([f"{good} good"] if good or not told else []), *told])


_WORDS = {"failed": "bad", "inconclusive": "without a value", "error": "not measured"}


def _conclude(rehearsal: Rehearsal, steps: Sequence[StepSeen], terminal: Terminal) -> None:
    last, end = steps[-1], steps[-1].end
    terminal.say()
    if end is None:
        terminal.say(f"{terminal.green('promoted')}: no measurement stood against it")
    else:
        metric = next(it.metric for it in rehearsal.asked if it.metric.name == end.metric)
        at = f"at step {last.number} ({last.weight_percent} %)"
        terminal.say(f"{_verdict(end, terminal)} {at} by {end.metric}: {_why(end, metric, steps)}")
    sent = [step.report.candidate for step in steps]
    moved = end is not None and end.metric == _PSI and end.end == "failed"
    terminal.say(f"  {_answered(sent, predictions_moved=moved)}")


def _verdict(end: Measurement, terminal: Terminal) -> str:
    if outcome(end) == "inconclusive":
        return terminal.yellow("inconclusive: a person would have to decide,")
    return terminal.red("aborted")


def _why(end: Measurement, metric: AnalysisMetric, steps: Sequence[StepSeen]) -> str:
    same = [it for step in steps for it in step.measurements if it.metric == end.metric]
    times = plural(sum(it.answer == end.answer for it in same), "measurement")
    if end.end == "inconclusive":
        return f"{times} without a value"
    if end.end == "error":
        return f"{times} could not be made"
    low, high = metric.limits
    wanted = " and ".join(
        f"at {word} {limit:g}" for word, limit in (("least", low), ("most", high)) if limit is not None
    )
    return f"{times} bad, the last {end.value:.4g}, where {wanted} is allowed ({metric.reason})"


def _answered(sent: Sequence[Sent], *, predictions_moved: bool) -> str:
    """Of predictions that moved, none is bad by itself: whoever asked the candidate got one of them."""
    answers, bad = sum(it.answers for it in sent), sum(it.bad for it in sent)
    failed, slow, refused = (sum(getattr(it, name) for it in sent) for name in ("failed", "slow", "refused"))
    which = "all with such predictions" if predictions_moved else f"{bad:,} of them bad"
    text = f"the candidate gave {plural(answers, 'answer')}, {which}: {failed:,} failed, {slow:,} slow"
    return f"{text}; it refused {plural(refused, 'row')}" if refused else text


def _step(step: StepSeen) -> dict[str, Any]:
    report = step.report
    return {
        "step": step.number,
        "weight_percent": step.weight_percent,
        "stable": report.stable._asdict(),
        "candidate": report.candidate._asdict(),
        "measurements": [
            {**it._asdict(), "value": None if it.value is None or not math.isfinite(it.value) else it.value}
            for it in step.measurements
        ],
    }


def _share(value: float | None) -> str:
    """Never rounded up to all."""
    return "-" if value is None else f"{math.floor(value * 10000) / 100:g} %"


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.3g} minutes" if seconds > 90 else f"{seconds:.3g} seconds"
