"""`lockgate rehearse`: stable and candidate on loopback, real requests to both, and the analysis that was generated."""

from __future__ import annotations

import signal
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.findings import show_diagnostics
from lockgate.cli.names import chosen_models
from lockgate.cli.project import find_root, read_spec
from lockgate.cli.serving.exported import candidate_folder, stable_folder
from lockgate.cli.serving.rehearsed import Rehearsal, say_as_json, say_as_text
from lockgate.cli.serving.released import released_folder
from lockgate.cli.terminal import Terminal, printable
from lockgate.contract import HOLDOUT, SPEC_FILE, artifact_path
from lockgate.plan import make
from lockgate.plan.analysis import HASH_LABEL, metrics
from lockgate.plan.model import Service
from lockgate.plan.serving import arguments as server_arguments
from lockgate.plan.serving import trust
from lockgate.rehearsal.compression import compressed, lead_seconds, scrape_seconds, steps, usual_speed
from lockgate.rehearsal.processes import StartError, Version, replaying, servers
from lockgate.rehearsal.prometheus import is_installed, prometheus
from lockgate.rehearsal.run import Asked, Judge, Pace, StepSeen, rehearse
from lockgate.rehearsal.scrapes import JudgeError, Scrapes, Source
from lockgate.spec.model import Spec

