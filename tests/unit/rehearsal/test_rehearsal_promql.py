"""The evaluator gives what Prometheus gives, on the expressions that are written and on all that they are made of."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.promtool import INTERVAL_SECONDS, Answer, Asked, needs_promtool, values

from lockgate.plan.drift import prediction_psi, psi_from_reference
from lockgate.plan.indicators import Matchers, failed, latency, quick_share, slow, success_share
from lockgate.plan.promql import (
    Absent,
    Aggregate,
    Binary,
    Comparison,
    Expression,
    HistogramQuantile,
    Ln,
    Matcher,
    Number,
    On,
    Selector,
    Window,
    equals,
    text,
)
from lockgate.rehearsal.promql import evaluate
from lockgate.rehearsal.series import EvaluationError, Sample, Series

STEPS = 24
# Between two scrapes, as Prometheus 2 and 3 differ on samples at the very edge of a window.
AT_SECONDS = STEPS * INTERVAL_SECONDS - 7
LATEST: Matchers = equals({"model": "m", "hash": "new"})
STABLE: Matchers = equals({"model": "m", "hash": "old"})


def series(name: str, points: list[float | None], **labels: str) -> Series:
    """Points 30 seconds apart from time 0; None where the scrape had none."""
    kept = [(index * INTERVAL_SECONDS, value) for index, value in enumerate(points) if value is not None]
    return Series(
        {"__name__": name, **labels}, [float(time) for time, _ in kept], [value for _, value in kept]
    )


@st.composite
def counters(draw: st.DrawFn) -> list[float | None]:
    """A counter that may begin late, end early, or begin anew.

    Prometheus 2 and 3 differ on how far back a series that begins within the window is extended, except where it
    begins at zero, or far from it.
    """
    begins, ends = draw(st.integers(0, STEPS // 2)), draw(st.integers(STEPS // 2 + 2, STEPS))
    gains = draw(st.lists(st.integers(0, 60), min_size=STEPS, max_size=STEPS))
    total, resets = draw(st.sampled_from([(0, True), (0, True), (10**6, False)]))
    points: list[float | None] = []
    for index, gain in enumerate(gains):
        points.append(float(total) if begins <= index < ends else None)
        if index >= begins:
            total = 0 if resets and gain == 60 else total + gain
    return points


BOUNDS = ("0.05", "0.1", "1", "+Inf")


@st.composite
def scraped(draw: st.DrawFn) -> list[Series]:
    found = []
    for version in ("new", "old"):
        own = {"model": "m", "hash": version}
        codes = draw(st.lists(st.sampled_from(["200", "429", "500"]), unique=True))
        found += [series("lockgate_requests_total", draw(counters()), code=code, **own) for code in codes]
        found += [
            series("lockgate_predictions_bin_total", draw(counters()), bin=bin_, **own) for bin_ in "0123"
        ]
        found += [
            series("lockgate_predictions_shared_bin_total", draw(counters()), scale=scale, bin=bin_, **own)
            for scale in draw(st.lists(st.sampled_from(["1.0", "4.0", "16.0"]), min_size=1, unique=True))
            for bin_ in "012"
        ]
        found += [
            series("lockgate_predictions_reference_ratio", [0.25] * STEPS, bin=bin_, **own) for bin_ in "0123"
        ]
        found += _histogram(draw, own)
    return found


def _histogram(draw: st.DrawFn, labels: dict[str, str]) -> list[Series]:
    """Cumulative buckets of one pod, which all begin, and are read, together."""
    gains = [draw(st.lists(st.integers(0, 9), min_size=STEPS, max_size=STEPS)) for _ in BOUNDS]
    found = []
    below = [0] * STEPS
    for bound, gained in zip(BOUNDS, gains, strict=True):
        below = [before + gain for before, gain in zip(below, gained, strict=True)]
        points: list[float | None] = [float(sum(below[: index + 1]) - below[0]) for index in range(STEPS)]
        found.append(series("lockgate_request_duration_seconds_bucket", points, le=bound, **labels))
    found.append(series("lockgate_request_duration_seconds_count", points, **labels))
    return found


def both(expression: Expression, one: list[Series], at: float) -> Answer:
    value = evaluate(expression, one, at)
    assert isinstance(value, tuple)
    return {sample.labels: sample.value for sample in value}


WRITTEN: tuple[Expression, ...] = (
    success_share(LATEST, 300),
    failed(LATEST, 300),
    quick_share(LATEST, 0.05, 300),
    quick_share(LATEST, 1, 300),
    slow(STABLE, 0.1, 300),
    latency(LATEST, "0.99", 300),
    latency(LATEST, "0.5", 600),
    prediction_psi(LATEST, STABLE, 600, 50),
    psi_from_reference(
        "lockgate_predictions_bin_total",
        "lockgate_predictions_reference_ratio",
        equals({"model": "m"}),
        ("hash",),
        600,
        20,
    ),
)
REQUESTS = Selector("lockgate_requests_total")
COMPARISONS: tuple[Comparison, ...] = ("==", "!=", ">", "<", ">=", "<=")
PARTS: tuple[Expression, ...] = (
    REQUESTS,
    Selector("lockgate_requests_total", (Matcher("code", "=~", "5..|429"), Matcher("hash", "!=", "new"))),
    Selector("lockgate_requests_total", (Matcher("code", "!~", "5..|429"), Matcher("none", "=", ""))),
    Absent(Selector("lockgate_requests_total", equals({"code": "500", "hash": "new"}))),
    Absent(Selector("nothing", (*equals({"a": "b"}), Matcher("c", "=~", "d")))),
    Window("avg_over_time", REQUESTS, 300),
    Aggregate("max", Window("increase", REQUESTS, 200), ("code",)),
    Aggregate("count", REQUESTS, ("hash", "nowhere")),
    Ln(Binary(REQUESTS, "-", Number(Decimal(40)))),
    HistogramQuantile(Decimal("0.1"), Window("rate", Selector("lockgate_request_duration_seconds_bucket"), 300)),
    Binary(REQUESTS, "/", Binary(REQUESTS, "-", REQUESTS)),
    Binary(Binary(REQUESTS, "*", Number(Decimal(0))), "/", Number(Decimal(0))),
    Binary(REQUESTS, "unless", Selector("lockgate_requests_total", equals({"code": "200"}))),
    Binary(REQUESTS, "or", Window("rate", Selector("lockgate_predictions_bin_total"), 300), On(("hash",))),
    Binary(REQUESTS, "and", Aggregate("sum", REQUESTS, ("code",)), On(("code",))),
    Binary(REQUESTS, "/", Aggregate("sum", REQUESTS, ("code",)), On(("code",), one_right=True)),
    Binary(Aggregate("sum", REQUESTS, ("code",)), "+", Aggregate("max", REQUESTS, ("code",)), On(("code",))),
    Binary(REQUESTS, ">=", Aggregate("max", REQUESTS, ("code",)), On(("code",), one_right=True)),
    *(Binary(REQUESTS, operator, Number(Decimal(60))) for operator in COMPARISONS),
    *(Binary(Number(Decimal(60)), operator, REQUESTS) for operator in COMPARISONS),
)  # fmt: skip


@pytest.mark.slow
@needs_promtool
def test_every_expression_has_the_value_that_prometheus_gives_it(tmp_path: Path) -> None:
    cases: list[list[Series]] = []

    @settings(max_examples=25, database=None, derandomize=True)
    @given(scraped())
    def collect(case: list[Series]) -> None:
        cases.append(case)

    collect()
    expressions = (*WRITTEN, *PARTS)
    asked = [Asked(text(it), at) for it in expressions for at in (AT_SECONDS, 215)]
    answered = 0
    for case in cases:
        written = {_name(it): _values(it) for it in case}
        for one, theirs in zip(asked, values(written, asked, tmp_path), strict=True):
            ours = both(expressions[asked.index(one) // 2], case, one.at_seconds)
            assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-12, nan_ok=True), one
            answered += bool(theirs)
    assert answered > len(cases) * len(asked) // 2


def _name(one: Series) -> str:
    labels = ", ".join(f'{name}="{value}"' for name, value in one.labels.items() if name != "__name__")
    return f"{one.labels['__name__']}{{{labels}}}"


def _values(one: Series) -> str:
    at = dict(zip(one.times, one.values, strict=True))
    return " ".join(f"{at.get(float(index * INTERVAL_SECONDS), '_')}" for index in range(STEPS))


def test_a_sample_at_the_start_of_a_window_is_not_in_it() -> None:
    counter = series("c", [0.0, 10.0, 20.0, 30.0])
    assert both(Window("increase", Selector("c"), 60), [counter], 90) == {frozenset(): pytest.approx(20)}


def test_one_sample_in_a_window_tells_no_rate() -> None:
    assert evaluate(Window("rate", Selector("c"), 60), [series("c", [None, 10.0])], 60) == ()


def test_a_series_is_forgotten_after_five_minutes() -> None:
    counter = series("c", [7.0])
    assert evaluate(Selector("c"), [counter], 299) == (Sample(frozenset({("__name__", "c")}), 7.0),)
    assert evaluate(Selector("c"), [counter], 300) == ()


@pytest.mark.parametrize("on", [On(), On((), one_right=True)])
def test_two_partners_on_the_right_are_an_error(on: On) -> None:
    two = [series("c", [1.0], x="a"), series("c", [1.0], x="b")]
    with pytest.raises(EvaluationError, match="two samples on the right"):
        evaluate(Binary(Selector("c"), "+", Selector("c"), on), two, 0)


def test_many_on_the_left_need_to_be_asked_for() -> None:
    found = [series("c", [1.0], x="a"), series("c", [1.0], x="b"), series("d", [1.0])]
    with pytest.raises(EvaluationError, match="same labels"):
        evaluate(Binary(Selector("c"), "+", Selector("d"), On()), found, 0)


def test_numbers_are_counted_as_numbers() -> None:
    assert evaluate(Binary(Number(Decimal(1)), "-", Number(Decimal("0.9"))), [], 0) == pytest.approx(0.1)
    assert evaluate(Binary(Number(Decimal(1)), "/", Number(Decimal(0))), [], 0) == math.inf
