"""Exported models that a rehearsal compares: of this work tree, of a folder, or of a commit by way of DVC."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from lockgate.cli.dvc.lock import hash_of, hash_on_disk, read_lock
from lockgate.cli.dvc.past_files import NOWHERE, fetch_past
from lockgate.cli.failure import Exit, Failure
from lockgate.cli.git import commit_of, file_at
from lockgate.cli.serving.released import released_folder
from lockgate.cli.terminal import printable
from lockgate.contract import MODEL_DIRECTORY, SIGNATURE, artifact_path
from lockgate.registry.versions import is_version

_SHORT = 7
_MOST_SAID = 300


def candidate_folder(root: Path, model: str, named: str | None) -> Path:
    """The last run's, or the one that the user names from where they are."""
    folder = root / artifact_path(model, MODEL_DIRECTORY) if named is None else Path(named).resolve()
    if (folder / SIGNATURE).is_file():
        return folder
    if named is not None:
        raise _no_model(named)
    raise Failure(f"there is no exported model of '{model}' here yet", help=f"run `lockgate run {model}`")


def stable_folder(root: Path, model: str, named: str, into: Path) -> Path:
    """A folder of that name, else a release, else the model that a commit's `dvc.lock` names, brought into `into`."""
    folder = Path(named).resolve()
    if (folder / SIGNATURE).is_file():
        return folder
    if folder.is_dir():
        raise _no_model(named)
    if is_version(named):
        return released_folder(root, model, named)
    return _fetched(root, model, named, into)


def _no_model(named: str) -> Failure:
    return Failure(
        f"'{printable(named)}' holds no exported model: it has no '{SIGNATURE}'",
        help="name the folder that the stage 'export' wrote",
        exit_code=Exit.USAGE,
    )


def _fetched(root: Path, model: str, reference: str, into: Path) -> Path:
    commit, path = commit_of(root, reference), artifact_path(model, MODEL_DIRECTORY)
    lock_file, short = f"pipelines/{model}/dvc.lock", commit[:_SHORT]
    wanted = _hash_at(root, commit, lock_file, path)
    if wanted is None:
        raise Failure(
            f"the {lock_file} of commit {short} names no '{path}'",
            help="name a commit whose pipeline has run",
        )
    error = fetch_past(root, commit, into, (path,)).get(path)
    if error == NOWHERE:
        message = f"neither DVC's cache nor its remote has '{path}' of commit {short}"
        raise Failure(message, help="`dvc push` there gives it")
    if error is not None:
        said = " ".join(error.split())[:_MOST_SAID]
        raise Failure(
            f"DVC could not fetch '{path}' of commit {short}: {printable(said)}",
            help="correct it, then try again",
        )
    folder = into / Path(path).name
    if hash_on_disk(folder) != wanted:
        message = f"what DVC has for '{path}' of commit {short} is not what the dvc.lock there names"
        raise Failure(message, help="`dvc push` there gives it anew")
    return folder


def _hash_at(root: Path, commit: str, lock_file: str, path: str) -> str | None:
    with TemporaryDirectory() as directory:
        (Path(directory) / "dvc.lock").write_bytes(file_at(root, commit, lock_file) or b"")
        return hash_of(read_lock(Path(directory), "."), path)
