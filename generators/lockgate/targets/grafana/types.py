"""The part of a dashboard's JSON that is written, as of schema version 39, which Grafana 10.4 and later read."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class GridPosition(TypedDict):
    """In cells: 24 to a row."""

    h: int
    w: int
    x: int
    y: int


class DataSource(TypedDict):
    type: Literal["prometheus"]
    uid: str


class Target(TypedDict):
    refId: str
    datasource: DataSource
    expr: str
    legendFormat: str


class PanelJson(TypedDict):
    id: int
    type: Literal["row", "stat", "timeseries"]
    title: str
    gridPos: GridPosition
    description: NotRequired[str]
    datasource: NotRequired[DataSource]
    fieldConfig: NotRequired[dict[str, object]]
    options: NotRequired[dict[str, object]]
    targets: NotRequired[list[Target]]
    collapsed: NotRequired[bool]
    panels: NotRequired[list[object]]


class Dashboard(TypedDict):
    uid: str
    title: str
    tags: list[str]
    editable: bool
    graphTooltip: int
    refresh: str
    schemaVersion: int
    time: dict[str, str]
    timezone: str
    templating: dict[str, list[dict[str, object]]]
    annotations: dict[str, list[object]]
    panels: list[PanelJson]
