"""Whether DVC can run here, and in which surroundings it does."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from lockgate.cli.failure import Failure
from lockgate.cli.git import repository_root


def require_dvc(root: Path) -> None:
    """Failure with the next step where DVC cannot run here."""
    if importlib.util.find_spec("dvc") is None:
        raise Failure("found no DVC, which runs the pipelines", help="pip install 'lockgate[pipeline]'")
    if repository_root(root) is None:
        raise Failure(f"'{root}' is in no Git repository, which DVC needs", help="run `git init`")
    if not (root / ".dvc").is_dir():
        raise Failure("this project has no '.dvc' folder", help="run `dvc init` in the project's folder")


def environment() -> dict[str, str]:
    """DVC's surroundings. Stages call `python`: it has to be the one that Lockgate runs in, activated or not.

    DVC runs commands with the user's shell, and ours are quoted for `sh`.
    """
    here = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "SHELL": "/bin/sh",
        "PATH": os.pathsep.join((here, os.environ.get("PATH", os.defpath))),
        "DVC_NO_ANALYTICS": "1",
        "PYTHONUNBUFFERED": "1",
    }
