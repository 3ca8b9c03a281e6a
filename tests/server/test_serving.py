"""The server as a process of its own, with a small model: routes, answers, refusals, tokens, TLS."""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tritonclient.http as triton
from tests.server.hostile import BUS, BUS_REFERENCE
from tests.server.model_folder import served, write_folder

from lockgate_runtime.__main__ import main

ROW = {"distance": 7.5, "stops": 4, "line": "A", "driver": None, "express": False, "holiday": None}
JSON = {"Content-Type": "application/json"}
MOST_ROWS = 3000


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    url: str, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request(method, path, body or None, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


def predict(url: str, rows: list[dict[str, Any]]) -> Answer:
    return ask(url, "POST", "/v1/predict", json.dumps({"rows": rows}).encode(), JSON)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("bus") / "model", BUS, BUS_REFERENCE)


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    options = ("--version", "1.2.0", "--max-rows", str(MOST_ROWS), "--max-body", "2000000")
    with served(folder, *options) as address:
        yield address


def probability(distance: float) -> float:
    return float(1 / (1 + np.exp(-np.float32(distance) * np.float32(0.001))))


def test_a_row_gets_its_prediction(url: str) -> None:
    answer = ask(
        url,
        "POST",
        "/v1/predict",
        json.dumps({"rows": [ROW]}).encode(),
        {**JSON, "X-Request-ID": "my-id"},
    )
    assert (answer.status, answer.headers["X-Request-ID"]) == (200, "my-id")
    found = answer.json
    assert found["predictions"][0].pop("probability") == pytest.approx(probability(7.5), abs=1e-6)
    assert found == {
        "model": "late-bus",
        "version": "1.2.0",
        "id": "my-id",
        "predictions": [{"prediction": "True"}],
    }


def test_every_form_of_a_request_gets_the_same_predictions(url: str) -> None:
    rows = [{**ROW, "distance": float(number % 100)} for number in range(2500)]
    table = pa.Table.from_pylist(rows, schema=_SCHEMA)
    expected = [it["probability"] for it in predict(url, rows).json["predictions"]]
    columns = json.dumps({"columns": {name: [row[name] for row in rows] for name in ROW}}).encode()
    assert _probabilities(ask(url, "POST", "/v1/predict", columns, JSON)) == expected
    for kind, body in _tables(table):
        assert _probabilities(ask(url, "POST", "/v1/predict", body, {"Content-Type": kind})) == expected
    one_by_one = [predict(url, [row]).json["predictions"][0]["probability"] for row in rows[:50]]
    assert one_by_one == expected[:50]
    client = triton.InferenceServerClient(urlsplit(url).netloc)
    assert client.is_model_ready("late-bus", "1.2.0")
    for binary in (False, True):
        found = client.infer("late-bus", _tensors(rows, binary=binary)).as_numpy("probability")
        assert found is not None
        assert found.tolist() == expected
    client.close()


_SCHEMA = pa.schema(
    [
        *[("distance", pa.float64()), ("stops", pa.int64()), ("line", pa.string()), ("driver", pa.string())],
        *[("express", pa.bool_()), ("holiday", pa.bool_())],
    ]
)


def _tables(table: pa.Table) -> Iterator[tuple[str, bytes]]:
    for kind, new in (("stream", pa.ipc.new_stream), ("file", pa.ipc.new_file)):
        sink = pa.BufferOutputStream()
        with new(sink, table.schema) as writer:
            writer.write_table(table)
        yield f"application/vnd.apache.arrow.{kind}", sink.getvalue().to_pybytes()
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    yield "application/vnd.apache.parquet", sink.getvalue().to_pybytes()


def _tensors(rows: list[dict[str, Any]], *, binary: bool) -> list[triton.InferInput]:
    kinds = {"distance": ("FP64", np.float64), "line": ("BYTES", object), "express": ("BOOL", bool)}
    inputs = []
    for name, (datatype, dtype) in kinds.items():
        values = np.array([row[name] for row in rows], dtype)
        tensor = triton.InferInput(name, [len(rows)], datatype)
        inputs.append(tensor.set_data_from_numpy(values, binary_data=binary))
    return inputs


