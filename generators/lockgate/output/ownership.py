"""`.lockgate/files.json`: which files are Lockgate's, by the hash it last gave them. Hostile input."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lockgate.diagnostics.model import Diagnostic
from lockgate.output.errors import unusable
from lockgate.output.paths import path_problem
from lockgate.tuples import NamedTuple

FOLDER = ".lockgate"
FILE = ".lockgate/files.json"
VERSION = 1
MAX_BYTES = 32 * 1024 * 1024
RULE = "ownership-file"

_SECTIONS = ("files", "ejected", "pending")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CONFLICT = re.compile(rb"^(<<<<<<<|=======|>>>>>>>)", re.MULTILINE)
_RESTORE = (
    f"take the version of '{FILE}' that Git has (git checkout HEAD -- {FILE}), then run `lockgate render`"
)


class Ownership(NamedTuple):
    """Each section maps a path to the SHA-256 of a file's bytes, in hexadecimal.

    `files` holds what was last written, `ejected` what was generated when a file was given to the user.
    `pending` holds what an unfinished run was about to write: until the next has finished, a file may have
    either hash.
    """

    files: Mapping[str, str] = MappingProxyType({})
    ejected: Mapping[str, str] = MappingProxyType({})
    pending: Mapping[str, str] = MappingProxyType({})

    def hashes(self, path: str) -> set[str]:
        """The hashes that the file may have if nobody else changed it; empty for a file that is not ours."""
        return {known[path] for known in (self.files, self.pending) if path in known}


def read_ownership(root: Path) -> tuple[Ownership, tuple[Diagnostic, ...]]:
    """What the file says, and what is wrong with it; empty where there is none yet."""
    folder, file = root / FOLDER, root / FILE
    if folder.is_symlink() or file.is_symlink():
        return Ownership(), (
            _problem("found a symbolic link, expected a file of its own", "remove the link"),
        )
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Ownership(), ()
    except OSError as error:
        raise unusable("read", FILE, error) from error
    if len(data) > MAX_BYTES:
        return Ownership(), (
            _problem(f"found more than {MAX_BYTES // 1024**2} MB, expected a list of files", _RESTORE),
        )
    return _parse(data)


def dump(ownership: Ownership) -> str:
    """The file's text: sorted, a path a line, so that Git merges it by lines."""
    document: dict[str, object] = {
        "version": VERSION,
        "files": dict(ownership.files),
        "ejected": dict(ownership.ejected),
    }
    if ownership.pending:
        document["pending"] = dict(ownership.pending)
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _parse(data: bytes) -> tuple[Ownership, tuple[Diagnostic, ...]]:
    if _CONFLICT.search(data):
        return Ownership(), (_problem("found the marks of an unfinished merge", _take_a_side()),)
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        return Ownership(), (_problem(f"found no JSON in UTF-8: {reason}", _RESTORE),)
    if not isinstance(document, dict) or document.get("version") != VERSION:
        return Ownership(), (
            _problem(f'expected a JSON object with "version": {VERSION}', _version_help(document)),
        )
    problems = [problem for name in _SECTIONS for problem in _section_problems(name, document.get(name, {}))]
    if problems:
        return Ownership(), tuple(problems)
    return Ownership(**{name: document.get(name, {}) for name in _SECTIONS}), ()


def _take_a_side() -> str:
    return f"keep either side of it (git checkout --ours -- {FILE}), then run `lockgate render`"


def _version_help(document: Any) -> str:  # noqa: ANN401 - whatever JSON held
    version = document.get("version") if isinstance(document, dict) else None
    if isinstance(version, int) and version > VERSION:
        return "a newer Lockgate wrote it: upgrade Lockgate"
    return _RESTORE


def _section_problems(name: str, section: Any) -> list[Diagnostic]:  # noqa: ANN401 - whatever JSON held
    if not isinstance(section, dict):
        return [_problem(f'expected an object under "{name}", found {type(section).__name__}', _RESTORE)]
    return [
        _problem(f'found {shown(path)} under "{name}": {reason}', _RESTORE)
        for path, digest in section.items()
        if (reason := path_problem(path) or _digest_problem(digest))
    ][:20]


def _digest_problem(digest: Any) -> str | None:  # noqa: ANN401 - whatever JSON held
    if isinstance(digest, str) and _SHA256.fullmatch(digest):
        return None
    return "expected its SHA-256 as 64 hexadecimal digits"


def shown(path: str) -> str:
    """The path in quotes for a message, escaped and clipped."""
    text = path.encode("unicode_escape", "replace").decode("ascii") if not path.isprintable() else path
    return f"'{text[:100]}…'" if len(text) > 100 else f"'{text}'"


def _problem(message: str, help_text: str) -> Diagnostic:
    return Diagnostic(rule=RULE, message=message, file=FILE, help=help_text)
