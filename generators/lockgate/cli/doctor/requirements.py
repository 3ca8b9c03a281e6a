"""The requirements files that CI and images install: whether each brings Lockgate with what its jobs need, pinned."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from lockgate import __version__
from lockgate.cli.doctor.item import Item, named
from lockgate.plan import image
from lockgate.plan.model import Plan
from lockgate.spec.promises import SERVED_LATENCY, with_promises
from lockgate.tuples import NamedTuple

_MOST_FILES = 10
_ALL = frozenset({"cluster", "pipeline", "serve", "tracing", "train"})
_OTHER_FILE = re.compile(r"(?:-r|--requirement|-c|--constraint)[ =]\s*(\S+)")
_EXTRAS = r"\s*(?:\[(?P<extras>[^\]]*)\])?\s*"
_NAMED = re.compile(rf"(?i:lockgate){_EXTRAS}(?P<version>(?:[=<>!~@;].*)?)")
_FOLDER = re.compile(rf"(?:(?:-e|--editable)[ =]\s*)?(?P<folder>\.[\w./-]*){_EXTRAS}")
_EXACT = re.compile(r"===?\s*([A-Za-z0-9.!+_-]*[A-Za-z0-9])")
_COMMIT = re.compile(r"@[0-9a-f]{40}\b|sha256[=:][0-9a-f]{64}")


class _Asked(NamedTuple):
    """A line that asks for Lockgate. `version` is None where it names a folder, whatever that holds."""

    extras: frozenset[str]
    version: str | None


def requirements_items(root: Path, plan: Plan) -> Iterator[Item]:
    """An item a file; files that are not there are the spec's concern."""
    for path, extras in _needed(root, plan).items():
        if (root / path).is_file():
            yield _item(path, extras, list(_lines(root, path)))


def _needed(root: Path, plan: Plan) -> Mapping[str, frozenset[str]]:
    """By file the extras that have to come from it."""
    spec, first = plan.spec, plan.spec.project.requirements
    measured = any(SERVED_LATENCY in with_promises(it) for it in spec.models.values())
    needed = {first: {"pipeline", "train", *(["serve"] if measured else [])}}
    if spec.delivery is not None and spec.delivery.steps and not _is_installed_in_part(root / first):
        needed[first].add("cluster")
    for service in plan.services:
        extras = needed.setdefault(image.requirements(plan, service.model), set())
        extras |= {"serve", *(["tracing"] if service.serve.tracing else [])}
    return {path: frozenset(extras) for path, extras in needed.items()}


def _is_installed_in_part(path: Path) -> bool:
    """Whether jobs that run no pipeline take Lockgate alone from it, with the extras that they need."""
    text = "\n".join(_read(path))
    return "--hash=" not in text and re.search(r"(?m)^lockgate *(\[[^\]]*\])? *==", text) is not None


def _item(path: str, extras: frozenset[str], lines: list[str]) -> Item:
    asked = [it for it in map(_asked, lines) if it is not None]
    pinned = [it.version for it in asked if it.version is not None and _is_exact(it.version)]
    fix = f"write `lockgate[{','.join(sorted(extras))}]=={__version__}` into it"
    if not asked and any(_FOLDER.fullmatch(line) for line in lines):
        what = f"'{path}' installs a folder, which has to bring lockgate[{','.join(sorted(extras))}]"
        return Item("files", "requirements", "by hand", what, path, "look at what that folder requires")
    if not asked:
        return Item("files", "requirements", "failed", f"'{path}' does not bring Lockgate", path, fix)
    missing = extras - frozenset().union(*(it.extras for it in asked))
    if missing:
        what = f"'{path}' brings Lockgate without {named(sorted(missing))}, which the jobs need"
        return Item("files", "requirements", "failed", what, path, fix)
    if not pinned and any(it.version is not None for it in asked):
        what = f"'{path}' does not pin Lockgate: another version may render other files"
        return Item("files", "requirements", "warning", what, path, fix)
    other = [exact[1] for it in pinned if (exact := _EXACT.match(it)) and exact[1] != __version__]
    if other:
        what = f"'{path}' pins Lockgate {other[0]}, and this is {__version__}: they may render other files"
        return Item("files", "requirements", "warning", what, path, f"install that version here, or {fix}")
    return Item("files", "requirements", "ok", f"'{path}' brings Lockgate with what the jobs need")


def _asked(line: str) -> _Asked | None:
    if found := _NAMED.fullmatch(re.sub(r"\s--hash=\S+", "", line)):
        return _Asked(_extras(found), found["version"])
    # A folder with extras of these names is Lockgate's own; any other may bring it, or not.
    if (found := _FOLDER.fullmatch(line)) and _extras(found) & _ALL:
        return _Asked(_extras(found), None)
    return None


def _extras(found: re.Match[str]) -> frozenset[str]:
    names = frozenset(it.strip().lower() for it in (found["extras"] or "").split(","))
    return _ALL if "all" in names else names & _ALL


def _is_exact(version: str) -> bool:
    return bool(_EXACT.match(version) or _COMMIT.search(version))


def _lines(root: Path, first: str) -> Iterator[str]:
    """The lines of the file and of those in the project that it names, without comments and pip's options."""
    waiting, seen = [first], set[str]()
    while waiting and len(seen) < _MOST_FILES:
        path = waiting.pop()
        seen.add(path)
        for line in _read(root / path):
            other = _OTHER_FILE.match(line)
            if other is None:
                yield line
            elif (name := _inside(path, other[1])) is not None and name not in seen:
                waiting.append(name)


def _inside(path: str, other: str) -> str | None:
    """Where the other file lies; None for an address and for what is outside of the project."""
    if "://" in other or other.startswith("/") or ".." in other.split("/"):
        return None
    return (PurePosixPath(path).parent / other).as_posix()


def _read(path: Path) -> Iterable[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    whole = text.replace("\\\n", " ").splitlines()
    without = (re.sub(r"(?:^|\s)#.*", "", line).strip() for line in whole)
    return [line for line in without if line]
