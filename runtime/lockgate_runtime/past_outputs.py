"""`python -m lockgate_runtime.past_outputs REPOSITORY COMMIT FOLDER PATH…`: files that DVC tracked, as of a commit.

They come from DVC's cache or its remote; the work tree and DVC's own state stay as they are. One process for all of
them, as each call of DVC costs a second. Prints JSON: by path null, or what kept it from coming.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path, PurePosixPath

from dvc.api import DVCFileSystem
from dvc_data.index.index import DataIndexDirError

NOWHERE = "nowhere"
"""Neither the cache nor the remote has it."""


def main(arguments: list[str]) -> int:
    """Copy each path, relative to the repository's root, into the folder under its last name."""
    repository, commit, folder, *paths = arguments
    logging.getLogger("dvc").setLevel(logging.CRITICAL)
    files = DVCFileSystem(repository, rev=commit, subrepos=True)
    print(json.dumps({path: _fetch(files, path, Path(folder)) for path in paths}))
    return 0


def _fetch(files: DVCFileSystem, path: str, folder: Path) -> str | None:
    try:
        files.get(f"/{path}", str(folder / PurePosixPath(path).name), recursive=True)
    except (FileNotFoundError, DataIndexDirError):
        return NOWHERE
    except Exception as error:  # noqa: BLE001 - storages have errors of their own kinds, and all are told
        return f"{type(error).__name__}: {error}"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
