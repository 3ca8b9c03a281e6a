"""What the champion was trained on beside what the candidate was: rows, target, missing values and PSI by column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lockgate.contract.comparison import ColumnChange, DataChange
from lockgate.report.document import Block, Cell, ForestChart, Range, Table, Text, cells, headings
from lockgate.report.model import ModelReport
from lockgate.report.numbers import ABSENT, scale_for, show, show_count, show_quantity, show_share
from lockgate.report.text import clip
from lockgate.report.tracked import Tracked

_SHIFTED, _MOVED = 0.2, 0.1
_DRAWN = 30
_HASH_SHOWN = 8


def data_changes(model: ModelReport) -> Iterator[Block]:
    """In short. Nothing where there is no champion, or where it says nothing of its data."""
    change = _data_change(model)
    if change is not None:
        yield _lead(_by_change(change))
        is_regression = model.training is not None and model.training["kind"] == "regression"
        yield _totals(change, is_regression=is_regression)


def column_changes(model: ModelReport) -> Iterator[Block]:
    """Column by column."""
    change = _data_change(model)
    columns = _by_change(change) if change else {}
    if columns:
        yield _table(columns)
        yield from _chart(columns)


def _data_change(model: ModelReport) -> DataChange | None:
    change = model.comparison["data"] if model.comparison else None
    return change if change is not None and len(change["rows"]) == 2 else None


def _by_change(change: DataChange) -> Mapping[str, ColumnChange]:
    return dict(sorted(change["columns"].items(), key=_most_changed))


def tracked_table(model: ModelReport) -> Iterator[Block]:
    """What DVC says of what the pipeline starts from."""
    if model.tracked:
        yield Table(
            caption="What DVC tracks and the first stage reads or writes",
            headings=headings(("Path", "Before", "After")),
            rows=tuple(
                (Cell(text=it.path, kind="code"), *cells(_tracked(it.before), _tracked(it.after)))
                for it in model.tracked
            ),
            shown=10,
        )


def _tracked(it: Tracked | None) -> str:
    if it is None:
        return ABSENT
    files = None if it.files is None else f"{show_count(it.files)} files"
    size = None if it.size_bytes is None else show_quantity(it.size_bytes, "bytes")
    return ", ".join(part for part in (it.md5[:_HASH_SHOWN], size, files) if part)


def _most_changed(entry: tuple[str, ColumnChange]) -> tuple[bool, float]:
    """What has no PSI comes last: a chart of the others is in the order of the table."""
    _, change = entry
    return change["psi"] is None, -_psi(change)


def _lead(columns: Mapping[str, ColumnChange]) -> Text:
    shifted = [_with_psi(name, it) for name, it in columns.items() if _psi(it) > _SHIFTED]
    kinds = (
        ("added", _changed(columns, "added")),
        ("removed", _changed(columns, "removed")),
        ("of another type", _changed(columns, "changed type")),
        (f"shifted (PSI above {_SHIFTED})", shifted),
    )
    found = [f"{words}: {clip(', '.join(names), 200)}" for words, names in kinds if names]
    told = "; ".join(found) or f"no column was added, removed or shifted (PSI above {_SHIFTED})"
    text = f"Against what the champion was trained on: {told}."
    return Text(text=text, tone="warn" if found else "")


def _changed(columns: Mapping[str, ColumnChange], change: str) -> list[str]:
    return [name for name, it in columns.items() if it["change"] == change]


def _with_psi(name: str, change: ColumnChange) -> str:
    return f"{name} {show(change['psi'], scale_for((1.0,), ''))}"


def _psi(change: ColumnChange) -> float:
    return change["psi"] or 0.0


def _totals(change: DataChange, *, is_regression: bool) -> Table:
    before, now = change["rows"]
    return Table(
        caption="Training data of the champion and of the candidate",
        headings=headings(("",), ("Champion", "Candidate")),
        rows=(
            cells("Rows", show_count(before), show_count(now)),
            *(
                _target(name, shares, is_regression=is_regression)
                for name, shares in change["target"].items()
            ),
        ),
        shown=12,
    )


def _target(name: str, shares: list[float | None], *, is_regression: bool) -> tuple[Cell, ...]:
    if is_regression:
        return cells(f"Target: {name}", *(show_quantity(share) for share in _pair(shares)))
    return cells(f"Target is {name}", *map(_share, _pair(shares)))


def _pair(values: list[float | None]) -> tuple[float | None, float | None]:
    return (values[0], values[1]) if len(values) == 2 else (None, None)


def _share(share: float | None) -> str:
    return ABSENT if share is None else show_share(share)


def _table(columns: Mapping[str, ColumnChange]) -> Table:
    return Table(
        caption="Columns, the most changed first",
        headings=headings(("Column",), ("PSI",))
        + headings(("Reading",), ("Missing, champion", "Missing, candidate")),
        rows=tuple(_row(name, change) for name, change in columns.items()),
        shown=12,
    )


def _row(name: str, change: ColumnChange) -> tuple[Cell, ...]:
    psi = show(change["psi"], scale_for((1.0,), ""))
    reading = Cell(text=_reading(change), tone="warn" if _is_notable(change) else "")
    return (
        Cell(text=name, kind="code"),
        Cell(text=psi),
        reading,
        *cells(*map(_share, _pair(change["missing"]))),
    )


def _is_notable(change: ColumnChange) -> bool:
    return change["change"] is not None or _psi(change) > _SHIFTED


def _reading(change: ColumnChange) -> str:
    if change["change"] is not None:
        return change["change"]
    if change["psi"] is None:
        return "not compared"
    if change["psi"] > _SHIFTED:
        return "shifted"
    return "moved a little" if change["psi"] > _MOVED else "stable"


def _chart(columns: Mapping[str, ColumnChange]) -> Iterator[ForestChart]:
    rows = tuple(
        Range(
            label=name,
            shown=show(change["psi"], scale_for((1.0,), "")),
            value=change["psi"],
            low=None,
            high=None,
            tone="warn" if change["psi"] > _SHIFTED else "",
        )
        for name, change in columns.items()
        if change["psi"] is not None
    )
    if rows:
        yield ForestChart(
            title="Population stability index by column",
            description=f"Columns, the most changed first. Right of the dashed line, at {_SHIFTED}, they have shifted.",
            axis="PSI",
            bars="PSI",
            line=f"{_SHIFTED}",
            reference=_SHIFTED,
            rows=rows[:_DRAWN],
        )
