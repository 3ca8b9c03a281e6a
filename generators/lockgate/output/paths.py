"""Which paths a generated file may have. Looks at the disk only for links on the way."""

from __future__ import annotations

import stat
from pathlib import Path

ROOTS = (".github/", "pipelines/", "manifests/")
"""The folders that hold generated files; nothing else is ever written or deleted."""

LONGEST = 500


def path_problem(path: str) -> str | None:
    """Why no generated file may have this path; None where it may."""
    if not path.isprintable() or "\\" in path or len(path) > LONGEST:
        return f"a path has at most {LONGEST} printable characters and no backslash"
    if path.startswith("/"):
        return "the path is absolute"
    parts = path.split("/")
    if not {"", ".", ".."}.isdisjoint(parts):
        return "the path has an empty part, '.' or '..'"
    if ".git" in path.lower().split("/"):
        return "the path is inside '.git'"
    if not path.startswith(ROOTS):
        return f"generated files are only in {', '.join(ROOTS)}"
    return None


class Folders:
    """Looks at each folder once; the answer is kept, because thousands of files share a few folders."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._problems: dict[str, str | None] = {"": None}

    def problem(self, path: str) -> str | None:
        """Why nothing may be written to the path, or deleted there; None where all its folders are real."""
        parent = path.rpartition("/")[0]
        if parent not in self._problems:
            self._problems[parent] = self.problem(parent) or self._own_problem(parent)
        return self._problems[parent]

    def _own_problem(self, folder: str) -> str | None:
        try:
            mode = (self._root / folder).lstat().st_mode
        except FileNotFoundError:
            return None
        if stat.S_ISLNK(mode):
            return f"'{folder}' is a symbolic link"
        return None if stat.S_ISDIR(mode) else f"'{folder}' is not a folder"
