"""The programs on this machine: which are there, and in which version."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lockgate.cli.asking import ask
from lockgate.cli.doctor.item import Item
from lockgate.spec.model import Spec

_SECONDS = 10
_OLDEST_GIT = (2, 28)  # init --initial-branch
_DVC = (3, 59)
_NUMBERS = re.compile(r"([0-9]+)\.([0-9]+)[^\s,]*")


def tool_items(root: Path, spec: Spec | None) -> Iterator[Item]:
    """An item a program; `act`, which nothing needs, only where it is there."""
    yield _python(spec)
    yield _git(root)
    yield _dvc()
    yield _gh(root)
    act = _version_of("act", root)
    if act is not None:
        yield Item("tools", "act", "ok", f"act {act[0]}, which runs workflows on this machine")


def _python(spec: Spec | None) -> Item:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = spec.project.python if spec is not None else here
    if wanted == here:
        return Item("tools", "python", "ok", f"Python {here}")
    what = f"this is Python {here}, and project.python, which CI takes, is {wanted}: models may differ"
    return Item("tools", "python", "warning", what, fix=f"install Lockgate in a Python {wanted}")


def _git(root: Path) -> Item:
    found = _version_of("git", root)
    if found is None:
        return Item("tools", "git", "failed", "found no 'git' on the PATH", fix="install Git")
    if found[1] < _OLDEST_GIT:
        return Item("tools", "git", "failed", f"Git {found[0]} is too old", fix="install Git 2.28 or newer")
    return Item("tools", "git", "ok", f"Git {found[0]}")


def _dvc() -> Item:
    fix = "pip install 'lockgate[pipeline]'"
    try:
        found = version("dvc")
    except PackageNotFoundError:
        return Item("tools", "dvc", "warning", "there is no DVC here: only CI can run pipelines", fix=fix)
    numbers = _NUMBERS.match(found)
    if numbers is None or not _DVC <= (int(numbers[1]), int(numbers[2])) < (4, 0):
        what = f"DVC {found} is not one that Lockgate is tested with: 3.59 or newer, below 4"
        return Item("tools", "dvc", "warning", what, fix=fix)
    return Item("tools", "dvc", "ok", f"DVC {found}")


def _gh(root: Path) -> Item:
    found = _version_of("gh", root)
    if found is None:
        what = "found no 'gh' on the PATH: --open-pr needs it, and GitHub's settings cannot be looked at"
        return Item(
            "tools", "gh", "warning", what, fix="install GitHub's command line: https://cli.github.com"
        )
    return Item("tools", "gh", "ok", f"gh {found[0]}")


def _version_of(program: str, root: Path) -> tuple[str, tuple[int, int]] | None:
    answered = ask([program, "--version"], root, _SECONDS)
    numbers = _NUMBERS.search(answered.out) if answered is not None else None
    return (numbers[0], (int(numbers[1]), int(numbers[2]))) if numbers else None
