"""The shared counters as Prometheus' text format 0.0.4. Lines are made ready once; a scrape only fills in numbers.

Categories' values never become labels, only the places of their bins do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from lockgate_runtime.server.binning import shares
from lockgate_runtime.server.processes import measure
from lockgate_runtime.server.shared_bins import shared_bins
from lockgate_runtime.server.shared_counters import BATCH_ROWS, CONFIDENCES, MOST_CODES, ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from lockgate_runtime.server.shared_counters import Layout, SharedCounters

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Shown from the start: the increase of what springs into being at 1 is not seen.
_CODES = (200, 400, 413, 415, 422, 424, 429, 500, 503, 504)


class _Line(NamedTuple):
    """A sample: all of it but its number, and where in a row that is."""

    text: str
    place: int


class Exposition:
    """The metrics of one model of one version."""

    def __init__(self, layout: Layout, version: str, artifact_sha256: str, model_format: str) -> None:
        self._layout = layout
        self._labels = _Labels(model=layout.signature["model"], version=version)
        self._requests = layout.place("requests")
        self._histograms = [layout.places[name] for name in ("durations", "batches", "confidences")]
        self._fixed = self._fixed_lines()
        self._constant = self._constant_text(artifact_sha256, model_format)

    def text(self, counters: SharedCounters) -> bytes:
        """All of it, as of now."""
        total = counters.total()
        codes = np.flatnonzero(total[self._layout.places["requests"]])
        lines = [*self._request_lines(total, codes.tolist()), *self._refusal_lines(counters)]
        for place in self._histograms:
            total[place] = np.cumsum(total[place])
        numbers = total.tolist()
        lines += [text if place < 0 else f"{text}{_number(numbers[place])}" for text, place in self._fixed]
        lines += self._process_lines(counters)
        return ("\n".join(lines) + "\n" + self._constant).encode()

    def _request_lines(self, total: NDArray[np.float64], seen: Sequence[int]) -> list[str]:
        shown = {route * MOST_CODES + code for route in range(len(ROUTES)) for code in _CODES}
        lines = [_head("lockgate_requests_total", "counter", "Answers to inference requests.")]
        for place in sorted(shown.union(seen)):
            route, code = divmod(place, MOST_CODES)
            name = self._labels.of("lockgate_requests_total", route=ROUTES[route], code=str(code))
            lines.append(f"{name}{_number(float(total[self._requests + place]))}")
        return lines

    def _refusal_lines(self, counters: SharedCounters) -> list[str]:
        metric = "lockgate_refusals_total"
        lines = [_head(metric, "counter", "Requests that were refused, by reason.")]
        found = sorted(counters.refusals().items())
        return lines + [f"{self._labels.of(metric, reason=name)}{_number(count)}" for name, count in found]

    def _process_lines(self, counters: SharedCounters) -> list[str]:
        lines = []
        for measured in measure(counters.main_pid, counters.pids()):
            lines.append(_head(measured.name, measured.type, measured.help))
            lines.append(f"{self._labels.of(measured.name)}{_number(measured.value)}")
        return lines

    def _fixed_lines(self) -> list[_Line]:
        layout = self._layout
        confident = layout.signature["kind"] != "regression"
        return [
            *self._single(
                "lockgate_requests_in_flight", "gauge", "Inference requests being answered.", "in_flight"
            ),
            *self._single("lockgate_queued_rows", "gauge", "Rows that wait for the model.", "queued_rows"),
            *self._single("lockgate_rows_total", "counter", "Rows that went through the model.", "rows"),
            *self._single(
                "lockgate_prediction_log_dropped_total",
                "counter",
                "Sampled rows that did not reach the log of predictions.",
                "log_dropped",
            ),
            *self._histogram(
                "lockgate_request_duration_seconds",
                "From an inference request's last byte to its answer.",
                layout.durations,
                ("durations", "duration_sum"),
            ),
            *self._histogram("lockgate_batch_rows", "Rows of a batch.", BATCH_ROWS, ("batches", "rows")),
            *(
                self._histogram(
                    "lockgate_confidence",
                    "Probability of the most probable class.",
                    CONFIDENCES,
                    ("confidences", "confidence_sum"),
                )
                if confident
                else ()
            ),
            *self._bins(),
        ]

    def _single(self, metric: str, kind: _Type, help_text: str, place: str) -> Iterable[_Line]:
        yield _Line(_head(metric, kind, help_text), -1)
        yield _Line(self._labels.of(metric), self._layout.place(place))

    def _histogram(
        self, metric: str, help_text: str, bounds: Sequence[float], places: tuple[str, str]
    ) -> Iterable[_Line]:
        """`places` are those of the buckets and of the sum."""
        first = self._layout.place(places[0])
        yield _Line(_head(metric, "histogram", help_text), -1)
        # As Prometheus 3 rewrites them: with a point.
        for index, bound in enumerate([*(repr(float(it)) for it in bounds), "+Inf"]):
            yield _Line(self._labels.of(f"{metric}_bucket", le=bound), first + index)
        yield _Line(self._labels.of(f"{metric}_sum"), self._layout.place(places[1]))
        yield _Line(self._labels.of(f"{metric}_count"), first + len(bounds))

    def _bins(self) -> Iterable[_Line]:
        metric = "lockgate_predictions_bin_total"
        yield _Line(_head(metric, "counter", "Predictions by bin of the reference."), -1)
        for index, place in enumerate(_range(self._layout.places["predictions"])):
            yield _Line(self._labels.of(metric, bin=str(index)), place)
        metric = "lockgate_predictions_shared_bin_total"
        yield _Line(_head(metric, "counter", "Predictions by bins that all versions have."), -1)
        names = shared_bins(self._layout.signature, self._layout.reference)
        for (scale, index), place in zip(names, _range(self._layout.places["shared_bins"]), strict=True):
            yield _Line(self._labels.of(metric, scale=scale, bin=str(index)), place)
        metric = "lockgate_feature_bin_total"
        yield _Line(_head(metric, "counter", "Values of a feature by bin of the reference."), -1)
        for feature, places in zip(self._layout.signature["inputs"], self._layout.features, strict=True):
            for index, place in enumerate(_range(places)):
                yield _Line(self._labels.of(metric, feature=feature["name"], bin=str(index)), place)

    def _constant_text(self, artifact_sha256: str, model_format: str) -> str:
        reference = self._layout.reference
        metric = "lockgate_predictions_reference_ratio"
        lines = [
            _head(metric, "gauge", "Share of the bin in the reference, each bin half a row more than it has.")
        ]
        for index, share in enumerate(shares(reference["predictions"]["counts"])):
            lines.append(f"{self._labels.of(metric, bin=str(index))}{share!r}")
        metric = "lockgate_feature_reference_ratio"
        lines.append(
            _head(metric, "gauge", "Share of the bin in the training rows, each bin half a row more.")
        )
        for feature in self._layout.signature["inputs"]:
            for index, share in enumerate(shares(reference["features"][feature["name"]]["counts"])):
                lines.append(f"{self._labels.of(metric, feature=feature['name'], bin=str(index))}{share!r}")
        metric = "lockgate_model_info"
        lines.append(_head(metric, "gauge", "What is served."))
        lines.append(f"{self._labels.of(metric, artifact_sha256=artifact_sha256, format=model_format)}1")
        return "\n".join(lines) + "\n"


_Type = Literal["counter", "gauge", "histogram"]


class _Labels:
    """Labels in the order given, those of the model first."""

    def __init__(self, **always: str) -> None:
        self._always = always

    def of(self, metric: str, **labels: str) -> str:
        inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in {**self._always, **labels}.items())
        return f"{metric}{{{inner}}} "


def _head(metric: str, kind: str, help_text: str) -> str:
    return f"# HELP {metric} {help_text}\n# TYPE {metric} {kind}"


def _escaped(value: str) -> str:
    text = value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return text.encode(errors="replace").decode()  # A lone surrogate has no UTF-8.


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(value)


def _range(places: slice) -> range:
    return range(places.start, places.stop)
