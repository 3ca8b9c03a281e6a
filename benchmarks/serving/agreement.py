"""Whether a server answers what the exported estimator says.

Its numbers are those that 32 bits hold, as in training: as the source writes them, one in a hundred rows lies on the
other side of some tree's split, and servers that compute in 64 bits would be wrong through no fault of theirs.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from contenders import Contender
from processes import Server, ask
from rows import Row

ROWS = 200
TOLERANCE = 1e-5
"""Of a probability: ONNX Runtime adds in 32 bits, scikit-learn in 64."""


def in_32_bits(rows: Sequence[Row]) -> list[Row]:
    """The first rows."""
    return [
        {name: it if isinstance(it, str) else float(np.float32(it)) for name, it in row.items()}
        for row in rows[:ROWS]
    ]


def expected(artifacts: Path, rows: Sequence[Row]) -> list[float]:
    estimator = joblib.load(artifacts / "estimator.joblib")
    found: list[float] = estimator.predict_proba(pd.DataFrame(rows))[:, 1].tolist()
    return found


def largest_difference(
    contender: Contender, server: Server, rows: Sequence[Row], right: Sequence[float]
) -> float:
    """Over all rows; a server that says anything but 200 is infinitely wrong."""
    if contender.probability is None:
        return 0.0
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    worst = 0.0
    for row, probability in zip(rows, right, strict=True):
        status, answer = ask(connection, contender.path, contender.body(row), "application/json")
        if status != 200:
            return float("inf")
        worst = max(worst, abs(contender.probability(json.loads(answer)) - probability))
    connection.close()
    return worst
