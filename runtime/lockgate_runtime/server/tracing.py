"""Spans of inference requests by OpenTelemetry, sent by OTLP over HTTP where its environment variable says where to.

Nothing of OpenTelemetry is imported elsewhere, and a request that is not sampled costs a look at its header.
"""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
# https://www.w3.org/TR/trace-context/#traceparent-header-field-values; the first bit of the flags says "sampled".
_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?")


class TracingError(Exception):
    """Traces are configured but cannot be sent: what was found, and the next step."""

    def __init__(self, message: str, help_text: str) -> None:
        super().__init__(message)
        self.message, self.help = message, help_text


def open_tracing(
    environment: Mapping[str, str], model: str, version: str, sample_share: float
) -> Tracing | None:
    """What traces requests; None where the environment names no place to send spans to.

    To be opened after a fork: spans are sent by a thread. Raises `TracingError` where OpenTelemetry is not installed.
    """
    variable = next((name for name in _ENDPOINTS if environment.get(name)), None)
    if variable is None or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    endpoint = environment[variable]
    # The general endpoint is a base; see https://opentelemetry.io/docs/specs/otel/protocol/exporter/.
    url = endpoint if variable == _ENDPOINTS[0] else f"{endpoint.rstrip('/')}/v1/traces"
    service = environment.get("OTEL_SERVICE_NAME") or model
    try:
        provider = _provider(url, {"service.name": service, "service.version": version})
    except ImportError as error:
        raise TracingError(
            f"'{variable}' is set, but OpenTelemetry cannot be imported: {error}",
            "pip install 'lockgate[tracing]', or unset the variable",
        ) from error
    return Tracing(provider, model, version, sample_share)


class Tracing:
    """Follows the caller's decision where one comes with the request, and else samples that share of requests."""

    def __init__(
        self,
        provider: TracerProvider,
        model: str,
        version: str,
        sample_share: float,
        draw: Callable[[], float] = random.random,
    ) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("lockgate")
        self._extract = TraceContextTextMapPropagator().extract
        self._server = trace.SpanKind.SERVER
        self._failed = trace.Status(trace.StatusCode.ERROR)
        self._attributes = {"lockgate.model": model, "lockgate.version": version}
        self._share, self._draw = sample_share, draw

    def begin(self, route: str, traceparent: str | None, tracestate: str | None = None) -> Span | None:
        """The span of a request to that route, such as `/v1/predict`; None where the request is not sampled."""
        parent = _PARENT.fullmatch(traceparent) if traceparent else None
        sampled = int(parent[1], 16) & 1 if parent else self._draw() < self._share
        if not sampled:
            return None
        carrier = {"traceparent": traceparent, "tracestate": tracestate} if parent else {}
        return self._tracer.start_span(
            f"POST {route}",
            context=self._extract({name: value for name, value in carrier.items() if value}),
            kind=self._server,
            attributes={"http.request.method": "POST", "http.route": route, **self._attributes},
        )

    def end(self, span: Span, code: int, rows: int, request_id: str) -> None:
        """The request was answered with that code."""
        span.set_attribute("http.response.status_code", code)
        span.set_attribute("lockgate.rows", rows)
        span.set_attribute("lockgate.request_id", request_id)
        if code >= 500:
            span.set_status(self._failed)
        span.end()

    def close(self) -> None:
        """Send what waits; OpenTelemetry's own variables bound how long that takes."""
        self._provider.shutdown()


def _provider(url: str, attributes: Mapping[str, str]) -> TracerProvider:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON

    resource = Resource.create(dict(attributes))
    provider = TracerProvider(sampler=ALWAYS_ON, resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    return provider
