"""`python -m lockgate_runtime.remote_outputs PROJECT`: which of the folders that DVC hashed its remote holds whole.

Reads hashes from the standard input, one a line. Prints JSON: by hash null, or what the remote lacks. Nothing is
fetched but the folders' own lists of files. One process for all, as each call of DVC costs a second.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from dvc.repo import Repo


def main(arguments: list[str]) -> int:
    """1 where the remote cannot be asked: the last line of the standard error says why."""
    (project,) = arguments
    logging.getLogger("dvc").setLevel(logging.CRITICAL)
    folders = sys.stdin.read().split()
    try:
        with Repo(project) as repository:
            print(json.dumps(_answers(repository.cloud.get_remote_odb(command="check"), folders)))
    except Exception as error:  # noqa: BLE001 - storages have errors of their own kinds, and all are told
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def _answers(remote: Any, folders: Iterable[str]) -> Mapping[str, str | None]:  # noqa: ANN401 - DVC's, untyped
    lists = {folder: _files(remote, folder) for folder in dict.fromkeys(folders)}
    wanted = sorted({md5 for files in lists.values() for md5 in files or {}})
    there = set(remote.list_oids_exists(wanted)) if wanted else set()
    return {folder: _lacking(files, there) for folder, files in lists.items()}


def _files(remote: Any, folder: str) -> dict[str, str] | None:  # noqa: ANN401
    """The paths inside by hash; None where the remote does not even have the list of them."""
    try:
        entries = json.loads(remote.fs.cat_file(remote.oid_to_path(folder)))
    except FileNotFoundError:
        return None
    return {entry["md5"]: entry["relpath"] for entry in entries}


def _lacking(files: Mapping[str, str] | None, there: set[str]) -> str | None:
    if files is None:
        return "the folder"
    missing = sorted(path for md5, path in files.items() if md5 not in there)
    return f"'{missing[0]}'" if missing else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
