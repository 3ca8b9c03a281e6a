"""Outputs of the model → the answer's JSON, in the labels of its signature."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import msgspec

from lockgate_runtime.server.refused import no_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockgate.contract import Signature
    from lockgate_runtime.server.engine import Outputs

_NULL = b"null"
_encode = msgspec.json.Encoder().encode


def labels_of(outputs: Outputs, signature: Signature) -> list[str]:
    """The class that is predicted for each row: of two the positive one from the threshold on, else the likeliest."""
    if signature["kind"] == "binary":
        return _binary_labels(outputs[:, 1].tolist(), signature)
    classes = signature["classes"]
    return [classes[code] for code in outputs.argmax(axis=1).tolist()]


def _binary_labels(probabilities: list[float], signature: Signature) -> list[str]:
    """Of few rows mostly, for which an array costs more than it saves."""
    classes = signature["classes"]
    bound = 0.5 if signature["threshold"] is None else signature["threshold"]
    return [classes[probability >= bound] for probability in probabilities]


class Answers:
    """Of one model in one version."""

    def __init__(self, signature: Signature, version: str) -> None:
        head = _encode({"model": signature["model"], "version": version})
        self._signature = signature
        self._head = head[:-1]
        self.texts: Callable[[Outputs], list[bytes]] = {
            "binary": self._binary,
            "multiclass": self._multiclass,
            "regression": _values,
        }[signature["kind"]]
        """The JSON of each row's prediction, for probabilities (n, k) or values (n); empty for what is no number."""
        self._starts = {
            label: b'{"prediction":%b,"probability":' % _encode(label) for label in signature["classes"]
        }

    def body(self, texts: list[bytes], request_id: str) -> bytes:
        """The whole answer. An id is of letters that JSON takes as they are. Raises `Refused` for an empty text."""
        if b"" in texts:
            raise no_number(texts.index(b""))
        return b'%b,"id":"%b","predictions":[%b]}' % (self._head, request_id.encode(), b",".join(texts))

    def _binary(self, outputs: Outputs) -> list[bytes]:
        starts, probabilities = self._starts, outputs[:, 1].tolist()
        rows = zip(_binary_labels(probabilities, self._signature), _numbers(probabilities), strict=True)
        return [b"%b%b}" % (starts[label], text) if text != _NULL else b"" for label, text in rows]

    def _multiclass(self, outputs: Outputs) -> list[bytes]:
        classes = self._signature["classes"]
        rows = zip(
            labels_of(outputs, self._signature), outputs.max(axis=1).tolist(), outputs.tolist(), strict=True
        )
        return [
            _encode(
                {
                    "prediction": label,
                    "probability": probability,
                    "probabilities": dict(zip(classes, row, strict=True)),
                }
            )
            if isfinite(probability)
            else b""
            for label, probability, row in rows
        ]


def _values(outputs: Outputs) -> list[bytes]:
    return [b'{"prediction":%b}' % text if text != _NULL else b"" for text in _numbers(outputs.tolist())]


def _numbers(values: list[Any]) -> list[bytes]:
    """Each in JSON, by one call for all of them; NaN and infinities become `_NULL`."""
    return _encode(values)[1:-1].split(b",")
