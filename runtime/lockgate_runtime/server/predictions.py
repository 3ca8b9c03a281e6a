"""Requests for predictions: what a body of which type says, and the answer once the model has run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np

from lockgate_runtime.server.exchange import BINARY, JSON
from lockgate_runtime.server.refused import Refused, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lockgate_runtime.server.answers import Answers
    from lockgate_runtime.server.batching import Batcher, Ran, Steps
    from lockgate_runtime.server.engine import Columns, Outputs
    from lockgate_runtime.server.exchange import Exchange
    from lockgate_runtime.server.prediction_log import PredictionLog
    from lockgate_runtime.server.rows import Inputs, Row
    from lockgate_runtime.server.tables import Tables
    from lockgate_runtime.server.tensors import Tensors
    from lockgate_runtime.server.tracing import Tracing

Reply: TypeAlias = "Callable[[Outputs], tuple[bytes, ...]]"
"""Outputs to the arguments of `Exchange.answer` that follow the status."""

_CLIENT_GONE = 499
_LARGE_BYTES = 64 * 1024
"""A body that is larger is read in the worker thread: it may take as long as thousands of small requests."""


class Failed(Protocol):
    """What to do with an error that is none of the client's."""

    def __call__(self, exchange: Exchange, error: Exception) -> None: ...


class Prediction:
    """An exchange that waits for the model."""

    __slots__ = ("_about", "exchange", "reply", "rows")

    def __init__(self, exchange: Exchange, about: Predictions) -> None:
        self._about = about
        self.exchange = exchange
        self.reply: Reply | None = None
        self.rows = 0

    @property
    def gone(self) -> bool:
        """Nobody waits for the answer any more."""
        exchange = self.exchange
        return exchange.reply is not None or exchange.line.lost

    def give(self, ran: Ran, start: int, end: int) -> None:
        exchange, about = self.exchange, self._about
        try:
            if self.reply is not None:
                exchange.answer(200, *self.reply(ran.outputs[start:end]))
            else:
                if ran.texts is None:
                    ran.texts = about.answers.texts(ran.outputs)
                exchange.answer(200, about.answers.body(ran.texts[start:end], exchange.request_id))
            if about.log is not None and about.log.wants(exchange.request_id):
                about.log.add(exchange.request_id, about.columns_of(ran, start, end), ran.outputs[start:end])
        except Refused as refused:
            self.refuse(refused)
        except Exception as error:  # noqa: BLE001 - the others of its batch must still be answered
            self.fail(error)

    def finish(self, answer: tuple[bytes, ...]) -> None:
        self.exchange.answer(200, *answer)

    def refuse(self, refused: Refused) -> None:
        self.exchange.refuse(refused)

    def fail(self, error: Exception) -> None:
        self._about.failed(self.exchange, error)


