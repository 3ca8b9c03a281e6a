"""Prometheus' text format, and expressions over what was scraped."""

from __future__ import annotations

import math
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from lockgate.plan.promql import Aggregate, Selector, equals
from lockgate.rehearsal.scrapes import Scrapes, Source, samples

TEXT = """\
# HELP up Whether.
# TYPE up gauge
up 1
named{a="b \\"c\\" \\\\ \\n}",e=""} 2.5e-3 1700000000000
none{} NaN
broken{a="b} x y z
many +Inf
"""


def test_samples_have_names_labels_and_values() -> None:
    *found, infinite = samples(TEXT)
    name, nan = found.pop()
    assert found == [
        ({"__name__": "up"}, 1.0),
        ({"__name__": "named", "a": 'b "c" \\ \n}', "e": ""}, 0.0025),
    ]
    assert (name, math.isnan(nan)) == ({"__name__": "none"}, True)
    assert infinite == ({"__name__": "many"}, math.inf)


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'requests{code="200"} 7\nrequests{code="500"} 1\n'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing to say."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Metrics) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_sources_are_told_apart_by_their_labels(url: str) -> None:
    scrapes = Scrapes((Source(url, {"pod": "new"}), Source(url, {"pod": "old"})))
    scrapes.scrape()
    assert scrapes.ask(Aggregate("sum", Selector("requests", equals({"pod": "new"})))) == [8.0]
    assert sorted(scrapes.ask(Selector("requests", equals({"code": "500"})))) == [1.0, 1.0]


def test_a_source_that_does_not_answer_has_no_samples() -> None:
    scrapes = Scrapes((Source("http://127.0.0.1:1/", {}),))
    scrapes.scrape()
    assert scrapes.ask(Selector("requests")) == []
