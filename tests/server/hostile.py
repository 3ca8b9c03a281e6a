"""Signatures to test descriptions with: one of ordinary columns, and one whose texts try to be something else."""

from __future__ import annotations

from lockgate.contract import Histogram, Reference, Signature

MARKUP = "</script><img src=x onerror=alert(1)>'\"`${{ 7 }}\\"

BUS = Signature(
    model="late-bus",
    kind="binary",
    target="late",
    inputs=[
        {"name": "distance", "type": "number", "nullable": False, "min": 0, "max": 100},
        {"name": "stops", "type": "integer", "nullable": True, "min": 1},
        {"name": "line", "type": "category", "nullable": False, "values": ["A", "B", "C"]},
        {"name": "driver", "type": "category", "nullable": True},
        {"name": "express", "type": "boolean", "nullable": False},
        {"name": "holiday", "type": "boolean", "nullable": True},
    ],
    classes=["False", "True"],
    positive="True",
    threshold=0.5,
)
BUS_REFERENCE = Reference(
    rows=100,
    features={
        "distance": Histogram(edges=[2.5, 7.25, 20.0], counts=[20, 50, 20, 10, 0]),
        "stops": Histogram(edges=[3.5, 9.5], counts=[10, 80, 5, 5]),
        "line": Histogram(values=["B", "A", "C"], counts=[60, 30, 10, 0, 0]),
        "driver": Histogram(values=[], counts=[0, 100]),
        "express": Histogram(edges=[0.5], counts=[70, 30, 0]),
        "holiday": Histogram(edges=[0.5], counts=[5, 90, 5]),
    },
    predictions=Histogram(edges=[0.5], counts=[60, 40, 0]),
)
HOSTILE = Signature(
    model=MARKUP,
    kind="multiclass",
    target=MARKUP,
    inputs=[
        {"name": MARKUP, "type": "category", "nullable": False, "values": [MARKUP, "\u202e"]},
        {"name": "__proto__", "type": "number", "nullable": True},
    ],
    classes=[MARKUP, "b", "c"],
    positive=None,
    threshold=None,
)
HOSTILE_REFERENCE = Reference(
    rows=0,
    features={
        MARKUP: Histogram(values=[], counts=[0, 0]),
        "__proto__": Histogram(edges=[], counts=[0, 0]),
    },
    predictions=Histogram(values=[MARKUP, "b", "c"], counts=[0, 0, 0, 0, 0]),
)
