"""`lockgate doctor`: what is set up, here and on GitHub, and a list of what cannot be looked at. Writes nothing."""

from __future__ import annotations

import shutil
import time
from argparse import Namespace
from collections.abc import Iterable, Iterator
from pathlib import Path

from lockgate.cli.doctor.data import data_items
from lockgate.cli.doctor.files import generated_items, ignored_items, spec_items
from lockgate.cli.doctor.git import clone_items, git_items, tag_items
from lockgate.cli.doctor.github import github_items
from lockgate.cli.doctor.item import Area, Item, from_diagnostics
from lockgate.cli.doctor.requirements import requirements_items
from lockgate.cli.doctor.seen import Settings, look, nothing_seen
from lockgate.cli.doctor.show import show
from lockgate.cli.doctor.tools import tool_items
from lockgate.cli.doctor.trust import trust_items
from lockgate.cli.failure import Exit, Failure
from lockgate.cli.project import Compiled, compile_project, find_root
from lockgate.cli.pull_requests.github import github_of
from lockgate.cli.terminal import Terminal
from lockgate.contract import SPEC_FILE
from lockgate.registry import shelf
from lockgate.registry.check import check_registry
from lockgate.registry.git import GitError
from lockgate.spec.model import Spec


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 1 where something failed; with `--strict` for warnings, too."""
    items = []
    for item in _items(arguments):
        terminal.clear()
        items.append(item)
        terminal.transient(f"{item.area} …")
    terminal.clear()
    show(terminal, arguments.format, items)
    failing = {"failed", "warning"} if arguments.strict else {"failed"}
    return Exit.REFUSED if any(it.state in failing for it in items) else Exit.OK


def _items(arguments: Namespace) -> Iterator[Item]:
    try:
        root = find_root(arguments.root)
    except Failure as failure:
        folder = Path(arguments.root or ".").resolve()
        if not folder.is_dir():
            raise
        yield Item("files", "spec", "failed", failure.message, fix="make a project: lockgate init")
        yield from tool_items(folder, None)
        return
    yield from _project_items(root, offline=arguments.offline)


def _project_items(root: Path, *, offline: bool) -> Iterator[Item]:
    compiled = compile_project(root)
    yield from spec_items(compiled)
    yield from _told("files", generated_items(compiled))
    if compiled.plan is not None:
        yield from requirements_items(root, compiled.plan)
    spec = compiled.reading.spec
    if spec is None:
        yield from _told("git", clone_items(root))
        yield from tool_items(root, None)
        return
    yield from _told("git", _repository_items(root, spec))
    yield from tool_items(root, spec)
    yield from _told("data", data_items(root, spec, offline=offline))
    yield from _told("registry", _registry_items(compiled))
    yield from _told("registry", tag_items(root, offline=offline))
    settings = _settings(root, spec, offline=offline)
    yield from github_items(spec, settings)
    yield from trust_items(spec, settings)


def _repository_items(root: Path, spec: Spec) -> Iterator[Item]:
    """Paths in Git's answers are those of the project only where it is the top of the repository."""
    found = tuple(clone_items(root))
    yield from found
    if all(it.state == "ok" for it in found):
        yield from git_items(root, spec)
        yield from ignored_items(root, spec)


def _registry_items(compiled: Compiled) -> Iterator[Item]:
    found = check_registry(
        compiled.root, compiled.reading, time.time(), {it.file for it in compiled.diagnostics}
    )
    yield from from_diagnostics("registry", found)
    if not found:
        records = sum(map(len, shelf.recorded(shelf.on_disk(compiled.root)).values()))
        what = "every record is as it was written, and every pin where it may be"
        yield Item("registry", "records", "ok", what if records else "nothing is released yet")


def _settings(root: Path, spec: Spec, *, offline: bool) -> Settings:
    if offline:
        return nothing_seen("not asked: --offline")
    if shutil.which("gh") is None:
        return nothing_seen("found no 'gh' on the PATH")
    return look(github_of(root, spec), spec)


def _told(area: Area, items: Iterable[Item]) -> Iterator[Item]:
    """The items; what keeps one from being looked at is an item, too."""
    try:
        yield from items
    except Failure as failure:
        yield Item(area, "unreadable", "failed", failure.message, fix=failure.help)
    except GitError as error:
        yield Item(area, "unreadable", "failed", str(error), SPEC_FILE)
