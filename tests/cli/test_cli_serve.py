"""`lockgate serve`, with the real server where it gets as far."""

from __future__ import annotations

import importlib.util
import json
import shlex
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import edit
from tests.server.hostile import BUS, BUS_REFERENCE
from tests.server.model_folder import write_folder

from lockgate.contract import Signature

IRIS: Signature = {**BUS, "model": "iris"}


@pytest.fixture
def exported(project: Path) -> Path:
    """The project with an exported model of 'iris'."""
    write_folder(project / "artifacts/iris/model", IRIS, BUS_REFERENCE)
    return project


@contextmanager
def serving(root: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """The command while it runs; one that a test leaves running is killed."""
    command = [sys.executable, "-m", "lockgate", "serve", "iris", "--port", "0", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=root, stdout=pipe, stderr=pipe, text=True) as process:
        patience = threading.Timer(30, process.kill)
        patience.start()
        try:
            yield process
        finally:
            patience.cancel()
            process.terminate()
            process.communicate(timeout=30)


def read_until(process: subprocess.Popen[str], start: str) -> list[str]:
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith(start):
            return lines
    raise AssertionError(process.stderr.read() if process.stderr else "")


def test_an_unknown_model_is_a_usage_error(lockgate: Lockgate, project: Path) -> None:
    outcome = lockgate("serve", "irs")
    assert outcome.code == 2
    assert outcome.err == "error: mlops.yaml has no model 'irs'\n  = help: did you mean 'iris'?\n"


def test_a_wrong_spec_is_shown(lockgate: Lockgate, project: Path) -> None:
    edit(project, "owner: botany", "ownr: botany")
    outcome = lockgate("serve", "iris")
    assert outcome.code == 1
    assert "unknown-key" in outcome.err


def test_without_a_model_the_next_step_is_to_run_the_pipeline(lockgate: Lockgate, project: Path) -> None:
    outcome = lockgate("serve", "iris")
    assert outcome.code == 1
    assert outcome.err == (
        "error: there is no exported model of 'iris' here yet\n  = help: run `lockgate run iris`\n"
    )


def test_a_folder_without_a_model_is_named(lockgate: Lockgate, project: Path) -> None:
    (project / "empty").mkdir()
    outcome = lockgate("serve", "iris", "--folder", "empty")
    assert outcome.code == 1
    assert outcome.err.startswith("error: 'empty' holds no exported model: it has no 'signature.json'\n")


def test_a_reference_that_is_something_else_is_no_bug(lockgate: Lockgate, exported: Path) -> None:
    (exported / "artifacts/iris/model/reference.json").write_text("[]")
    outcome = lockgate("serve", "iris", "--port", "0")
    assert outcome.code == 1
    assert outcome.err.endswith(
        "is not what the stage 'export' writes\n  = help: run the stage 'export' again\n"
    )


def test_missing_libraries_say_what_to_install(
    lockgate: Lockgate, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "lockgate.cli.serve.find_spec", lambda name: None if name == "httptools" else find(name)
    )
    outcome = lockgate("serve", "iris")
    assert outcome.err == (
        "error: the server needs 'httptools', not installed here\n  = help: pip install 'lockgate[serve]'\n"
    )


@pytest.mark.parametrize("shares", [False, True])
def test_a_port_that_is_taken_is_named(lockgate: Lockgate, exported: Path, shares: bool) -> None:
    """Another model's server would share its port, and get half of the requests."""
    with socket.create_server(("127.0.0.1", 0), reuse_port=shares) as other:
        port = other.getsockname()[1]
        outcome = lockgate("serve", "iris", "--port", str(port))
    assert outcome.code == 1
    assert outcome.err == (
        f"error: cannot listen at port {port} of '127.0.0.1': address already in use\n"
        "  = help: name another port with --port; with --port 0 the system finds a free one\n"
    )


@pytest.mark.parametrize("option", ["--port=8081", "--host=::1"])
def test_an_address_that_only_the_server_would_hear_of_is_a_usage_error(
    lockgate: Lockgate, exported: Path, option: str
) -> None:
    outcome = lockgate("serve", "iris", "--port", "0", "--", option)
    name = option.partition("=")[0]
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: '{name}' stands behind '--', where nobody asks")


@pytest.mark.parametrize("port", ["65536", "-1", "http", "\N{SUPERSCRIPT TWO}"])
def test_what_is_no_port_is_a_usage_error(lockgate: Lockgate, exported: Path, port: str) -> None:
    outcome = lockgate("serve", "iris", f"--port={port}")
    assert outcome.code == 2
    assert "expected a number from 0 to 65535" in outcome.err


def test_a_model_that_was_changed_is_refused(lockgate: Lockgate, exported: Path) -> None:
    with (exported / "artifacts/iris/model/model.onnx").open("ab") as file:
        file.write(b"\0")
    outcome = lockgate("serve", "iris", "--port", "0")
    assert outcome.code == 1
    assert outcome.err.endswith("error: the server did not start\n  = help: it says above what is wrong\n")


@pytest.mark.slow
def test_the_printed_command_gets_a_prediction(exported: Path) -> None:
    with serving(exported) as process:
        lines = read_until(process, "Ctrl-C")
        assert lines[0].startswith("serving iris unreleased at http://127.0.0.1:")
        (command,) = [line for line in lines if line.startswith("  curl ")]
        _, url, _, _, _, body = shlex.split(command)
        request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer)["predictions"][0]["prediction"] == "True"


@pytest.mark.slow
def test_json_tells_programs_where_it_is(exported: Path) -> None:
    with serving(exported, "--format", "json") as process:
        told = json.loads(read_until(process, "{")[0])
        assert told["model"] == "iris"
        with urllib.request.urlopen(f"{told['url']}v2/health/ready", timeout=10) as answer:
            assert answer.status == 200


@pytest.mark.slow
def test_the_spec_s_settings_and_then_the_user_s_hold(exported: Path) -> None:
    edit(exported, "serve: {}", "serve: {limits: {rows: 7}, unknown_categories: refuse}")
    (exported / "artifacts/iris/card.md").write_text("# The card of iris\n")
    with serving(exported, "--format", "json", "--", "--version", "4.2.0") as process:
        told = json.loads(read_until(process, "{")[0])
        assert told["version"] == "4.2.0"
        with urllib.request.urlopen(f"{told['url']}openapi.json", timeout=10) as answer:
            schemas = json.load(answer)["components"]["schemas"]
        with urllib.request.urlopen(told["url"], timeout=10) as answer:
            assert "The card of iris" in answer.read().decode()
    assert schemas["Rows"]["properties"]["rows"]["maxItems"] == 7
    assert schemas["Row"]["properties"]["line"]["enum"] == ["A", "B", "C"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_and_the_command(exported: Path, number: signal.Signals) -> None:
    with serving(exported) as process:
        read_until(process, "Ctrl-C")
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 0
        assert "Traceback" not in err
