"""What a worker answers with: the model, loaded and warmed up, behind its routes."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from lockgate import __version__
from lockgate_runtime.server.answers import Answers
from lockgate_runtime.server.auth import Tokens
from lockgate_runtime.server.batching import Batcher, measure
from lockgate_runtime.server.engine import open_engine
from lockgate_runtime.server.exchange import JSON
from lockgate_runtime.server.log_storage import open_storage
from lockgate_runtime.server.monitor import Monitor, Silent
from lockgate_runtime.server.prediction_log import PredictionLog, Sampling
from lockgate_runtime.server.predictions import Predictions
from lockgate_runtime.server.refused import Refused
from lockgate_runtime.server.routes import POST, Route, Router, reading
from lockgate_runtime.server.row_engine import RowEngine
from lockgate_runtime.server.rows import Inputs
from lockgate_runtime.server.tables import Tables
from lockgate_runtime.server.tensors import EXTENSIONS, Tensors
from lockgate_runtime.server.tracing import open_tracing
from lockgate_runtime.server.trial import gaps, typical

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    from lockgate_runtime.server.artifact import Artifact
    from lockgate_runtime.server.engine import Engine
    from lockgate_runtime.server.exchange import Exchange
    from lockgate_runtime.server.logs import Logs
    from lockgate_runtime.server.monitor import Monitoring
    from lockgate_runtime.server.settings import Settings
    from lockgate_runtime.server.shared_counters import SharedCounters

_METRICS = b"text/plain; version=0.0.4; charset=utf-8"
_HTML = b"text/html; charset=utf-8"
_SERVER = {"name": "lockgate", "version": __version__, "extensions": EXTENSIONS}


class Service:
    """One worker's. To be opened after the fork; raises `ArtifactError`, `OSError` and the other opening errors."""

    def __init__(
        self,
        settings: Settings,
        artifact: Artifact,
        counters: SharedCounters | None,
        worker: int,
        loop: asyncio.AbstractEventLoop,
        logs: Logs,
    ) -> None:
        self.draining = False
        self._settings, self._artifact, self._logs = settings, artifact, logs
        signature = artifact.signature
        card = settings.card
        self._card = "" if card is None else card.read_text(encoding="utf-8", errors="replace")
        engine = open_engine(artifact, settings.trusted)
        found = gaps(engine, signature, artifact.reference)
        order = engine.order if isinstance(engine, RowEngine) else None
        inputs = Inputs(signature, settings.unknown_categories, found, order)
        self._rules = inputs.rules
        self.monitor = self._open_monitor(counters, worker, inputs)
        self.batcher = self._open_batcher(loop, engine, inputs)
        self._log = self._open_log()
        self._tracing = open_tracing(os.environ, signature["model"], settings.version, settings.trace_share)
        self._tokens = Tokens(settings.auth_file) if settings.auth_file is not None else None
        tensors = Tensors(signature, settings.version, inputs.rules)
        self._metadata = tensors.metadata(artifact.format)
        self._predictions = Predictions(
            inputs,
            Answers(signature, settings.version),
            Tables(inputs.rules),
            tensors,
            self.batcher,
            most_rows=settings.most_rows,
            log=self._log,
            tracing=self._tracing,
            failed=self._fail,
        )
        self.router: Router = Router(self._routes(), self._tokens, self.monitor, logs)
        self._openapi = cache(self._make_openapi)
        self._page = cache(self._make_page)

    def each_second(self) -> None:
        """Look after what changes with time."""
        if self._tokens is not None:
            self._tokens.reread()
        self.note_load()
        self.monitor.flush()

    def note_load(self) -> None:
        """Show what is under way right now."""
        self.monitor.in_flight = self.router.in_flight
        self.monitor.queued_rows = self.batcher.queued_rows

    def close(self, seconds: float) -> None:
        """Write what waits to be written."""
        self.batcher.close()
        if self._log is not None:
            self._log.close(seconds)
        if self._tracing is not None:
            self._tracing.close()
        self.note_load()
        self.monitor.flush()

    def _fail(self, exchange: Exchange, error: Exception) -> None:
        self.router.fail(exchange, error)

    def _open_monitor(self, counters: SharedCounters | None, worker: int, inputs: Inputs) -> Monitoring:
        if counters is None:
            return Silent()
        artifact = self._artifact
        return Monitor(
            counters,
            worker,
            version=self._settings.version,
            artifact_sha256=artifact.sha256,
            model_format=artifact.format,
            to_columns=inputs.columns,
        )

    def _open_batcher(self, loop: asyncio.AbstractEventLoop, engine: Engine, inputs: Inputs) -> Batcher:
        settings, artifact = self._settings, self._artifact
        return Batcher(
            loop,
            engine.run,
            engine.run_rows
            if isinstance(engine, RowEngine)
            else lambda rows: engine.run(inputs.columns(rows)),
            inputs.columns,
            self.monitor,
            pace=measure(engine.run, lambda count: typical(artifact.signature, artifact.reference, count)),
            most_rows=settings.most_queued_rows,
            timeout_seconds=settings.timeout_seconds,
        )

    def _open_log(self) -> PredictionLog | None:
        told = self._settings.prediction_log
        if told is None:
            return None
        return PredictionLog(
            open_storage(told.to),
            self._artifact.signature,
            self._settings.version,
            Sampling(share=told.share, keep_days=told.keep_days, left_out=frozenset(told.leave_out)),
            self.monitor.log_dropped,
            self._logs,
        )

    def _routes(self) -> Mapping[bytes, Route]:
        routes = {
            "/": reading(self._answer_page),
            "/metrics": reading(self._answer_metrics, open_=True),
            "/openapi.json": reading(self._answer_openapi),
            "/v1/predict": Route(methods={POST: self._predictions.predict}, counted="v1"),
            "/v1/status": reading(lambda it: it.answer_json(200, self._status())),
            "/v2": reading(lambda it: it.answer_json(200, _SERVER)),
            "/v2/health/live": reading(lambda it: it.answer_json(200, {"live": True}), open_=True),
            "/v2/health/ready": reading(self._answer_ready, open_=True),
        }
        model, version = self._artifact.signature["model"], self._settings.version
        for path in (f"/v2/models/{model}", f"/v2/models/{model}/versions/{version}"):
            routes[path] = reading(lambda it: it.answer_json(200, self._metadata))
            routes[f"{path}/ready"] = reading(self._answer_ready)
            routes[f"{path}/infer"] = Route(methods={POST: self._predictions.infer}, counted="v2")
        return {path.encode(): route for path, route in routes.items()}

    def _status(self) -> dict[str, object]:
        self.note_load()
        return self.monitor.status()

    def _answer_metrics(self, exchange: Exchange) -> None:
        self.note_load()
        exchange.answer(200, self.monitor.exposition(), _METRICS)

    def _answer_ready(self, exchange: Exchange) -> None:
        if self.draining:
            raise Refused(503, "draining", "the server is about to stop")
        exchange.answer_json(200, {"name": self._artifact.signature["model"], "ready": True})

    def _answer_openapi(self, exchange: Exchange) -> None:
        exchange.answer(200, self._openapi(), JSON)

    def _answer_page(self, exchange: Exchange) -> None:
        policy, page = self._page()
        exchange.answer(200, page, _HTML, b"Content-Security-Policy: %b\r\n" % policy)

    def _make_openapi(self) -> bytes:
        from lockgate_runtime.server import openapi

        settings, artifact = self._settings, self._artifact
        terms = openapi.Terms(
            most_rows=settings.most_rows,
            most_body_bytes=settings.limits.body_bytes,
            needs_token=self._tokens is not None,
        )
        return openapi.document(artifact.signature, self._rules, artifact.reference, settings.version, terms)

    def _make_page(self) -> tuple[bytes, bytes]:
        from lockgate_runtime.server import page

        artifact = self._artifact
        html = page.html(
            artifact.signature, artifact.reference, self._settings.version, artifact.sha256, self._card
        )
        return page.CONTENT_SECURITY_POLICY.encode(), html
