"""The champion: the version that is live according to Git, brought beside the candidate, or why there is none."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from lockgate.cli.failure import Failure
from lockgate.cli.git import file_at
from lockgate.cli.proving.champion_files import fetch_champion
from lockgate.cli.text_file import write_text
from lockgate.contract import CHAMPION, CHAMPION_DIRECTORY, SPEC_FILE, artifact_path, champion_file
from lockgate.contract.comparison import Champion
from lockgate.plan.model import Pipeline
from lockgate.spec import read
from lockgate.spec.model import Spec
from lockgate.yaml import YamlError
from lockgate.yaml.parse import read_text
from lockgate.yaml.values import read_values

Pins = Mapping[str, Mapping[str, str]]

_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


def pins_at(root: Path, base: str, spec: Spec) -> Pins:
    """What the base pins, for that is live; where its spec cannot be read, what this one pins."""
    data = file_at(root, base, SPEC_FILE)
    before = read(data).spec if data is not None else None
    return (before or spec).pins


def bring_champion(root: Path, pipeline: Pipeline, base: str, pins: Pins) -> Champion:
    """Find it, put its files into `CHAMPION_DIRECTORY`, and write there who it is.

    Neither the work tree's tracked files nor the index nor anything of DVC's is touched.
    """
    remove_champion(root, pipeline.name)
    champion = _live(root, pipeline, base, pins)
    if champion["commit"] is not None:
        reason = fetch_champion(root, pipeline, champion["commit"])
        if reason is not None:
            remove_champion(root, pipeline.name)
        champion = Champion(
            found=reason is None,
            origin=champion["origin"],
            environment=champion["environment"],
            version=champion["version"],
            commit=champion["commit"],
            reason=reason,
        )
    text = json.dumps(champion, indent=2, sort_keys=True, ensure_ascii=False)
    write_text(root / champion_file(pipeline.name, CHAMPION), f"{text}\n")
    return champion


def remove_champion(root: Path, model: str) -> None:
    """Take away the champion of an earlier run; a link is removed, not followed."""
    folder = root / artifact_path(model, CHAMPION_DIRECTORY)
    try:
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        elif folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise Failure(f"cannot remove '{folder}': {reason}", help="remove it yourself") from error


def _live(root: Path, pipeline: Pipeline, base: str, pins: Pins) -> Champion:
    """Not found yet; `commit` is None where nothing is live, or where `reason` says why that is not known."""
    environment, lock = pipeline.model.compare.environment, f"{pipeline.directory}/dvc.lock"
    version = pins.get(environment, {}).get(pipeline.name)
    if version is not None:
        commit, reason = _released_from(root, base, f"registry/{pipeline.name}/{version}.yaml")
        return Champion(
            found=False, origin="pin", environment=environment, version=version, commit=commit, reason=reason
        )
    if file_at(root, base, lock) is not None:
        return Champion(found=False, origin="base", environment=None, version=None, commit=base, reason=None)
    reason = f"nothing is pinned in '{environment}', and the base has no {lock}"
    return Champion(
        found=False, origin="none", environment=environment, version=None, commit=None, reason=reason
    )


def _released_from(root: Path, base: str, path: str) -> tuple[str | None, str | None]:
    """The commit that the record of a release names, or why there is none."""
    data = file_at(root, base, path)
    if data is None:
        return None, f"the base has no record {path}"
    try:
        record = read_values(read_text(data))
    except YamlError:
        return None, f"the record {path} cannot be read"
    commit = record.get("commit") if isinstance(record, Mapping) else None
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        return None, f"the record {path} names no commit"
    return commit, None