_LIBRARIES = ("httptools", "msgspec", "numpy", "onnxruntime", "pyarrow")
# Nobody is left to be answered when a rehearsal stops its servers.
_DRAIN_SECONDS = "0.1"
_STABLE, _CANDIDATE = "stable", "candidate"


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 0 where the candidate is promoted, 1 where it is taken back or a person would have to decide."""
    root = find_root(arguments.root)
    spec = _spec(root, terminal)
    service = _service(spec, arguments)
    candidate = _candidate(root, service.name, arguments)
    traffic = _traffic(root, service.name, arguments.traffic)
    _require_libraries()
    with _stoppable(), TemporaryDirectory(prefix="lockgate-rehearsal-") as scratch:
        stable = _stable(root, spec, service, arguments.stable, Path(scratch))
        rehearsal = _rehearsal(service, arguments, {_STABLE: stable, _CANDIDATE: candidate}, traffic)
        try:
            seen = _seen(rehearsal, arguments.judge)
            say = say_as_json if arguments.format == "json" else say_as_text
            return Exit.OK if say(rehearsal, seen, terminal) == "promoted" else Exit.REFUSED
        except StartError as error:
            message = f"{error.what} did not start or has ended: {printable(error.said)}"
            raise Failure(message, help="correct it, then try again") from error
        except JudgeError as error:
            raise Failure(str(error), help="judge without it: --judge built-in") from error


def _spec(root: Path, terminal: Terminal) -> Spec:
    reading = read_spec(root)
    if reading.spec is None:
        show_diagnostics(terminal, reading.diagnostics, {reading.file: reading.text})
        raise Failure(f"{SPEC_FILE} has errors", help="correct what is listed above")
    return reading.spec


def _service(spec: Spec, arguments: Namespace) -> Service:
    """Where the model is served, of the environment named or else the last whose rollout is analysed."""
    (name,) = chosen_models(spec, [arguments.model])
    plan, _ = make(spec, {})
    served = [it for it in plan.services if it.name == name]
    if arguments.env is not None:
        served = [it for it in served if it.environment == arguments.env]
    if not served:
        where = "any environment" if arguments.env is None else f"'{printable(arguments.env)}'"
        raise Failure(
            f"'{name}' is not served in {where}", help="see 'serve' and 'environments'", exit_code=Exit.USAGE
        )
    analysed = [it for it in served if metrics(it)]
    if not analysed:
        raise Failure(
            f"the rollout of '{name}' in '{served[-1].environment}' is held to nothing: there is no analysis",
            help="make 'serve.rollout' canary and promise something in 'serve.slo'",
        )
    return analysed[-1]


def _candidate(root: Path, model: str, arguments: Namespace) -> Path:
    if arguments.version is not None:
        return released_folder(root, model, arguments.version)
    return candidate_folder(root, model, arguments.candidate)


def _stable(root: Path, spec: Spec, service: Service, named: str | None, into: Path) -> Path:
    """What is named, else what is live: the release that the environment pins."""
    if named is not None:
        return stable_folder(root, service.name, named, into)
    version = spec.pins.get(service.environment, {}).get(service.name)
    if version is None:
        raise Failure(
            f"nothing of '{service.name}' is pinned in '{service.environment}', so no version is stable there",
            help="name one with --stable: a release, a commit, or the folder of an exported model",
        )
    return released_folder(root, service.name, version)


def _traffic(root: Path, model: str, named: str) -> Path:
    path = root / artifact_path(model, HOLDOUT) if named == "holdout" else Path(named).resolve()
    if path.exists():
        return path
    if named == "holdout":
        raise Failure(f"there is no holdout of '{model}' here yet", help=f"run `lockgate run {model}`")
    raise Failure(
        f"there is no traffic at '{printable(named)}'", help="name a Parquet file", exit_code=Exit.USAGE
    )


def _require_libraries() -> None:
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        found = ", ".join(f"'{name}'" for name in missing)
        raise Failure(f"a rehearsal needs {found}, not installed here", help="pip install 'lockgate[serve]'")


def _rehearsal(service: Service, arguments: Namespace, folders: dict[str, Path], traffic: Path) -> Rehearsal:
    """Queries of the user's own ask for what only the cluster's Prometheus has."""
    speed = arguments.speed or usual_speed(service)
    every = metrics(service, latest=_CANDIDATE, stable=_STABLE)
    return Rehearsal(
        service=service,
        stable=folders[_STABLE],
        candidate=folders[_CANDIDATE],
        traffic=traffic,
        rate=arguments.rate,
        speed=speed,
        steps=steps(service, speed),
        asked=tuple(Asked(it, compressed(it.expression, speed)) for it in every if it.expression is not None),
        not_asked=tuple(it.name for it in every if it.expression is None),
    )


def _seen(rehearsal: Rehearsal, judge: str) -> Iterator[StepSeen]:
    """Each step as soon as it is over; everything is stopped at the end."""
    service = rehearsal.service
    between = scrape_seconds([it.expression for it in rehearsal.asked])
    pace = Pace(rehearsal.speed, between, lead_seconds(service, rehearsal.speed, between))
    slow = service.serve.rollout.analysis.latency_p99_max_seconds if service.serve.rollout.analysis else None
    folders = (rehearsal.stable, rehearsal.candidate)
    commands = [
        (f"the server of the {name}", _command(service, folder, name))
        for name, folder in zip((_STABLE, _CANDIDATE), folders, strict=True)
    ]
    with ExitStack() as stack:
        urls = stack.enter_context(servers(commands))
        stable, candidate = (Version(url, folder) for url, folder in zip(urls, folders, strict=True))
        asked = stack.enter_context(_judge(judge, _sources(service, urls), between))
        sent = stack.enter_context(replaying(rehearsal.traffic, stable, candidate, rehearsal.rate, slow))
        yield from rehearse(rehearsal.steps, rehearsal.asked, sent, asked, pace)


def _command(service: Service, folder: Path, version: str) -> list[str]:
    return [
        *(sys.executable, "-m", "lockgate_runtime", "serve", "--model", str(folder)),
        *("--version", version, "--host", "127.0.0.1", "--port", "0"),
        *trust(service.model),
        *server_arguments(service.serve),
        *("--drain-seconds", _DRAIN_SECONDS),
    ]


def _sources(service: Service, urls: tuple[str, ...]) -> tuple[Source, ...]:
    """With the labels that the cluster's Prometheus adds to what it scrapes from pods."""
    return tuple(
        Source(url, {"namespace": service.namespace, HASH_LABEL: version})
        for url, version in zip(urls, (_STABLE, _CANDIDATE), strict=True)
    )


def _judge(wanted: str, sources: tuple[Source, ...], between: float) -> AbstractContextManager[Judge]:
    if wanted == "prometheus" and not is_installed():
        raise Failure(
            "found no 'prometheus' on the PATH", help="install it, or leave it out: --judge built-in"
        )
    if wanted == "built-in" or not is_installed():
        return nullcontext(Scrapes(sources))
    return prometheus(sources, between)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Told to stop, it stops what it started first."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
