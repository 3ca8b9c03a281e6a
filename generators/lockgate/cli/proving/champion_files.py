"""The files of a model as of a commit, from DVC's cache or its remote, into `CHAMPION_DIRECTORY`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from lockgate.cli.dvc.lock import Lock, hash_of, hash_on_disk, read_lock
from lockgate.cli.dvc.past_files import NOWHERE, fetch_past
from lockgate.cli.git import file_at, has_commit
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
    failed = fetch_past(root, commit, folder, tuple(paths.values()))
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


def _why(path: str, commit: str, error: str) -> str:
    if error == NOWHERE:
        return (
            f"neither DVC's cache nor its remote has '{path}' of commit {commit}: `dvc push` there gives it"
        )
    return f"DVC could not fetch '{path}' of commit {commit}: {' '.join(error.split())[:_MOST_SAID]}"