class Predictions:
    """What all requests for predictions need."""

    def __init__(
        self,
        inputs: Inputs,
        answers: Answers,
        tables: Tables,
        tensors: Tensors,
        batcher: Batcher,
        *,
        most_rows: int,
        log: PredictionLog | None,
        tracing: Tracing | None,
        failed: Failed,
    ) -> None:
        self.inputs, self.answers, self.batcher, self.log, self.failed = inputs, answers, batcher, log, failed
        self._tables, self._tensors, self._tracing = tables, tensors, tracing
        self._most_rows = most_rows

    def columns_of(self, ran: Ran, start: int, end: int) -> Columns:
        """Of those rows of the batch."""
        if ran.rows:
            return self.inputs.columns(ran.rows[start:end])
        return tuple(it[start:end] for it in ran.columns)

    def begin(self, exchange: Exchange, route: str) -> Prediction:
        """A prediction that is traced where it is sampled. Raises `Refused` where the body is no plain one."""
        prediction = Prediction(exchange, self)
        if self._tracing is not None:
            self._trace(prediction, self._tracing, route)
        headers = exchange.headers
        if not exchange.body and not (b"content-length" in headers or b"transfer-encoding" in headers):
            raise Refused(411, "no-length", "the request has no body, or does not say how long it is")
        encoding = headers.get(b"content-encoding")
        if encoding is not None and encoding.lower() != b"identity":
            raise Refused(415, "content-encoding", "compressed bodies are not read; send it as it is")
        return prediction

    def predict(self, exchange: Exchange) -> None:
        """`POST /v1/predict`."""
        prediction = self.begin(exchange, "/v1/predict")
        kind = exchange.headers.get(b"content-type", JSON)
        if kind == JSON or (kind := _media_type(kind)) == JSON:
            self._rows(prediction)
        elif self._tables.reads(media_type := kind.decode("latin-1")):
            body, tables = exchange.body, self._tables
            self.large(prediction, lambda: tables.decode(body, media_type, self._most_rows))
        else:
            raise _unread(kind, "JSON, or a table of Arrow or Parquet")

    def _rows(self, prediction: Prediction) -> None:
        body, inputs = prediction.exchange.body, self.inputs
        if len(body) > _LARGE_BYTES:
            self._large_rows(prediction, lambda: inputs.decode(body, self._most_rows))
            return
        rows = inputs.decode(body, self._most_rows)
        prediction.rows = count = len(rows)
        if count > self.batcher.pace.batch_rows:
            self._large_rows(prediction, lambda: rows)
        else:
            self.batcher.add_rows(prediction, rows)

    def _large_rows(self, prediction: Prediction, read: Callable[[], Sequence[Row]]) -> None:
        self.large(prediction, lambda: self.inputs.columns(read()))

    def infer(self, exchange: Exchange) -> None:
        """`POST …/infer` of the Open Inference Protocol."""
        prediction = self.begin(exchange, "/v2/models/infer")
        kind = _media_type(exchange.headers.get(b"content-type", JSON))
        if kind not in {JSON, BINARY}:
            raise _unread(kind, "JSON, with or without binary tensors")
        if len(exchange.body) > _LARGE_BYTES:
            self.large(prediction, lambda: self._tensors_of(prediction))
            return
        columns = self._tensors_of(prediction)
        prediction.rows = len(columns[0])
        if prediction.rows > self.batcher.pace.batch_rows:
            self.large(prediction, lambda: columns)
        else:
            self.batcher.add_columns(prediction, columns)

    def _tensors_of(self, prediction: Prediction) -> Columns:
        exchange, tensors = prediction.exchange, self._tensors
        json_bytes = exchange.headers.get(b"inference-header-content-length")
        request = tensors.decode(exchange.body, json_bytes, self._most_rows)

        def reply(outputs: Outputs) -> tuple[bytes, ...]:
            body, length = tensors.encode(outputs, request, exchange.request_id)
            if length is None:
                return (body,)
            return (body, BINARY, b"Inference-Header-Content-Length: %d\r\n" % length)

        prediction.reply = reply
        return request.columns

    def large(self, prediction: Prediction, read: Callable[[], Columns]) -> None:
        """Queue a request that is read, run and answered in steps, in the worker thread."""
        self.batcher.add_large(prediction, self._steps(prediction, read))

    def _steps(self, prediction: Prediction, read: Callable[[], Columns]) -> Steps:
        columns = read()
        prediction.rows = len(columns[0])
        yield None
        request_id, found, first = prediction.exchange.request_id, [], 0
        for chunk in self.batcher.chunks(columns):
            outputs = self.batcher.run(chunk)
            found.append(outputs)
            if self.log is not None and self.log.wants(request_id):
                self.log.add(request_id, chunk, outputs, first)
            first += len(outputs)
            yield chunk, outputs
        outputs = np.concatenate(found)
        if prediction.reply is not None:
            return prediction.reply(outputs)
        return (self.answers.body(self.answers.texts(outputs), request_id), JSON)

    def _trace(self, prediction: Prediction, tracing: Tracing, route: str) -> None:
        headers = prediction.exchange.headers
        parent, state = (headers.get(name, b"").decode("latin-1") for name in (b"traceparent", b"tracestate"))
        span = tracing.begin(route, parent or None, state or None)
        if span is not None:
            prediction.exchange.then = lambda it: tracing.end(
                span, it.status or _CLIENT_GONE, prediction.rows, it.request_id
            )


def _media_type(kind: bytes) -> bytes:
    """Without its parameters."""
    return kind.partition(b";")[0].strip().lower()


def _unread(kind: bytes, expected: str) -> Refused:
    text = printable(kind.decode("latin-1"))
    return Refused(415, "content-type", f"bodies of the type '{text}' are not read here, but {expected}")
