"""What the predictions are worth: ROC curve, calibration, confusion, and predicted against actual values."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from lockgate.contract import CalibrationBin, Confusion
from lockgate.report.document import Block, Cell, PointChart, Section, Table, Text, cells, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import Scale, scale_for, show, show_change, show_count, show_share

_MOST_CLASSES = 12
_ROC_STOPS = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
_GROUPS = 10


def predictions_section(model: ModelReport) -> Section | None:
    blocks = (*_calibration(model), *_roc(model), *_residuals(model), *_confusion(model))
    if not blocks:
        return None
    is_regression = model.evaluation is None or model.evaluation["kind"] == "regression"
    title = "Predicted against actual" if is_regression else "Calibration, ROC and confusion"
    return Section(title=title, blocks=blocks, folded=True)


def _calibration(model: ModelReport) -> Iterator[Block]:
    evaluation = model.evaluation
    if evaluation is None or not evaluation["calibration"]:
        return
    bins = evaluation["calibration"]
    positive = evaluation["positive"]
    of = f"the positive class '{positive}'" if positive else "the predicted class"
    yield Text(text=f"Calibration of {of}: the closer predicted and observed are, the better.")
    yield PointChart(
        title="Calibration",
        description="Observed share against mean predicted probability. On the diagonal both agree.",
        x_axis="mean predicted probability",
        y_axis="observed share",
        style="curve",
        points=tuple((it["predicted"], it["observed"]) for it in bins),
    )
    yield Table(
        caption="Calibration by bins of the predicted probability",
        headings=headings(("Bin",), ("Rows", "Predicted", "Observed", "Difference")),
        rows=tuple(_calibration_row(number, it) for number, it in enumerate(bins, 1)),
        shown=20,
    )


def _calibration_row(number: int, it: CalibrationBin) -> tuple[Cell, ...]:
    scale = scale_for((1.0,), "")
    change = show_change(it["observed"] - it["predicted"], scale)
    return cells(
        str(number), show_count(it["rows"]), show(it["predicted"], scale), show(it["observed"], scale), change
    )


def _roc(model: ModelReport) -> Iterator[Block]:
    if not model.roc:
        return
    of_several = "The mean of each class against the rest. " if _is_multiclass(model) else ""
    yield PointChart(
        title="ROC curve",
        description=f"{of_several}True positive rate against false positive rate. The diagonal is guessing.",
        x_axis="false positive rate",
        y_axis="true positive rate",
        style="steps",
        points=model.roc,
    )
    scale = scale_for((1.0,), "")
    yield Table(
        caption="ROC curve: what is caught at which rate of false alarms",
        headings=headings((), ("False positive rate at most", "True positive rate")),
        rows=tuple(
            cells(show(stop, scale), show(max((y for x, y in model.roc if x <= stop), default=0.0), scale))
            for stop in _ROC_STOPS
        ),
        shown=len(_ROC_STOPS),
    )


def _is_multiclass(model: ModelReport) -> bool:
    return model.evaluation is not None and model.evaluation["kind"] == "multiclass"


def _residuals(model: ModelReport) -> Iterator[Block]:
    if not model.residuals:
        return
    yield PointChart(
        title="Predicted against actual",
        description=f"A sample of {show_count(len(model.residuals))} rows of the holdout.",
        x_axis="predicted",
        y_axis="actual",
        style="scatter",
        points=model.residuals,
    )
    scale = scale_for((value for point in model.residuals for value in point), "")
    groups = enumerate(grouped(model.residuals, _GROUPS), 1)
    yield Table(
        caption="Means of the sampled rows, in groups by predicted value",
        headings=headings(("Group",), ("Rows", "Predicted", "Actual", "Difference")),
        rows=tuple(_group_row(number, group, scale) for number, group in groups),
        shown=_GROUPS,
    )


def grouped(
    points: tuple[tuple[float, float], ...], groups: int
) -> tuple[tuple[tuple[float, float], ...], ...]:
    """The points in order of their first number, in groups of nearly equal size."""
    ordered = sorted(points)
    edges = [round(len(ordered) * index / groups) for index in range(groups + 1)]
    return tuple(tuple(ordered[start:end]) for start, end in itertools.pairwise(edges) if start < end)


def mean_point(points: tuple[tuple[float, float], ...]) -> tuple[float, float]:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def _group_row(number: int, group: tuple[tuple[float, float], ...], scale: Scale) -> tuple[Cell, ...]:
    predicted, actual = mean_point(group)
    texts = (show(predicted, scale), show(actual, scale), show_change(actual - predicted, scale))
    return cells(str(number), show_count(len(group)), *texts)


def _confusion(model: ModelReport) -> Iterator[Block]:
    evaluation = model.evaluation
    if evaluation is None or evaluation["confusion"] is None or not evaluation["confusion"]["labels"]:
        return
    confusion = evaluation["confusion"]
    labels, counts = confusion["labels"], confusion["counts"]
    if len(labels) > _MOST_CLASSES:
        yield Text(text=f"There are {show_count(len(labels))} classes: too many for a table of confusions.")
        return
    if len(counts) != len(labels) or any(len(row) != len(labels) for row in counts):
        yield Text(
            text="The table of confusions does not have as many rows and columns as classes.", tone="warn"
        )
        return
    yield _confusion_table(confusion, evaluation["threshold"])


def _confusion_table(confusion: Confusion, threshold: float | None) -> Table:
    labels = confusion["labels"]
    at = "" if threshold is None else f" at the threshold {threshold:g}"
    return Table(
        caption=f"Confusion{at}: rows by actual class, columns by predicted class",
        headings=headings(("Actual",), (*(f"predicted {label}" for label in labels), "Right")),
        rows=tuple(
            cells(
                label,
                *(show_count(count) for count in row),
                show_share(row[index], sum(row)),
            )
            for index, (label, row) in enumerate(zip(labels, confusion["counts"], strict=True))
        ),
        shown=len(labels),
    )
