"""Spans, sent to a receiver on loopback."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from lockgate_runtime.server.tracing import Tracing, open_tracing

pytest.importorskip("opentelemetry.sdk", reason="needs OpenTelemetry: pip install 'lockgate[tracing]'")

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Receiver(ThreadingHTTPServer):
    """Takes OTLP over HTTP and keeps the spans with their resource's attributes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Post)
        self.paths: list[str] = []
        self.spans: list[Any] = []
        self.resource: dict[str, str] = {}

    def take(self, path: str, body: bytes) -> None:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        self.paths.append(path)
        for traced in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resource |= {it.key: it.value.string_value for it in traced.resource.attributes}
            self.spans += [span for scope in traced.scope_spans for span in scope.spans]


class _Post(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.take(self.path, self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None: ...


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        thread.join()
        receiver.server_close()


def traced_to(receiver: Receiver, share: float = 1.0, service: str = "") -> Tracing:
    endpoint = f"http://127.0.0.1:{receiver.server_port}"
    found = open_tracing(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_SERVICE_NAME": service}, "late-bus", "1.2.0", share
    )
    assert found is not None
    return found


def attributes(span: Any) -> dict[str, object]:
    return {it.key: it.value.string_value or it.value.int_value for it in span.attributes}


def test_a_request_is_a_span_with_model_version_rows_and_code() -> None:
    with receiving() as receiver:
        tracing = traced_to(receiver, service="late-bus-canary")
        span = tracing.begin("/v1/predict", None)
        assert span is not None
        tracing.end(span, 200, 3, "a-1")
        tracing.close()
    (sent,) = receiver.spans
    assert (receiver.paths, sent.name, sent.kind, sent.status.code) == (
        ["/v1/traces"],
        "POST /v1/predict",
        2,
        0,
    )
    assert attributes(sent) == {
        "http.request.method": "POST",
        "http.route": "/v1/predict",
        "http.response.status_code": 200,
        "lockgate.model": "late-bus",
        "lockgate.version": "1.2.0",
        "lockgate.rows": 3,
        "lockgate.request_id": "a-1",
    }
    assert (receiver.resource["service.name"], receiver.resource["service.version"]) == (
        "late-bus-canary",
        "1.2.0",
    )


def test_a_span_is_a_child_of_the_callers() -> None:
    with receiving() as receiver:
        tracing = traced_to(receiver, share=0.0)
        span = tracing.begin("/v1/predict", f"00-{TRACE}-{PARENT}-01", "vendor=1")
        assert span is not None
        tracing.end(span, 200, 1, "a-1")
        tracing.close()
    (sent,) = receiver.spans
    assert (sent.trace_id.hex(), sent.parent_span_id.hex(), sent.trace_state) == (TRACE, PARENT, "vendor=1")


def test_a_failure_of_the_server_is_an_error_and_a_refusal_is_none() -> None:
    with receiving() as receiver:
        tracing = traced_to(receiver)
        for code in (422, 503):
            span = tracing.begin("/v1/predict", None)
            assert span is not None
            tracing.end(span, code, 0, "a-1")
        tracing.close()
    assert [span.status.code for span in receiver.spans] == [0, 2]


def test_what_the_caller_does_not_sample_is_not_sampled() -> None:
    with receiving() as receiver:
        tracing = traced_to(receiver)
        assert tracing.begin("/v1/predict", f"00-{TRACE}-{PARENT}-00") is None
        tracing.close()


@pytest.mark.parametrize(
    "header",
    [
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01\n",
        "é" * 55,
        "-" * 10_000,
    ],
)
def test_a_header_that_is_no_parent_is_as_none(header: str) -> None:
    with receiving() as receiver:
        never, always = traced_to(receiver, share=0.0), traced_to(receiver)
        assert never.begin("/v1/predict", header) is None
        span = always.begin("/v1/predict", header)
        assert span is not None
        always.end(span, 200, 1, "a-1")
        never.close()
        always.close()
    assert [span.parent_span_id for span in receiver.spans] == [b""]


def test_that_share_of_requests_is_sampled() -> None:
    with receiving() as receiver:
        endpoint = f"http://127.0.0.1:{receiver.server_port}"
        opened = open_tracing({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}, "late-bus", "1.2.0", 0.25)
        assert opened is not None
        draws = iter([0.1, 0.25, 0.9, 0.24])
        tracing = Tracing(opened._provider, "late-bus", "1.2.0", 0.25, draw=lambda: next(draws))
        assert [tracing.begin("/v1/predict", None) is None for _ in range(4)] == [False, True, True, False]
        tracing.close()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
    ],
)
def test_without_an_endpoint_nothing_is_traced(environment: dict[str, str]) -> None:
    assert open_tracing(environment, "late-bus", "1.2.0", 1.0) is None


def test_without_an_endpoint_nothing_of_opentelemetry_is_imported() -> None:
    script = (
        "import sys; from lockgate_runtime.server.tracing import open_tracing; "
        "open_tracing({}, 'late-bus', '1.2.0', 1.0); "
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
