"""Times cold runs of `lockgate check` and `lockgate render` beside others, all in one run, as a Markdown table.

    python benchmarks/compile.py [--models 10 100 1000] [--rounds 15]

Cold is the process, not the disk, and Python's bytecode is compiled, as an installed package's is. The commands of a
project take turns, so that what disturbs the machine disturbs all of them. Peak memory is the largest resident set of
the process as the kernel counted it, without its children's.

Kapitan and Copier take part where LOCKGATE_PEERS names the folder of their commands; benchmarks/README.md says how.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from peers import write_copier, write_kapitan
from specs import write_project

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = ROOT / "schema" / "mlops.schema.json"
BARE = Path(__file__).with_name("bare.py")
MOST_FOR_PEERS = 100
"""Models; beyond, `kubectl kustomize` takes minutes."""
MOST_CHECKS = 10
GENERATED = ("pipelines", "manifests", ".github", ".lockgate")
COPIED = ("mlops.yaml", "requirements.txt", "requirements-serve.txt", "models", "registry")


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """A command, and what to do with the project before each run of it."""

    name: str
    command: tuple[str, ...]
    prepare: Callable[[Path], None]
    exit_code: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """Of each round the wall time in seconds and the peak resident set in MB."""

    seconds: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--models", type=int, nargs="*", default=[10, 100, 1000], help="sizes of the generated specs"
    )
    parser.add_argument("--rounds", type=int, default=15, help="of the small projects; large ones get fewer")
    options = parser.parse_args(arguments)
    print("| Project | Command | Median, s | Fastest, s | Times bare | Peak, MB |")
    print("|---|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.pop("CI", None)  # there, no check is remembered
        _keep_bytecode_in(Path(scratch, "bytecode"))
        _measure("the example", _example(Path(scratch)), 1, options.rounds)
        for models in options.models:
            project = Path(scratch, str(models))
            write_project(project, models)
            rounds = max(3, min(options.rounds, 1500 // max(models, 1)))
            _measure(f"{models:,} models", project, models, rounds)
    return 0


def _keep_bytecode_in(directory: Path) -> None:
    """For all processes of this run, even where the environment says to keep none."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(directory)


def _example(scratch: Path) -> Path:
    """A copy: nothing in the repository is touched."""
    project = scratch / "example"
    project.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, project / name)
    return project


def _measure(title: str, project: Path, models: int, rounds: int) -> None:
    contenders = tuple(_contenders(project, models))
    times = {contender.name: Times() for contender in contenders}
    for contender in contenders:
        _run(contender, project)
    for _ in range(rounds):
        for contender in contenders:
            contender.prepare(project)
            seconds, megabytes = _run(contender, project)
            times[contender.name].seconds.append(seconds)
            times[contender.name].megabytes.append(megabytes)
    files = sum(1 for name in GENERATED for path in (project / name).rglob("*") if path.is_file())
    size = (project / "mlops.yaml").stat().st_size
    bare = statistics.median(times[contenders[0].name].seconds)
    for contender in contenders:
        _print_row(
            f"{title} ({size / 1000:,.0f} kB, {files:,} files)", contender.name, times[contender.name], bare
        )


def _contenders(project: Path, models: int) -> Iterable[Contender]:
    lockgate = str(Path(sys.executable).with_name("lockgate"))
    bare = (sys.executable, str(BARE), "mlops.yaml", str(SCHEMA))
    yield Contender(name="bare: C loader and jsonschema", command=bare, prepare=_leave)
    yield Contender(
        name="`lockgate render`, everything new", command=(lockgate, "render"), prepare=_remove_generated
    )
    yield Contender(name="`lockgate render`, nothing changed", command=(lockgate, "render"), prepare=_leave)
    yield Contender(
        name="`lockgate check --no-cache`", command=(lockgate, "check", "--no-cache"), prepare=_leave
    )
    yield Contender(
        name="`lockgate check`, nothing changed since the last",
        command=(lockgate, "check"),
        prepare=_remember,
    )
    if models <= MOST_FOR_PEERS:
        _run(Contender(name="", command=(lockgate, "render"), prepare=_leave), project)
        yield from _peers(project)


def _peers(project: Path) -> Iterable[Contender]:
    """Others that are there, on the manifests that Lockgate made of the environment `production`."""
    production = project / "manifests" / "production"
    if kubectl := _command("kubectl"):
        kustomize = (kubectl, "kustomize", str(production))
        yield Contender(name="`kubectl kustomize` of production", command=kustomize, prepare=_leave)
    if kapitan := _command("kapitan"):
        services = write_kapitan(project / "kapitan", production)
        there = ("env", "-C", str(project / "kapitan"), kapitan, "compile")
        yield Contender(name=f"`kapitan compile`, targets: {services}", command=there, prepare=_leave)
    if copier := _command("copier"):
        service = write_copier(project / "copier", production)
        options = ("--defaults", "--force", "--quiet", "--data", f"name={service}")
        copy = (copier, "copy", *options, str(project / "copier"), str(project / "copied"))
        yield Contender(name="`copier copy` of one service", command=copy, prepare=_leave)


def _command(name: str) -> str | None:
    folders = (os.environ.get("LOCKGATE_PEERS", ""), str(Path(sys.executable).parent), os.environ["PATH"])
    return shutil.which(name, path=os.pathsep.join(filter(None, folders)))


def _leave(_project: Path) -> None:
    pass


def _remember(project: Path) -> None:
    """Checks until the answer comes from memory: for that, files must have lain still for two seconds."""
    command = (str(Path(sys.executable).with_name("lockgate")), "check")
    for _ in range(MOST_CHECKS):
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
        if "unchanged" in done.stdout:
            return
        time.sleep(1)
    sys.exit(f"`lockgate check` of {project} was never remembered")


def _remove_generated(project: Path) -> None:
    """Puts them aside: where many files were just deleted, file systems take seconds to make new ones."""
    aside = Path(tempfile.mkdtemp(prefix="removed-", dir=project.parent))
    for name in GENERATED:
        if (project / name).exists():
            (project / name).rename(aside / name)


def _run(contender: Contender, project: Path) -> tuple[float, float]:
    """Wall time in seconds and peak memory in MB of one run."""
    started = time.perf_counter()
    process = subprocess.Popen(
        contender.command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode != contender.exit_code:
        sys.exit(
            f"{' '.join(contender.command)} failed with exit code {process.returncode}:\n{said.decode()}"
        )
    kilobytes = usage.ru_maxrss / 1024 if sys.platform == "darwin" else usage.ru_maxrss
    return seconds, kilobytes / 1024


def _print_row(project: str, name: str, times: Times, bare: float) -> None:
    median, fastest = statistics.median(times.seconds), min(times.seconds)
    peak = max(times.megabytes)
    print(
        f"| {project} | {name} | {median:.2f} | {fastest:.2f} | {median / bare:.2f} | {peak:.0f} |",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