def _probabilities(answer: Answer) -> list[float]:
    assert answer.status == 200, answer.body
    return [it["probability"] for it in answer.json["predictions"]]


def test_predictions_do_not_mix_under_load(url: str) -> None:
    def one(number: int) -> bool:
        found = predict(url, [{**ROW, "distance": number % 100}]).json["predictions"][0]["probability"]
        return bool(abs(found - probability(number % 100)) < 1e-6)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(one, range(400)))


HOSTILE_BODIES = [
    b"",
    b"null",
    b"{",
    b"\xff\xfe",
    b'{"rows": []}',
    b'{"rows": [{}]}',
    b'{"rows": 1}',
    b'{"rows": [[1]]}',
    b"[" * 50_000,
    b'{"rows":' * 50_000,
    b'{"rows": [' + b'{"distance":' * 20_000,
    b'{"rows": [{"distance": NaN}]}',
    b'{"rows": [{"distance": 1e999}]}',
    b'{"rows": [{"distance": ' + b"9" * 5000 + b"}]}",
    b'{"rows": [{"distance": "\\ud800"}]}',
    b'{"rows": [{"distance": 1, "distance": 2}]}',
    b'{"columns": {"distance": [1, 2], "line": ["A"]}}',
    b'{"inputs": []}',
    b'{"inputs": [{"name": "distance", "shape": [-1], "datatype": "FP32", "data": []}]}',
    b'{"inputs": [{"name": "distance", "shape": [9e99], "datatype": "FP32", "data": [1]}]}',
    b"ARROW1\0\0\xff\xff\xff\xff",
    b"PAR1" * 100,
]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/predict", "application/json"),
        ("/v1/predict", "application/vnd.apache.arrow.stream"),
        ("/v1/predict", "application/vnd.apache.arrow.file"),
        ("/v1/predict", "application/vnd.apache.parquet"),
        ("/v2/models/late-bus/infer", "application/json"),
        ("/v2/models/late-bus/versions/1.2.0/infer", "application/octet-stream"),
    ],
)
def test_hostile_bodies_are_the_clients_fault(url: str, path: str, kind: str) -> None:
    for body in HOSTILE_BODIES:
        answer = ask(url, "POST", path, body, {"Content-Type": kind, "Content-Length": str(len(body))})
        assert answer.status in {400, 413, 422}, (body[:40], answer)
        assert set(answer.json) == {"error", "reason", "id", "errors"}
    assert predict(url, [ROW]).status == 200


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "error"),
    [
        ("GET", "/nowhere?a", {}, 404, "there is nothing at '/nowhere'; '/openapi.json' lists what there is"),
        ("GET", "/v2/x", {}, 404, "there is nothing at '/v2/x'; '/openapi.json' lists what there is"),
        ("GET", "/v1/predict", {}, 405, "the method 'GET' is not served here, only POST"),
        ("DELETE", "/metrics", {}, 405, "the method 'DELETE' is not served here, only GET, HEAD"),
        ("POST", "/v1/predict", {"Content-Type": "text/csv", "Content-Length": "0"}, 415,
         "bodies of the type 'text/csv' are not read here, but JSON, or a table of Arrow or Parquet"),
        ("POST", "/v1/predict", {"Content-Encoding": "gzip", "Content-Length": "0"}, 415,
         "compressed bodies are not read; send it as it is"),
        ("POST", "/v1/predict", {"Content-Length": "2000001"}, 413,
         "the body is over 2000000 bytes; send fewer rows"),
    ],
)  # fmt: skip
def test_what_is_not_served_is_refused_with_the_reason(
    url: str, method: str, path: str, headers: Mapping[str, str], status: int, error: str
) -> None:
    answer = ask(url, method, path, b"", headers)
    assert (answer.status, answer.json["error"]) == (status, error)


