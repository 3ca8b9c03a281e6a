"""The model that is measured: the example's, trained in a copy, since a run writes files that Git tracks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from contenders import ROOT

_PLACE = Path(".cache", "serving", "example")
_ARTIFACTS = Path("artifacts", "flight-delay")
_COPIED = ("mlops.yaml", "models", ".dvc/config", "requirements.txt", "requirements-serve.txt")


def artifacts() -> Path:
    """What `lockgate run` wrote here or in the copy; where it wrote nothing yet, it runs in the copy."""
    found = [it for it in (ROOT / _ARTIFACTS, ROOT / _PLACE / _ARTIFACTS) if _is_whole(it)]
    return found[0] if found else _run_in(ROOT / _PLACE) / _ARTIFACTS


def _is_whole(folder: Path) -> bool:
    wanted = ("model/SHA256SUMS", "estimator.joblib", "holdout.parquet")
    return all((folder / it).exists() for it in wanted)


def _run_in(place: Path) -> Path:
    for name in _COPIED:
        source, target = ROOT / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        else:
            shutil.copyfile(source, target)
    lockgate = str(Path(sys.executable).with_name("lockgate"))
    for command in (
        ("git", "init", "--quiet"),
        (lockgate, "render"),
        (lockgate, "run", "flight-delay", "--no-gate-exit"),
    ):
        subprocess.run(command, cwd=place, check=True, stdout=sys.stderr)
    return place
