"""The metrics on the holdout, with intervals, beside what a model that has learnt nothing would score."""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.contract import Evaluation, Metric
from lockgate.report.champion import champion_name, doubt, is_scored, where
from lockgate.report.document import Block, Cell, Section, Table, Text, Tone, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import ABSENT, scale_for, show, show_change, show_count, show_interval

# The metric that stands for a model where no gate names one.
_USUAL = ("roc_auc", "balanced_accuracy", "accuracy", "rmse", "mae", "r2")


def metrics_section(model: ModelReport) -> Section | None:
    evaluation = model.evaluation
    if evaluation is None or not evaluation["metrics"]:
        return None
    percent = f"{100 * evaluation['confidence']:g}"
    table = Table(
        caption="Metrics on the holdout",
        headings=headings(("Metric",), (f"Candidate [{percent} % interval]", "Baseline", "Difference"))
        + headings(("Against the baseline", "Meaning")),
        rows=tuple(_row(name, evaluation) for name in _gated_first(model, evaluation)),
        shown=25,
    )
    blocks = (*_no_champion(model), Text(text=_lead(evaluation, percent)), table)
    if is_scored(model.comparison):
        return Section(title="Metrics against the baseline", blocks=blocks, folded=True)
    return Section(title="Metrics", blocks=blocks)


def primary_metric(model: ModelReport) -> str | None:
    """The metric that stands for the model: the first that a gate judges, else the usual one, else the first."""
    if model.evaluation is None:
        return None
    known = [name for name, metric in model.evaluation["metrics"].items() if metric["unit"] == ""]
    gated = [gate["metric"] for gate in model.gates if gate["rule"] != "scan"]
    slices = [it for group in model.evaluation["slices"].values() for it in group]
    sliced = {name for it in slices for name in it["metrics"]} or set(known)
    wanted = [name for name in (*gated, *_USUAL, *known) if name in known and name in sliced]
    return next(iter(wanted or known), None)


def _no_champion(model: ModelReport) -> Iterator[Block]:
    comparison = model.comparison
    if comparison is None or is_scored(comparison):
        return
    if comparison["champion"]["found"]:
        text = f"{where(comparison['champion'])} is the champion, but nothing is compared: {comparison['reason']}"
    else:
        text = f"There is {champion_name(comparison['champion'])}"
    tone: Tone = "warn" if doubt(comparison) else ""
    yield Text(text=f"{text.rstrip('.')}.", tone=tone)


def _gated_first(model: ModelReport, evaluation: Evaluation) -> tuple[str, ...]:
    gated = (gate["metric"] for gate in model.gates)
    return tuple(
        name for name in dict.fromkeys((*gated, *evaluation["metrics"])) if name in evaluation["metrics"]
    )


def _lead(evaluation: Evaluation, percent: str) -> str:
    learnt_nothing = "the training mean" if evaluation["kind"] == "regression" else "the commonest class"
    intervals = (
        f"In brackets the {percent} % bootstrap interval ({show_count(evaluation['samples'])} resamples)."
        if any(metric["low"] is not None for metric in evaluation["metrics"].values())
        else "There are no intervals."
    )
    rows = show_count(evaluation["rows"])
    return f"On {rows} rows of the holdout. {intervals} The baseline always predicts {learnt_nothing}."


def _row(name: str, evaluation: Evaluation) -> tuple[Cell, ...]:
    metric = evaluation["metrics"][name]
    value, baseline = metric["value"], evaluation["baseline"].get(name)
    change = None if value is None or baseline is None else value - baseline
    scale = scale_for((value, metric["low"], metric["high"], baseline), metric["unit"])
    return (
        Cell(text=name, kind="code"),
        Cell(text=show_interval(value, metric["low"], metric["high"], scale)),
        Cell(text=show(baseline, scale)),
        Cell(text=show_change(change, scale)),
        _comparison(metric, baseline),
        Cell(text=f"{metric['description'].rstrip('.')}; {metric['better']} is better"),
    )


def _comparison(metric: Metric, baseline: float | None) -> Cell:
    value, low, high = metric["value"], metric["low"], metric["high"]
    if value is None or baseline is None:
        return Cell(text=ABSENT)
    if value == baseline:
        return Cell(text="equal")
    if low is not None and high is not None and low <= baseline <= high:
        return Cell(text="not told apart")
    if (value > baseline) == (metric["better"] == "higher"):
        return Cell(text="better", tone="pass")
    return Cell(text="worse", tone="fail")
