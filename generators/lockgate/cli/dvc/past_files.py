"""Files that DVC tracked as of a commit, from its cache or its remote; also where the project is not Git's root."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lockgate.cli.dvc.process import environment
from lockgate.cli.git import repository_root

NOWHERE = "nowhere"
"""What `lockgate_runtime.past_outputs` says of a file that neither the cache nor the remote has."""


def fetch_past(root: Path, commit: str, folder: Path, paths: Sequence[str]) -> dict[str, str]:
    """Bring the paths, relative to the project's root, into the folder; those that did not come, with why."""
    repository = repository_root(root) or root
    prefix = root.resolve().relative_to(repository.resolve())
    names = {(prefix / path).as_posix(): path for path in paths}
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "lockgate_runtime.past_outputs", str(repository), commit, str(folder)]
    done = subprocess.run(
        [*command, *names],
        cwd=root,
        env=environment(),
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    try:
        answers: dict[str, str | None] = json.loads(done.stdout.decode(errors="replace").splitlines()[-1])
    except (ValueError, IndexError):
        return dict.fromkeys(paths, _last_line(done.stderr))
    return {names[name]: error for name, error in answers.items() if error is not None}


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
