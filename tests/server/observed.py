"""A small model's signature and reference, and batches of its rows, for tests of what the server lets see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lockgate.contract import Feature, Histogram, Reference, Signature
from lockgate_runtime.server.monitor import Monitor
from lockgate_runtime.server.rows import Inputs
from lockgate_runtime.server.shared_counters import SharedCounters, create

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from lockgate.contract import Kind
    from lockgate_runtime.server.engine import Columns

HOSTILE = 'de"lay\\\n{a="b"} 1'


def signature_of(kind: Kind = "binary", model: str = "late-bus") -> Signature:
    classes = {"binary": ["False", "True"], "multiclass": ["a", "b", "c"], "regression": []}[kind]
    return Signature(
        model=model,
        kind=kind,
        target="late",
        inputs=[
            Feature(name="distance", type="number", nullable=True),
            Feature(name="line", type="category", nullable=True, values=["1", "2"]),
        ],
        classes=classes,
        positive="True" if kind == "binary" else None,
        threshold=0.4 if kind == "binary" else None,
    )


def reference_of(kind: Kind = "binary") -> Reference:
    predictions = {
        "binary": Histogram(edges=[0.5], counts=[6, 4, 0]),
        "multiclass": Histogram(values=["a", "b", "c"], counts=[5, 3, 2, 0, 0]),
        "regression": Histogram(edges=[10.0], counts=[5, 5, 0]),
    }[kind]
    features = {
        "distance": Histogram(edges=[1.0, 2.0], counts=[2, 3, 4, 1]),
        "line": Histogram(values=["2", "1"], counts=[5, 4, 0, 1]),
    }
    return Reference(rows=10, features=features, predictions=predictions)


def counters_of(kind: Kind = "binary", workers: int = 1, model: str = "late-bus") -> SharedCounters:
    return create(signature_of(kind, model), reference_of(kind), workers, 0.3)


def monitor_of(
    counters: SharedCounters,
    worker: int = 0,
    version: str = "1.2.0",
    clock: Callable[[], float] = lambda: 0.0,
) -> Monitor:
    return Monitor(
        counters,
        worker,
        version=version,
        artifact_sha256="3f2a",
        model_format="onnx",
        to_columns=Inputs(counters.layout.signature, "accept").columns,
        clock=clock,
    )


def columns_of(distances: Sequence[float], lines: Sequence[str]) -> Columns:
    return np.array(distances, np.float32), np.array(lines, dtype=object)


def probabilities(*positive: float) -> NDArray[np.float64]:
    return np.column_stack((1 - np.array(positive), np.array(positive)))
