"""A released version's artifact: fetched from DVC's cache or remote, held to its record, kept for the next time."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lockgate.cli.dvc.past_files import NOWHERE, fetch_past
from lockgate.cli.dvc.process import require_dvc
from lockgate.cli.failure import Exit, Failure
from lockgate.cli.git import has_commit
from lockgate.cli.releasing.records import record_failures, require_recorded
from lockgate.cli.terminal import printable
from lockgate.contract import CARD, MODEL_DIRECTORY, SHA256SUMS, artifact_path
from lockgate.contract.sums import artifact_sha256, differences, hashes_in
from lockgate.registry import shelf
from lockgate.registry.past import Past, read_past
from lockgate.spec.model import Spec

RELEASED_DIRECTORY = "released"
_MOST_SAID = 300


def pinned_version(spec: Spec, model: str, environment: str) -> str:
    """What the environment pins of the model."""
    if environment not in spec.environments:
        known = ", ".join(list(spec.environments)[:10]) or "none"
        raise Failure(
            f"there is no environment '{printable(environment)}'",
            help=f"there are: {known}",
            exit_code=Exit.USAGE,
        )
    version = spec.pins.get(environment, {}).get(model)
    if version is None:
        raise Failure(
            f"nothing of '{model}' is pinned in '{environment}'",
            help=f"promote a version there (`lockgate promote {model} {environment}`), or name one with --version",
        )
    return version


def released_folder(root: Path, model: str, version: str) -> Path:
    """The exported model of that release, with the hash that its record names; the card lies beside its folder.

    Failure where there is no such release, where it cannot be had, or where it is not what was released.
    """
    past = _past(root, model, version)
    folder = root / artifact_path(model, f"{RELEASED_DIRECTORY}/{version}")
    if _wrong(folder / MODEL_DIRECTORY, past) is None:
        return folder / MODEL_DIRECTORY
    with _in_place_of(folder) as arriving:
        _fetch(root, past, arriving)
        wrong = _wrong(arriving / MODEL_DIRECTORY, past)
        if wrong is not None:
            raise Failure(
                f"what DVC has of '{model}' {version} is not what was released: {wrong}",
                help=f"{shelf.record_path(model, version)} holds its hash: find out who changed the remote, "
                "and serve another version",
            )
    return folder / MODEL_DIRECTORY


def _past(root: Path, model: str, version: str) -> Past:
    files = shelf.on_disk(root, [model])
    require_recorded(model, version, files)
    with record_failures():
        return read_past(model, version, files)


def _wrong(folder: Path, past: Past) -> str | None:
    """What keeps the folder from being the release, as a clause; None where it is the release to the last byte."""
    try:
        sums = (folder / SHA256SUMS).read_bytes()
        found = {it.name: _sha256(it) for it in folder.iterdir() if it.name != SHA256SUMS}
    except OSError as error:
        return f"cannot read '{Path(error.filename or folder).name}': {(error.strerror or '').lower()}"
    if artifact_sha256(sums) != past.artifact_sha256:
        return f"its hash is {artifact_sha256(sums)[:12]}…, the record's {past.artifact_sha256[:12]}…"
    listed = hashes_in(sums)
    if listed is None:
        return f"its {SHA256SUMS} is no list of hashes"
    clause = next(differences(listed, found), None)
    return f"its {SHA256SUMS} {clause}" if clause is not None else None


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _in_place_of(folder: Path) -> Iterator[Path]:
    """A folder to fill, which takes the other's place at the end; nothing is left of it after a failure."""
    arriving = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        yield arriving
        _remove(folder)
        arriving.rename(folder)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise Failure(f"cannot write '{folder}': {reason}", help="remove it yourself") from error
    finally:
        shutil.rmtree(arriving, ignore_errors=True)


def _remove(folder: Path) -> None:
    """A link is removed, not followed."""
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _fetch(root: Path, past: Past, folder: Path) -> None:
    short = past.commit[:7]
    if not has_commit(root, past.commit):
        raise Failure(
            f"commit {short}, from which '{past.model}' {past.version} was released, is not in this clone",
            help=f"git fetch origin {past.commit}",
        )
    require_dvc(root)
    path = artifact_path(past.model, MODEL_DIRECTORY)
    failed = fetch_past(root, past.commit, folder, (path, artifact_path(past.model, CARD)))
    if path not in failed:
        return
    if failed[path] == NOWHERE:
        raise Failure(
            f"neither DVC's cache nor its remote has '{path}' of '{past.model}' {past.version}",
            help=f"where it was trained: git checkout {short} && dvc push -R pipelines/{past.model}",
        )
    reason = " ".join(failed[path].split())[:_MOST_SAID]
    raise Failure(
        f"DVC could not fetch '{path}' of '{past.model}' {past.version}: {printable(reason)}",
        help="`dvc remote list` shows where it looks",
    )
