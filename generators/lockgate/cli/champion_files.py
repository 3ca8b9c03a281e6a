"""The files of a model as of a commit, from DVC's cache or its remote, into `CHAMPION_DIRECTORY`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from lockgate.cli.dvc import environment
from lockgate.cli.dvc_lock import Lock, hash_of, hash_on_disk, read_lock
from lockgate.cli.git import file_at, has_commit, repository_root
from lockgate.contract import (
    CARD,
    CHAMPION_DIRECTORY,
    MODEL_DIRECTORY,
    SCAN,
    SPLIT,
    TRAINING,
    VALIDATION,
    artifact_path,
)
from lockgate.plan.model import Pipeline

_NEEDED = (MODEL_DIRECTORY, TRAINING, SPLIT, VALIDATION)
# The report compares them, too, where they are there.
_WELCOME = (CARD, SCAN)
# What `lockgate_runtime.past_outputs` says of a file that neither the cache nor the remote has.
_NOWHERE = "nowhere"
_SHORT = 7
_MOST_SAID = 300


def fetch_champion(root: Path, pipeline: Pipeline, commit: str) -> str | None:
    """Why it cannot be had; None where it lies there now."""
    short = commit[:_SHORT]
    if not has_commit(root, commit):
        return f"commit {short} is not in this clone: `git fetch --depth 1 origin {commit}` brings it"
    paths = {name: artifact_path(pipeline.name, name) for name in (*_NEEDED, *_WELCOME)}
    lock = _lock_at(root, pipeline, commit)
    wanted = {name: hash_of(lock, paths[name]) for name in _NEEDED}
    for name, md5 in wanted.items():
        if md5 is None:
            return f"the {pipeline.directory}/dvc.lock of commit {short} names no '{paths[name]}'"
    folder = root / artifact_path(pipeline.name, CHAMPION_DIRECTORY)
    failed = _fetch(root, commit, folder, tuple(paths.values()))
    for name, md5 in wanted.items():
        if paths[name] in failed:
            return _why(paths[name], short, failed[paths[name]])
        if hash_on_disk(folder / name) != md5:
            return f"what DVC has for '{paths[name]}' of commit {short} is not what the dvc.lock there names"
    return None


def _lock_at(root: Path, pipeline: Pipeline, commit: str) -> Lock:
    with TemporaryDirectory() as directory:
        lock_file = Path(directory) / "dvc.lock"
        lock_file.write_bytes(file_at(root, commit, f"{pipeline.directory}/dvc.lock") or b"")
        return read_lock(Path(directory), ".")


def _fetch(root: Path, commit: str, folder: Path, paths: Sequence[str]) -> dict[str, str]:
    """Bring the paths into the folder; those that did not come, with why."""
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


def _why(path: str, commit: str, error: str) -> str:
    if error == _NOWHERE:
        return (
            f"neither DVC's cache nor its remote has '{path}' of commit {commit}: `dvc push` there gives it"
        )
    return f"DVC could not fetch '{path}' of commit {commit}: {' '.join(error.split())[:_MOST_SAID]}"


def _last_line(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
