"""Two servers' metrics, fetched again and again, and expressions evaluated over them: a Prometheus for a minute."""

from __future__ import annotations

import math
import re
import time
import urllib.request
from collections.abc import Iterator, Mapping

from lockgate.plan.promql import Expression
from lockgate.rehearsal.promql import evaluate
from lockgate.rehearsal.series import NAME, EvaluationError, Labels, Series
from lockgate.tuples import NamedTuple

_LINE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: -?\d+)?")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?')
_ESCAPE = re.compile(r"\\(.)")
_PATIENCE_SECONDS = 5.0


class JudgeError(Exception):
    """A measurement could not be made."""


class Source(NamedTuple):
    """A server to scrape, and the labels that its samples get besides their own."""

    url: str
    labels: Mapping[str, str]


class Scrapes:
    """A judge of its own: it holds what it scraped in memory."""

    name = "Lockgate's own evaluator"

    def __init__(self, sources: tuple[Source, ...]) -> None:
        self._sources = sources
        self._series: dict[Labels, Series] = {}

    def scrape(self) -> None:
        """A source that does not answer has no sample this time."""
        for source in self._sources:
            try:
                with urllib.request.urlopen(f"{source.url}metrics", timeout=_PATIENCE_SECONDS) as answer:  # noqa: S310 - http on loopback
                    text = answer.read().decode(errors="replace")
            except OSError:
                continue
            self._keep(text, source.labels, time.monotonic())

    def ask(self, expression: Expression) -> list[float]:
        """The values that the expression has now; `JudgeError` where it cannot be evaluated."""
        try:
            value = evaluate(expression, tuple(self._series.values()), time.monotonic())
        except EvaluationError as error:
            raise JudgeError(str(error)) from error
        return [value] if isinstance(value, float) else [sample.value for sample in value]

    def _keep(self, text: str, labels: Mapping[str, str], now: float) -> None:
        for found, value in samples(text):
            every = {**found, **labels}
            key = frozenset(every.items())
            if key not in self._series:
                self._series[key] = Series(every, [], [])
            series = self._series[key]
            assert isinstance(series.times, list)
            assert isinstance(series.values, list)
            series.times.append(now)
            series.values.append(value)


def samples(text: str) -> Iterator[tuple[dict[str, str], float]]:
    """Of Prometheus' text format, the name as the label `__name__`; lines that are no sample are left out."""
    for line in text.splitlines():
        found = None if line.startswith("#") else _LINE.fullmatch(line.strip())
        if found is None:
            continue
        try:
            value = float(found[3])
        except ValueError:
            value = math.nan
        labels = {name: _plain(value) for name, value in _LABEL.findall(found[2] or "")}
        yield {NAME: found[1], **labels}, value


def _plain(value: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], value)
