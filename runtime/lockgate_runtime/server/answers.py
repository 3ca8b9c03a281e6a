"""Outputs of the model → the answer's JSON, in the labels of its signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from lockgate.contract import Signature

_encode = msgspec.json.Encoder().encode


def labels_of(outputs: NDArray[np.float64], signature: Signature) -> list[str]:
    """The class that is predicted for each row: of two the positive one from the threshold on, else the likeliest."""
    classes, threshold = signature["classes"], signature["threshold"]
    if signature["kind"] == "binary":
        bound = 0.5 if threshold is None else threshold
        # Mostly it is one row, for which an array costs more than it saves.
        return [classes[probability >= bound] for probability in outputs[:, 1].tolist()]
    return [classes[code] for code in outputs.argmax(axis=1).tolist()]


class Answers:
    """Of one model in one version."""

    def __init__(self, signature: Signature, version: str) -> None:
        head = _encode({"model": signature["model"], "version": version})
        self._signature = signature
        self._head = head[:-1] + b',"id":'
        self._one = {"binary": self._binary, "multiclass": self._multiclass, "regression": _values}[
            signature["kind"]
        ]

    def encode(self, outputs: NDArray[np.float64], request_id: str) -> bytes:
        """The body for probabilities (n, k) or values (n)."""
        one: Callable[[NDArray[np.float64]], list[Any]] = self._one
        return b'%b%b,"predictions":%b}' % (self._head, _encode(request_id), _encode(one(outputs)))

    def _binary(self, outputs: NDArray[np.float64]) -> list[Any]:
        probabilities = outputs[:, 1].tolist()
        pairs = zip(labels_of(outputs, self._signature), probabilities, strict=True)
        return [{"prediction": label, "probability": probability} for label, probability in pairs]

    def _multiclass(self, outputs: NDArray[np.float64]) -> list[Any]:
        classes = self._signature["classes"]
        rows = zip(
            labels_of(outputs, self._signature), outputs.max(axis=1).tolist(), outputs.tolist(), strict=True
        )
        return [
            {
                "prediction": label,
                "probability": probability,
                "probabilities": dict(zip(classes, row, strict=True)),
            }
            for label, probability, row in rows
        ]


def _values(outputs: NDArray[np.float64]) -> list[Any]:
    return [{"prediction": value} for value in outputs.tolist()]
