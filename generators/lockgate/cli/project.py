"""The project on the disk: where it is, and all that its spec makes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.findings import show_diagnostics
from lockgate.cli.terminal import Terminal
from lockgate.cli.unchanged import spec_folder
from lockgate.contract import SPEC_FILE
from lockgate.diagnostics import Diagnostic, sort
from lockgate.output import OutputError
from lockgate.plan import make
from lockgate.plan.model import Plan
from lockgate.registry import read_records
from lockgate.spec import Reading, locate, read, read_bytes
from lockgate.spec.files import check_files
from lockgate.spec.model import Spec
from lockgate.targets import render
from lockgate.tuples import NamedTuple


class Compiled(NamedTuple):
    """All that the spec makes. `plan` is None, and `files` empty, where errors among `diagnostics` forbid it."""

    root: Path
    reading: Reading
    plan: Plan | None
    files: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def sources(self) -> Mapping[str, str]:
        """The texts that diagnostics show lines of."""
        return {self.reading.file: self.reading.text}


def find_root(directory: str | None) -> Path:
    """The project's folder: the one named, else the nearest one from here upwards that holds a spec."""
    root = spec_folder(directory)
    if root is None:
        where = "here or in a folder above" if directory is None else f"in '{directory}'"
        raise Failure(f"no {SPEC_FILE} {where}", help=_HOW_TO_START, exit_code=Exit.USAGE)
    return Path(root)


_HOW_TO_START = "name the project's folder with -C, or make a project with `lockgate init`"


def read_spec(root: Path) -> Reading:
    """What the project's spec says."""
    try:
        return read(read_bytes(root))
    except OSError as error:
        raise Failure(f"cannot read {SPEC_FILE}: {error.strerror}", help="check its permissions") from error


def compile_project(root: Path) -> Compiled:
    """The spec, its plan and the files that it makes, or everything that is wrong with it."""
    return compile_reading(root, read_spec(root))


def compile_reading(root: Path, reading: Reading) -> Compiled:
    """What a spec makes that has been read already; the records of releases lie below the root."""
    if reading.spec is None:
        return Compiled(root=root, reading=reading, plan=None, files={}, diagnostics=reading.diagnostics)
    pins = [(model, version) for pinned in reading.spec.pins.values() for model, version in pinned.items()]
    records, record_problems = read_records(root, pins)
    plan, plan_findings = make(reading.spec, records)
    rendering = render(plan)
    missing_files = check_files(reading.spec, lambda path: (root / path).exists())
    # A record that cannot be read is there all the same.
    unrecorded = () if record_problems else plan_findings
    located = locate((*unrecorded, *missing_files, *rendering.findings), reading.text)
    diagnostics = sort((*reading.diagnostics, *record_problems, *located))
    if has_errors(diagnostics):
        return Compiled(root=root, reading=reading, plan=None, files={}, diagnostics=diagnostics)
    return Compiled(root=root, reading=reading, plan=plan, files=rendering.files, diagnostics=diagnostics)


def require_plan(compiled: Compiled, terminal: Terminal) -> Plan:
    """The plan; where there is none, everything that is wrong is said and the command ends."""
    if compiled.plan is None:
        show_diagnostics(terminal, compiled.diagnostics, compiled.sources)
        raise Failure(f"{SPEC_FILE} has errors", help="correct what is listed above")
    return compiled.plan


def require_spec(reading: Reading, terminal: Terminal) -> Spec:
    """The spec, whatever may be wrong with releases: a rollback has to be possible then, too."""
    if reading.spec is None:
        show_diagnostics(terminal, reading.diagnostics, {reading.file: reading.text})
        raise Failure(f"{SPEC_FILE} has errors", help="correct what is listed above")
    return reading.spec


@contextmanager
def disk_failures() -> Iterator[None]:
    """What the disk refuses ends the command."""
    try:
        yield
    except OutputError as error:
        raise Failure(error.message, help=error.help) from error


def has_errors(diagnostics: tuple[Diagnostic, ...]) -> bool:
    """Whether something is wrong that a warning does not cover."""
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)


def project_path(root: Path, directory: str | None, path: str) -> str:
    """A path as the user typed it, from the folder that they are in, as one from the project's root."""
    base = root if directory is not None else Path.cwd()
    # Links are not followed: a link to a generated file is not that file.
    absolute = Path(os.path.normpath(base / path))
    if not absolute.is_relative_to(root):
        raise Failure(f"'{path}' is not in the project", help=f"the project is {root}", exit_code=Exit.USAGE)
    return absolute.relative_to(root).as_posix()
