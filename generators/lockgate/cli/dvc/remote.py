"""Whether DVC's remote holds the artifact of every pinned version. Asks the network, or the disk, by way of DVC."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lockgate.cli.asking import ask
from lockgate.cli.dvc.process import environment, require_dvc
from lockgate.cli.failure import Failure
from lockgate.diagnostics import Finding
from lockgate.registry.form import record_block
from lockgate.registry.shelf import Files, record_path
from lockgate.spec.model import Spec
from lockgate.yaml import YamlError

# For DVC to start and to log in, and for each folder's list and the files in it.
_SECONDS, _SECONDS_A_FOLDER = 60.0, 5.0


def missing_artifacts(root: Path, spec: Spec, files: Files) -> tuple[Finding, ...]:
    """Findings about pins whose exported model nobody could fetch any more. `files` are the registry's.

    Failure where the remote cannot be asked. Without a pin that has a record it is not.
    """
    folders = {
        release: md5 for release in _pinned(spec) if (md5 := _folder_hash(files, *release)) is not None
    }
    if not folders:
        return ()
    require_dvc(root)
    lacking = ask_remote(root, tuple(dict.fromkeys(folders.values())))
    return tuple(
        _missing(environment, model, version, str(lacking[folders[model, version]]))
        for environment, pins in spec.pins.items()
        for model, version in pins.items()
        if (model, version) in folders and lacking.get(folders[model, version]) is not None
    )


def ask_remote(root: Path, folders: Sequence[str]) -> Mapping[str, str | None]:
    """By DVC's hash what the remote lacks of the folder; None where it has all. Failure where it does not answer."""
    seconds = _SECONDS + _SECONDS_A_FOLDER * len(folders)
    command = [sys.executable, "-m", "lockgate_runtime.remote_outputs", str(root)]
    answered = ask(command, root, seconds, stdin="\n".join(folders), environment=environment())
    if answered is None:
        raise Failure(
            f"DVC's remote did not answer within {seconds:g} seconds",
            help="`dvc remote list` shows it: see whether it can be reached from here, then run this again",
        )
    try:
        answers: dict[str, str | None] = json.loads(answered.out.splitlines()[-1])
    except (ValueError, IndexError):
        raise Failure(
            f"DVC cannot ask its remote: {answered.complaint}",
            help="`dvc remote list` shows it; `dvc remote add -d NAME URL` sets the default",
        ) from None
    return answers


def _pinned(spec: Spec) -> Iterator[tuple[str, str]]:
    for pins in spec.pins.values():
        yield from pins.items()


def _folder_hash(files: Files, model: str, version: str) -> str | None:
    """DVC's hash of the exported folder; None where the record is not there or is broken, which others tell."""
    path = record_path(model, version)
    try:
        block = record_block(files[path]) if path in files else None
    except YamlError:
        return None
    hashes = block.get("hashes") if isinstance(block, Mapping) else None
    md5 = hashes.get("model") if isinstance(hashes, Mapping) else None
    return md5 if isinstance(md5, str) and md5.isascii() and md5.removesuffix(".dir").isalnum() else None


def _missing(environment: str, model: str, version: str, lacking: str) -> Finding:
    return Finding(
        rule="artifact-missing",
        location=("deployments", environment, model),
        message=f"the exported model of {model!r} {version} is not in DVC's remote: it lacks {lacking}",
        help=f"where it was trained: git checkout {model}@v{version} && dvc push -R pipelines/{model}",
    )
