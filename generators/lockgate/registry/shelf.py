"""The files of the registry by path: which versions of a model are recorded, and which are marked.

registry/<model>/<version>.yaml             the record, never changed
registry/<model>/<version>.md               the model's card as it was released
registry/<model>/<version>.rejected.yaml    an incident: the version is not to be promoted again
registry/<model>/<version>.override.yaml    why it is promoted all the same
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from lockgate.registry.versions import is_version, order

Files: TypeAlias = Mapping[str, bytes]
"""Contents by path from the project's root."""

FOLDER = "registry"
_PATH = re.compile(rf"{FOLDER}/(?P<model>[^/]+)/(?P<version>[0-9]+\.[0-9]+\.[0-9]+)\.yaml")


def record_path(model: str, version: str) -> str:
    return f"{FOLDER}/{model}/{version}.yaml"


def card_path(model: str, version: str) -> str:
    return f"{FOLDER}/{model}/{version}.md"


def rejection_path(model: str, version: str) -> str:
    return f"{FOLDER}/{model}/{version}.rejected.yaml"


def override_path(model: str, version: str) -> str:
    return f"{FOLDER}/{model}/{version}.override.yaml"


def recorded(paths: Iterable[str]) -> dict[str, list[str]]:
    """The versions of each model that have a record, the oldest first."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        match = _PATH.fullmatch(path)
        if match and is_version(match["version"]):
            found[match["model"]].append(match["version"])
    return {model: sorted(versions, key=order) for model, versions in found.items()}


def newest(paths: Iterable[str], model: str) -> str | None:
    """The model's newest recorded version."""
    versions = recorded(paths).get(model)
    return versions[-1] if versions else None


def on_disk(root: Path, models: Iterable[str] | None = None) -> dict[str, bytes]:
    """The registry's files, of all models or of those named; links and what cannot be read are left out."""
    names = models if models is not None else _names(root / FOLDER)
    folders = {model: root / FOLDER / model for model in names}
    return {
        f"{FOLDER}/{model}/{name}": data
        for model, folder in folders.items()
        for name in _names(folder)
        if (data := _content(folder / name)) is not None
    }


def _names(folder: Path) -> list[str]:
    try:
        return sorted(it.name for it in folder.iterdir())
    except OSError:
        return []


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if not path.is_symlink() else None
    except OSError:
        return None
