"""`lockgate serve`: the model of this work tree, of a folder or of a release, behind the server that clusters run."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.findings import show_diagnostics
from lockgate.cli.names import chosen_models
from lockgate.cli.project import find_root, read_spec
from lockgate.cli.serving.released import pinned_version, released_folder
from lockgate.cli.terminal import Terminal, printable
from lockgate.contract import (
    CARD,
    MODEL_DIRECTORY,
    REFERENCE,
    SIGNATURE,
    SPEC_FILE,
    Json,
    artifact_path,
)
from lockgate.contract.example import example_row
from lockgate.plan.serving import arguments as server_arguments
from lockgate.spec.model import Model, Spec
from lockgate.tuples import NamedTuple

_LIBRARIES = ("httptools", "msgspec", "numpy", "onnxruntime")
_READY = re.compile(r"serving (?P<model>\S+) (?P<version>\S+) at (?P<url>\S+) \(.*artifact (?P<artifact>\w+)")


class _Served(NamedTuple):
    """A server that is ready."""

    line: str
    url: str
    row: dict[str, Json]


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Serve until interrupted; exit 1 where the server does not start or stops by itself in a bad way."""
    root = find_root(arguments.root)
    spec = _spec(root, terminal)
    model = _model(spec, arguments)
    version = _version(spec, model.name, arguments)
    folder = (
        released_folder(root, model.name, version)
        if version is not None
        else _folder(root, model.name, arguments.folder)
    )
    row = _example(folder)
    _require_libraries()
    _require_no_address(arguments.passed_on)
    _require_port(arguments.host, arguments.port)
    with _started(_command(model, folder, version, arguments)) as server, _passing_on(server, signal.SIGTERM):
        served = _ready(server, row)
        # From a person who waits: the server answers what it has accepted, and leaves nobody time to look elsewhere.
        with _passing_on(server, signal.SIGINT):
            _greet(terminal, served, arguments.format)
            return Exit.OK if server.wait() == 0 else Exit.REFUSED


def _spec(root: Path, terminal: Terminal) -> Spec:
    reading = read_spec(root)
    if reading.spec is None:
        show_diagnostics(terminal, reading.diagnostics, {reading.file: reading.text})
        raise Failure(f"{SPEC_FILE} has errors", help="correct what is listed above")
    return reading.spec


def _model(spec: Spec, arguments: Namespace) -> Model:
    """With the settings that it is served with where a release comes from."""
    (name,) = chosen_models(spec, [arguments.model])
    model = spec.models[name]
    place = spec.environments.get(arguments.env)
    return model._replace(serve=place.serve.get(name, model.serve)) if place is not None else model


def _version(spec: Spec, model: str, arguments: Namespace) -> str | None:
    """Of the release that is asked for; None where it is the work tree's model or a folder's."""
    version: str | None = arguments.version
    return version if arguments.env is None else pinned_version(spec, model, arguments.env)


def _folder(root: Path, model: str, named: str | None) -> Path:
    """Where the exported model lies; a folder that the user names is one from where they are."""
    folder = root / artifact_path(model, MODEL_DIRECTORY) if named is None else Path(named).resolve()
    if (folder / SIGNATURE).is_file():
        return folder
    if named is not None:
        shown = printable(named)
        raise Failure(
            f"'{shown}' holds no exported model: it has no '{SIGNATURE}'",
            help=f"name the folder that the stage 'export' wrote, such as '{artifact_path(model, MODEL_DIRECTORY)}'",
        )
    raise Failure(f"there is no exported model of '{model}' here yet", help=f"run `lockgate run {model}`")


def _example(folder: Path) -> dict[str, Json]:
    try:
        signature, reference = (json.loads((folder / name).read_bytes()) for name in (SIGNATURE, REFERENCE))
        return example_row(signature, reference)
    except OSError as error:
        message = f"cannot read '{error.filename}': {(error.strerror or '').lower()}"
        raise Failure(message, help="run the stage 'export' again, or check the permissions") from error
    except (ValueError, KeyError, TypeError, AttributeError, LookupError) as error:
        message = f"'{SIGNATURE}' or '{REFERENCE}' in '{folder}' is not what the stage 'export' writes"
        raise Failure(message, help="run the stage 'export' again") from error


def _require_libraries() -> None:
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        found = ", ".join(f"'{name}'" for name in missing)
        raise Failure(f"the server needs {found}, not installed here", help="pip install 'lockgate[serve]'")


def _require_no_address(passed_on: Sequence[str]) -> None:
    """One that the server alone is told could be another's, and the two would share its requests."""
    for name in ("--host", "--port"):
        if any(it.partition("=")[0] == name for it in passed_on):
            raise Failure(
                f"'{name}' stands behind '--', where nobody asks whether its address is free",
                help=f"name it before the '--': lockgate serve MODEL {name} …",
                exit_code=Exit.USAGE,
            )


def _require_port(host: str, port: int) -> None:
    """The server itself shares its port with others of its kind, so that one can relieve another."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as door:
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
    except (OSError, UnicodeError, OverflowError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise Failure(
            f"cannot listen at port {port} of '{printable(host)}': {reason}",
            help="name another port with --port; with --port 0 the system finds a free one",
        ) from error


def _command(model: Model, folder: Path, version: str | None, arguments: Namespace) -> list[str]:
    card = folder.parent / CARD
    return [
        sys.executable,
        *("-m", "lockgate_runtime", "serve"),
        *("--model", str(folder)),
        *("--host", arguments.host),
        *("--port", str(arguments.port)),
        *(("--card", str(card)) if card.is_file() else ()),
        *(("--version", version) if version is not None else ()),
        *(f"--trust={name}" for name in model.export.trusted),
        *(server_arguments(model.serve) if model.serve is not None else ()),
        *arguments.passed_on,
    ]


@contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """The server, which never outlives this. It is in a group of its own: signals reach it by way of this process."""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, process_group=0
    ) as server:
        try:
            yield server
        finally:
            if server.poll() is None:
                server.terminate()


@contextmanager
def _passing_on(server: subprocess.Popen[str], passed: signal.Signals) -> Iterator[None]:
    """Whatever asks this process to end makes the server end, which ends this process."""

    def pass_on(_number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(server.pid, passed)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ready(server: subprocess.Popen[str], row: dict[str, Json]) -> _Served:
    """The server's first line; it has said on the standard error why there is none."""
    assert server.stdout is not None, "the output is read"
    line = server.stdout.readline().rstrip("\n")
    found = _READY.match(line)
    if found is None and server.wait() == -signal.SIGTERM:
        raise KeyboardInterrupt
    if found is None:
        raise Failure("the server did not start", help="it says above what is wrong")
    return _Served(line=line, url=found["url"], row=row)


def _greet(terminal: Terminal, served: _Served, form: str) -> None:
    if form == "json":
        found = _READY.match(served.line)
        facts = found.groupdict() if found else {}
        terminal.say(
            json.dumps({**facts, "predict": f"{served.url}v1/predict", "example": {"rows": [served.row]}})
        )
    else:
        terminal.say(printable(served.line))
        terminal.say(f"\nTry a row, or open {served.url} in a browser:\n")
        terminal.say(f"{_curl(served)}\n")
        terminal.say(terminal.dim("Ctrl-C stops it."))
    terminal.out.flush()


def _curl(served: _Served) -> str:
    """Control characters in names are escapes of JSON, quotes those of the shell."""
    body = shlex.quote(json.dumps({"rows": [served.row]}))
    return f"  curl {served.url}v1/predict -H 'Content-Type: application/json' -d {body}"
