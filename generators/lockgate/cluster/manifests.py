"""The objects of an environment as its kustomizations list them, read from the disk without kubectl."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from lockgate.plan.delivery import manifests_path
from lockgate.yaml import YamlError
from lockgate.yaml.parse import read_text
from lockgate.yaml.values import read_values

Document: TypeAlias = Mapping[str, Any]

_KUSTOMIZATION = "kustomization.yaml"
_UNDERSTOOD = frozenset({"apiVersion", "kind", "metadata", "resources"})
_DEEPEST = 10
_BY_KUBECTL = "deliver it with `kubectl apply --server-side -k {folder}`"


class ManifestError(Exception):
    """What lies there cannot be delivered; `help` is the next step."""

    def __init__(self, message: str, *, help: str = "") -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.help = help


def read_objects(root: Path, environment: str) -> tuple[Document, ...]:
    """All that the environment's kustomization lists, each once; ManifestError where it asks for more than that."""
    folder = manifests_path(environment)
    found = {path: _read(root, path) for path in _listed(root, folder, folder, _DEEPEST)}
    for path, document in found.items():
        _require_object(path, document)
    return tuple(found.values())


def _listed(root: Path, top: str, folder: str, depth: int) -> Iterator[str]:
    """Paths from the project's root, in the order in which they are listed."""
    path = f"{folder}/{_KUSTOMIZATION}"
    if depth == 0:
        raise ManifestError(
            f"{path}: kustomizations list each other more than {_DEEPEST} times", help=_by(top)
        )
    kustomization = _read(root, path)
    _require_plain(path, kustomization, top)
    for name in kustomization.get("resources") or []:
        below = _inside(root, top, folder, name)
        if (root / below).is_dir():
            yield from _listed(root, top, below, depth - 1)
        else:
            yield below


def _require_plain(path: str, kustomization: Document, top: str) -> None:
    more = [str(key) for key in kustomization if key not in _UNDERSTOOD]
    if more:
        raise ManifestError(
            f"{path}: '{more[0]}' is for kustomize, and `lockgate deploy` reads 'resources' alone",
            help=_by(top),
        )
    resources = kustomization.get("resources") or []
    if not isinstance(resources, list) or not all(isinstance(it, str) for it in resources):
        raise ManifestError(f"{path}: 'resources' is no list of files and folders", help=_by(top))


def _inside(root: Path, top: str, folder: str, name: str) -> str:
    """The resource's path; nothing outside of the environment's folder, whatever a link or `..` says."""
    path = root / folder / name
    if not path.exists():
        raise ManifestError(
            f"{folder}/{_KUSTOMIZATION}: '{name}' is no file and no folder here", help=_by(top)
        )
    if not path.resolve().is_relative_to((root / top).resolve()):
        raise ManifestError(f"{folder}/{_KUSTOMIZATION}: '{name}' lies outside of {top}", help=_by(top))
    return path.resolve().relative_to(root.resolve()).as_posix()


def _read(root: Path, path: str) -> Document:
    try:
        document = read_values(read_text((root / path).read_bytes()))
    except OSError as error:
        raise ManifestError(
            f"cannot read '{path}': {(error.strerror or '').lower()}", help="run `lockgate render`"
        ) from error
    except YamlError as error:
        line = error.span.start.line + 1
        raise ManifestError(
            f"{path}:{line}: {error.message}", help="one object of plain YAML a file"
        ) from error
    if not isinstance(document, Mapping):
        raise ManifestError(f"{path}: expected a map", help="one object of plain YAML a file")
    return document


def _require_object(path: str, document: Document) -> None:
    metadata = document.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    for key, value in (
        ("apiVersion", document.get("apiVersion")),
        ("kind", document.get("kind")),
        ("name", name),
    ):
        if not isinstance(value, str) or not value:
            raise ManifestError(f"{path}: the object has no {key}", help="add it, or take the file out")


def _by(top: str) -> str:
    return _BY_KUBECTL.format(folder=top)