def test_a_wrong_method_is_told_the_right_ones(url: str) -> None:
    assert ask(url, "GET", "/v1/predict").headers["Allow"] == "OPTIONS, POST"
    assert ask(url, "OPTIONS", "/metrics").headers["Allow"] == "GET, HEAD, OPTIONS"


def test_a_request_without_a_length_is_refused(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.putrequest("POST", "/v1/predict")
    connection.endheaders()
    assert connection.getresponse().status == 411
    connection.close()


def test_more_rows_than_one_request_may_have_are_refused(url: str) -> None:
    rows = [ROW] * (MOST_ROWS + 1)
    answer = predict(url, rows)
    assert (answer.status, answer.json["reason"]) == (413, "too-many-rows")


def test_the_wrong_column_is_named(url: str) -> None:
    answer = predict(url, [ROW, {**ROW, "distance": 101}])
    assert (answer.status, answer.json["errors"][0]["row"], answer.json["errors"][0]["column"]) == (
        422,
        1,
        "distance",
    )


def test_the_protocols_metadata_is_there(url: str) -> None:
    assert ask(url, "GET", "/v2").json == {
        "name": "lockgate",
        "version": "0.1.0",
        "extensions": ["binary_tensor_data"],
    }
    assert ask(url, "GET", "/v2/health/live").status == 200
    assert ask(url, "GET", "/v2/health/ready").status == 200
    names = {it["name"] for it in ask(url, "GET", "/v2/models/late%2Dbus").json["inputs"]}
    assert names == set(ROW)


def test_the_page_the_document_and_the_status_are_there(url: str) -> None:
    page = ask(url, "GET", "/")
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert ask(url, "GET", "/openapi.json").json["openapi"] == "3.1.0"
    assert ask(url, "GET", "/v1/status").json["in_flight"] == 0


def test_what_was_answered_and_refused_is_counted(folder: Path) -> None:
    with served(folder) as address:
        predict(address, [ROW, ROW])
        predict(address, [{**ROW, "distance": -1}])
        ask(address, "POST", "/v1/predict", b"", {"Content-Type": "a/b", "Content-Length": "0"})
        ask(address, "GET", "/nowhere")
        lines = ask(address, "GET", "/metrics").body.decode().splitlines()
    labels = 'model="late-bus",version="unreleased"'
    for line in (
        f'lockgate_requests_total{{{labels},route="v1",code="200"}} 1',
        f'lockgate_requests_total{{{labels},route="v1",code="422"}} 1',
        f'lockgate_requests_total{{{labels},route="v1",code="415"}} 1',
        f"lockgate_rows_total{{{labels}}} 2",
        f'lockgate_refusals_total{{{labels},reason="wrong-column"}} 1',
        f'lockgate_refusals_total{{{labels},reason="not-found"}} 1',
        f"lockgate_requests_in_flight{{{labels}}} 0",
    ):
        assert line in lines


def test_nothing_is_counted_where_that_is_asked_for(folder: Path) -> None:
    with served(folder, "--no-monitoring") as address:
        assert predict(address, [ROW]).status == 200
        assert ask(address, "GET", "/metrics").body == b""


def test_only_holders_of_a_token_get_answers_but_for_health_and_metrics(folder: Path, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens"
    tokens.write_text("first\n\n  second  \n")
    with served(folder, "--auth-file", str(tokens)) as address:

        def status(path: str, **headers: str) -> int:
            return ask(
                address, "GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}
            ).status

        assert [status(path) for path in ("/v2/health/live", "/v2/health/ready", "/metrics")] == [200] * 3
        assert [status(path) for path in ("/", "/v2", "/openapi.json", "/v1/status", "/x")] == [401] * 5
        assert predict(address, [ROW]).status == 401
        assert status("/v2", Authorization="Bearer first") == 200
        assert status("/v2", Authorization="bearer second") == 200
        assert status("/v2", X_API_Key="second") == 200
        for wrong in ("", "firs", "first second", "Bearer", "first\n"[:-1] + "x"):
            assert status("/v2", Authorization=f"Bearer {wrong}") == 401
        assert status("/v2", Authorization="Basic first") == 401
        assert status("/v2", X_API_Key="") == 401
        refused = ask(address, "GET", "/v2")
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        tokens.write_text("third\n")
        while status("/v2", X_API_Key="third") != 200:
            pass
        assert status("/v2", X_API_Key="first") == 401


def test_answers_are_encrypted_where_a_certificate_is_given(folder: Path, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl: apt-get install openssl")
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-keyout", str(key), "-out", str(certificate), "-days", "1", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.create_default_context(cafile=str(certificate))
    with served(folder, "--tls-cert", str(certificate), "--tls-key", str(key)) as address:
        assert address.startswith("https://")
        connection = http.client.HTTPSConnection(urlsplit(address).netloc, context=context, timeout=20)
        for rows in ([ROW], [ROW] * 1000):
            connection.request("POST", "/v1/predict", json.dumps({"rows": rows}), JSON)
            response = connection.getresponse()
            assert response.status == 200
            assert len(json.loads(response.read())["predictions"]) == len(rows)
        connection.request("POST", "/v1/predict", headers={"Content-Length": "99999999"})
        assert connection.getresponse().status == 413
        connection.close()
        plain = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
        plain.request("GET", "/v2")
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            plain.getresponse()
        plain.close()


def test_a_sample_of_predictions_is_kept(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = ("--log-predictions", str(log), "--log-sample", "1", "--log-leave-out=driver")
    with served(folder, *options) as address:
        requests = [[{**ROW, "distance": it % 100} for it in range(rows)] for rows in (1, 2, 2500)]
        ids = [predict(address, rows).json["id"] for rows in requests]
    found = pq.ParquetDataset(log).read().to_pydict()
    assert "input_line" in found
    assert "input_driver" not in found
    logged = zip(found["id"], found["row"], found["input_distance"], strict=True)
    assert sorted(logged) == sorted(
        (request, row, float(row % 100))
        for request, rows in zip(ids, requests, strict=True)
        for row in range(len(rows))
    )


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lockgate_runtime", "serve", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_folder_that_was_changed_is_not_served(folder: Path, tmp_path: Path, workers: str) -> None:
    changed = tmp_path / "model"
    shutil.copytree(folder, changed)
    with (changed / "model.onnx").open("ab") as file:
        file.write(b"x")
    result = run("--model", str(changed), "--port", "0", "--workers", workers)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    assert "help: " in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--model", "nowhere"],
        ["--artifact-sha256", "abc"],
        ["--auth-file", "nowhere"],
        ["--card", "nowhere"],
        ["--tls-cert", "nowhere", "--tls-key", "nowhere"],
        ["--host", "256.0.0.1"],
        ["--log-predictions", "nope://x"],
    ],
)
def test_what_cannot_be_served_is_told_in_a_sentence(folder: Path, options: list[str]) -> None:
    result = run("--model", str(folder), "--port", "0", *options)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--model", "x", "--tls-cert", "x"],
        ["--model", "x", "--workers", "0"],
        ["--model", "x", "--timeout", "nan"],
        ["--model", "x", "--log-sample", "2"],
        ["--model", "x", "--verson", "1"],
    ],
)
def test_what_was_not_understood_is_told_with_the_usage(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", *options])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("usage: python -m lockgate_runtime serve ")


def test_help_imports_no_library_of_data_or_of_the_web() -> None:
    code = (
        "import sys\n"
        "from lockgate_runtime.__main__ import main\n"
        "try: main(['serve', '--help'])\n"
        "except SystemExit: pass\n"
        "found = {'numpy', 'pandas', 'onnxruntime', 'pyarrow', 'sklearn', 'uvloop', 'httptools'} & set(sys.modules)\n"
        "sys.exit(repr(found) if found else 0)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True).returncode == 0
