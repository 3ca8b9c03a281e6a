"""Rows of panels → where each stands: side by side, as wide as the 24 columns let them be, and none over another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING

from lockgate.plan.promql import text
from lockgate.targets.grafana.panels import Panel, Query, Row

if TYPE_CHECKING:
    from lockgate.targets.grafana.types import DataSource, GridPosition, PanelJson, Target

DATA_SOURCE = "datasource"

_COLUMNS = 24
_HEIGHT = 8


def panels(rows: Sequence[Row]) -> list[PanelJson]:
    """All panels of the dashboard, each with a number of its own, counted in the order of reading."""
    return [_panel(number, *placed) for number, placed in enumerate(_placed(rows), start=1)]


def _placed(rows: Sequence[Row]) -> Iterator[tuple[Row | Panel, GridPosition]]:
    y = 0
    for row in rows:
        yield row, {"h": 1, "w": _COLUMNS, "x": 0, "y": y}
        width = _COLUMNS // len(row.panels)
        for index, panel in enumerate(row.panels):
            yield panel, {"h": _HEIGHT, "w": width, "x": index * width, "y": y + 1}
        y += 1 + _HEIGHT


def _panel(number: int, shown: Row | Panel, place: GridPosition) -> PanelJson:
    if isinstance(shown, Row):
        return {
            "id": number,
            "type": "row",
            "title": shown.title,
            "gridPos": place,
            "collapsed": False,
            "panels": [],
        }
    return {
        "id": number,
        "type": shown.kind,
        "title": shown.title,
        "gridPos": place,
        "description": shown.description,
        "datasource": _source(),
        "fieldConfig": {"defaults": {"unit": shown.unit}, "overrides": []},
        "options": _OPTIONS[shown.kind],
        "targets": [
            _target(letter, query) for letter, query in zip(ascii_uppercase, shown.queries, strict=False)
        ],
    }


_OPTIONS: dict[str, dict[str, object]] = {
    "stat": {"reduceOptions": {"calcs": ["lastNotNull"]}, "graphMode": "area"},
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
}


def _target(letter: str, query: Query) -> Target:
    return {
        "refId": letter,
        "datasource": _source(),
        "expr": text(query.expression),
        "legendFormat": query.legend,
    }


def _source() -> DataSource:
    return {"type": "prometheus", "uid": f"${{{DATA_SOURCE}}}"}
