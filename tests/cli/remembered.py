"""Checks whose answer is remembered at once, as if all files had lain still for an hour."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate

from lockgate.cli import remembering, unchanged

HOUR_NS = 3600 * 1_000_000_000
UNCHANGED = "(unchanged since the last check)\n"
MEMO = ".cache/lockgate/check"
_LATER = f"""
import sys
from lockgate.cli import remembering, unchanged
unchanged.STARTED_NS += {HOUR_NS}
clock = remembering._clock
def later(folder):
    now, device = clock(folder)
    return now + {HOUR_NS}, device
remembering._clock = later
from lockgate.cli import main
sys.exit(main(sys.argv[1:]))
"""


def rest(patch: pytest.MonkeyPatch) -> None:
    """In this process an hour goes by before each check, and no CI is around."""
    clock = remembering._clock

    def later(folder: int) -> tuple[int, int]:
        now, device = clock(folder)
        return now + HOUR_NS, device

    patch.setattr(remembering, "_clock", later)
    patch.setattr(unchanged, "STARTED_NS", time.time_ns() + HOUR_NS)
    patch.delenv("CI", raising=False)


def remember(root: Path, lockgate: Lockgate, patch: pytest.MonkeyPatch) -> Path:
    """The project, checked, with a memo of it."""
    rest(patch)
    assert lockgate("check").code == 0
    assert (root / MEMO).is_file()
    return root


def later_command(*arguments: str) -> list[str]:
    """The same in a process of its own."""
    return [sys.executable, "-c", _LATER, *arguments]


def later_check(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        later_command("check", *arguments),
        cwd=root,
        env={**outside_ci(), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def outside_ci() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "CI"}


def asked_of_kernel(root: Path) -> set[str]:
    """The paths in the project, but for Git's and the memo's own, that a check gives to the kernel in any call."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    trace = root.parent / "trace"
    command = ["strace", "-s", "4096", "-e", "trace=%file", "-o", str(trace), *later_command("check")]
    ran = subprocess.run(command, cwd=root, env=outside_ci(), capture_output=True, text=True, check=False)
    if "ptrace" in ran.stderr:
        pytest.skip("strace may not trace here")
    asked = re.findall(rf'"{re.escape(str(root))}/([^"]+)"', trace.read_text())
    return {path for path in asked if not path.startswith((".cache", ".git/"))}


def paths_in_memo(root: Path) -> set[str]:
    return set((root / MEMO).read_text().split("\0")[6::2])
