"""Rules about a model's data: dates, windows, splits, columns, and what refers to columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, TypeAlias

from lockgate.diagnostics import Finding
from lockgate.spec.build import split_method
from lockgate.spec.validate import quote, suggest

Block: TypeAlias = Mapping[str, Any]
Location: TypeAlias = tuple[str | int, ...]

_FAIRNESS_METRICS = {
    "classification": ("selection_rate", "recall", "precision", "false_positive_rate", "accuracy"),
    "regression": ("mae", "mean_error"),
}


def check(filled: Block, _written: Block) -> Iterator[Finding]:
    for name, model in filled["models"].items():
        location = ("models", name)
        yield from _as_of(model["data"], (*location, "data"))
        yield from _split(model["data"], (*location, "data"))
        yield from _roles(model["data"], (*location, "data"))
        for column, block in model["data"].get("columns", {}).items():
            yield from _column(block, (*location, "data", "columns", column))
        yield from _slices(model, (*location, "evaluate", "slices"))
        yield from _fairness(model, (*location, "evaluate", "fairness"))
        yield from _evaluate(model, (*location, "evaluate"))


def _as_of(data: Block, location: Location) -> Iterator[Finding]:
    try:
        date.fromisoformat(data.get("as_of", "2000-01-01"))
    except ValueError:
        yield Finding(
            rule="no-such-day",
            location=(*location, "as_of"),
            message=f"there is no day {data['as_of']!r}",
            help="write an existing day as YYYY-MM-DD",
        )


def _split(data: Block, location: Location) -> Iterator[Finding]:
    method = split_method(data)
    needs: list[tuple[str, str, str]] = []
    if method in ("time", "group") and method not in data:
        needs.append(("split", method, f"a split by {method}"))
    if isinstance(data["holdout"], str) and "as_of" not in data:
        needs.append(("holdout", "as_of", "a holdout in days"))
    if "train" in data and "as_of" not in data:
        needs.append(("train", "as_of", "a training window"))
    if "as_of" in data and "time" not in data:
        needs.append(("as_of", "time", "'as_of'"))
    for key, missing, what in needs:
        yield Finding(
            rule="split-needs",
            location=(*location, key),
            message=f"{what} needs {missing!r}, which is not given",
            help=f"add {missing!r}, or take {key!r} out",
        )
    if not needs:
        yield from _window(data, method, location)


def _window(data: Block, method: str, location: Location) -> Iterator[Finding]:
    if "as_of" in data and method == "time" and not isinstance(data["holdout"], str):
        yield Finding(
            rule="split-needs",
            location=(*location, "holdout"),
            message="with 'as_of' the holdout is the days from then on, and 'holdout' is a share",
            help="write the holdout in days, for example 'holdout: 30d', or take 'as_of' out",
        )
    elif method != "time" and ("train" in data or isinstance(data["holdout"], str)):
        yield Finding(
            rule="split-needs",
            location=(*location, "split"),
            message=f"windows in days belong to a split by time, and this one is by {method}",
            help="write 'split: time', or a share such as 'holdout: 0.2' and no 'train'",
        )


def _roles(data: Block, location: Location) -> Iterator[Finding]:
    if data["target"] in data.get("columns", {}):
        yield Finding(
            rule="target-is-feature",
            location=(*location, "columns", data["target"]),
            at_key=True,
            message=f"the target {quote(data['target'])} is among the features",
            help="take it out of 'columns': a model that sees its target learns nothing",
        )
    for role in ("time", "group"):
        if data.get(role) == data["target"]:
            yield Finding(
                rule="target-is-feature",
                location=(*location, role),
                message=f"{role!r} is the target, {quote(data['target'])}",
                help=f"name another column as {role!r}",
            )


def _column(column: Block, location: Location) -> Iterator[Finding]:
    is_number = column["type"] in ("number", "integer")
    if not is_number:
        for key in {"min", "max"} & column.keys():
            yield _misplaced(key, column["type"], "number or integer", location)
    if "values" in column and column["type"] != "category":
        yield _misplaced("values", column["type"], "category", location)
    if is_number and column.get("min", 0) > column.get("max", column.get("min", 0)):
        yield Finding(
            rule="empty-range",
            location=(*location, "min"),
            message=f"no value is at least {column['min']} and at most {column['max']}",
            help="exchange 'min' and 'max'",
        )


def _misplaced(key: str, kind: str, wanted: str, location: Location) -> Finding:
    return Finding(
        rule="column-limit",
        location=(*location, key),
        at_key=True,
        message=f"{key!r} says nothing about a column of type {kind}",
        help=f"take it out, or make the type {wanted}",
    )


def _slices(model: Block, location: Location) -> Iterator[Finding]:
    for index, column in enumerate(model["evaluate"]["slices"]):
        yield from _known_column(model["data"], column, (*location, index))


def _known_column(data: Block, column: str, location: Location) -> Iterator[Finding]:
    if "columns" not in data:
        return
    known = [*data["columns"], *(data[role] for role in ("time", "group") if role in data)]
    if column not in known:
        yield Finding(
            rule="unknown-column",
            location=location,
            message=f"no column is called {quote(column)}",
            help=suggest(column, known) or "add it to 'data.columns'",
        )


def _fairness(model: Block, location: Location) -> Iterator[Finding]:
    metrics = _FAIRNESS_METRICS[model["task"]]
    for name, fairness in model["evaluate"]["fairness"].items():
        yield from _known_column(model["data"], fairness["column"], (*location, name, "column"))
        if fairness["metric"] not in metrics:
            yield Finding(
                rule="fairness-metric",
                location=(*location, name, "metric"),
                message=f"{fairness['metric']!r} is not a metric of a {model['task']}",
                help=f"allowed: {', '.join(repr(metric) for metric in metrics)}",
            )


def _evaluate(model: Block, location: Location) -> Iterator[Finding]:
    if model["task"] == "regression" and "positive" in model["evaluate"]:
        yield Finding(
            rule="task-mismatch",
            location=(*location, "positive"),
            at_key=True,
            message="'positive' names a class, and a regression has none",
            help="take it out, or make the task classification",
        )
