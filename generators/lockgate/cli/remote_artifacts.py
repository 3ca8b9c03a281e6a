"""Whether DVC's remote holds the artifact of every pinned version. Asks the network, or the disk, by way of DVC."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from lockgate.cli.dvc import environment, require_dvc
from lockgate.cli.failure import Failure
from lockgate.cli.terminal import printable
from lockgate.diagnostics import Finding
from lockgate.registry.form import record_block
from lockgate.registry.shelf import Files, record_path
from lockgate.spec.model import Spec
from lockgate.yaml import YamlError


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
    lacking = _ask(root, tuple(dict.fromkeys(folders.values())))
    return tuple(
        _missing(environment, model, version, str(lacking[folders[model, version]]))
        for environment, pins in spec.pins.items()
        for model, version in pins.items()
        if (model, version) in folders and lacking.get(folders[model, version]) is not None
    )


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


def _ask(root: Path, folders: tuple[str, ...]) -> Mapping[str, str | None]:
    """By hash what the remote lacks of the folder; None where it has all."""
    done = subprocess.run(
        [sys.executable, "-m", "lockgate_runtime.remote_outputs", str(root)],
        cwd=root,
        env=environment(),
        input="\n".join(folders).encode(),
        capture_output=True,
        check=False,
    )
    try:
        answers: dict[str, str | None] = json.loads(done.stdout.decode(errors="replace").splitlines()[-1])
    except (ValueError, IndexError):
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it said nothing"]
        raise Failure(
            f"DVC cannot ask its remote: {printable(lines[-1])}",
            help="`dvc remote list` shows it; `dvc remote add -d NAME URL` sets the default",
        ) from None
    return answers


def _missing(environment: str, model: str, version: str, lacking: str) -> Finding:
    return Finding(
        rule="artifact-missing",
        location=("deployments", environment, model),
        message=f"the exported model of {model!r} {version} is not in DVC's remote: it lacks {lacking}",
        help=f"where it was trained: git checkout {model}@v{version} && dvc push -R pipelines/{model}",
    )
