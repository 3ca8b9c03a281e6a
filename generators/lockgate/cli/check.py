"""`lockgate check`: everything that is wrong, in the spec and in the generated files. Writes its memo alone."""

from __future__ import annotations

import time
from argparse import Namespace
from collections import Counter
from contextlib import nullcontext

from lockgate.cli.failure import Exit
from lockgate.cli.findings import show_diagnostics
from lockgate.cli.project import Compiled, compile_project, disk_failures, find_root
from lockgate.cli.remembering import keep, noting
from lockgate.cli.terminal import Terminal, plural
from lockgate.contract import SPEC_FILE
from lockgate.diagnostics import Diagnostic, sort
from lockgate.diagnostics.formats import render_github, render_json, render_sarif
from lockgate.output import compare, diagnose
from lockgate.output.findings import STALE_RULES
from lockgate.registry import shelf
from lockgate.spec import locate
from lockgate.spec.files import check_files

_FORMATS = {"json": render_json, "github": render_github, "sarif": render_sarif}


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 1 for what is wrong with the spec, 3 for files alone."""
    started = time.perf_counter()
    root = find_root(arguments.root)
    with nullcontext() if arguments.no_cache else noting(root) as notes:
        compiled = compile_project(root)
        diagnostics = _diagnostics(compiled, is_remote=arguments.remote)
    if arguments.format == "text":
        show_diagnostics(terminal, diagnostics, compiled.sources)
    else:
        terminal.write(_FORMATS[arguments.format](diagnostics))
    code = exit_code(diagnostics, failing=("error", "warning") if arguments.strict else ("error",))
    if code == Exit.OK and arguments.format == "text":
        said = _summary(compiled, diagnostics)
        terminal.say(f"{SPEC_FILE}: ok: {said} ({time.perf_counter() - started:.2f} s)")
    if notes is not None and not diagnostics:
        keep(notes, _summary(compiled, diagnostics), _asked_for(compiled))
    return code


def _diagnostics(compiled: Compiled, *, is_remote: bool) -> tuple[Diagnostic, ...]:
    found = (
        *compiled.diagnostics,
        *file_diagnostics(compiled),
        *_registry_diagnostics(compiled),
        *(_remote_diagnostics(compiled) if is_remote else ()),
    )
    return sort(found)


def _asked_for(compiled: Compiled) -> list[str]:
    """The files of which the check looks whether they are there, and no more."""
    assert compiled.reading.spec is not None, "a spec without findings is one"
    asked: list[str] = []

    def exists(path: str) -> bool:
        asked.append(path)
        return False

    tuple(check_files(compiled.reading.spec, exists))
    return asked


def file_diagnostics(compiled: Compiled) -> tuple[Diagnostic, ...]:
    """What is wrong with the files; nothing while errors in the spec keep them from being made."""
    if compiled.plan is None:
        return ()
    with disk_failures():
        return diagnose(compare(compiled.root, compiled.files))


def _registry_diagnostics(compiled: Compiled) -> tuple[Diagnostic, ...]:
    if not _has_releases(compiled):
        return ()
    from lockgate.registry.check import check_registry

    broken = {it.file for it in compiled.diagnostics}
    return check_registry(compiled.root, compiled.reading, time.time(), broken)


def _has_releases(compiled: Compiled) -> bool:
    """Whether anything is recorded or pinned; else what runs Git need not even be imported."""
    spec = compiled.reading.spec
    return (compiled.root / shelf.FOLDER).is_dir() or (spec is not None and any(spec.pins.values()))


def _remote_diagnostics(compiled: Compiled) -> tuple[Diagnostic, ...]:
    from lockgate.cli.dvc.remote import missing_artifacts

    reading = compiled.reading
    if reading.spec is None:
        return ()
    findings = missing_artifacts(compiled.root, reading.spec, shelf.on_disk(compiled.root))
    return locate(findings, reading.text)


def exit_code(diagnostics: tuple[Diagnostic, ...], *, failing: tuple[str, ...] = ("error",)) -> Exit:
    """0 where nothing fails, 3 where only files do."""
    rules = {diagnostic.rule for diagnostic in diagnostics if diagnostic.severity in failing}
    if not rules:
        return Exit.OK
    return Exit.STALE if rules <= STALE_RULES else Exit.REFUSED


def _summary(compiled: Compiled, diagnostics: tuple[Diagnostic, ...]) -> str:
    assert compiled.plan is not None, "a spec that compiles has a plan"
    spec = compiled.plan.spec
    warnings = Counter(diagnostic.severity for diagnostic in diagnostics)["warning"]
    parts = (
        plural(len(spec.models), "model"),
        plural(len(spec.environments), "environment"),
        f"{plural(len(compiled.files), 'file')} current",
        *([plural(warnings, "warning")] if warnings else []),
    )
    return ", ".join(parts)
