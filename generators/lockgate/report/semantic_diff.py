"""Two sets of generated manifests → the Kubernetes objects that differ, field by field.

Files that are only called otherwise, keys in another order and named items of a list in another place are no change of
an object's fields; the order of named items is told once, where it changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from posixpath import dirname, normpath
from typing import Any, TypeAlias

from lockgate.plan.merge import FieldChange, ObjectChange
from lockgate.plan.spec_diff import same
from lockgate.yaml.values import read_values

_ROOT = "manifests/"
# By the first of these that names each item of a list of maps, the items are told apart.
_ITEM_KEYS = ("name", "mountPath", "containerPort", "topologyKey", "ip")

_Identity: TypeAlias = tuple[str, str, str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Object:
    path: str
    content: Any


def object_changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[ObjectChange, ...]:
    """Both are texts of generated files by path; those outside of `manifests/` are not looked at.

    An object is told by its environment, kind and name. Objects come in the order of their files' paths.
    """
    old = _objects(before, {path for path, text in before.items() if after.get(path) != text})
    new = _objects(after, {path for path, text in after.items() if before.get(path) != text})
    found = (_change(identity, old.get(identity), new.get(identity)) for identity in {**old, **new})
    return tuple(sorted((it for it in found if it is not None), key=lambda it: (it.path, it.kind, it.name)))


def _objects(files: Mapping[str, str], paths: set[str]) -> dict[_Identity, _Object]:
    seen: Counter[tuple[str, str, str]] = Counter()
    generated = {*files, *map(dirname, files)}
    found = {}
    for path in sorted(path for path in paths if path.startswith(_ROOT)):
        content = read_values(files[path])
        if not isinstance(content, Mapping):
            continue
        if content.get("kind") == "Kustomization":
            content = _kustomization(path, content, generated)
        identity = (_environment(path), str(content.get("kind")), _name(path, content))
        found[(*identity, seen[identity])] = _Object(path=path, content=content)
        seen[identity] += 1
    return found


def _environment(path: str) -> str:
    return path.split("/")[1]


def _name(path: str, content: Mapping[str, Any]) -> str:
    """A kustomization has no name of its own: its folder tells it."""
    metadata = content.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return str(name) if name is not None else dirname(path).removeprefix(_ROOT)


def _kustomization(path: str, content: Mapping[str, Any], generated: set[str]) -> Mapping[str, Any]:
    """Without the generated files that it lists: those tell their changes themselves."""
    listed = content.get("resources")
    if not isinstance(listed, Sequence) or isinstance(listed, str):
        return content
    others = [it for it in listed if normpath(f"{dirname(path)}/{it}") not in generated]
    return {**content, "resources": others}


def _change(identity: _Identity, old: _Object | None, new: _Object | None) -> ObjectChange | None:
    environment, kind, name, _ = identity
    fields = tuple(field_changes(old.content, new.content)) if old and new else ()
    present = new or old
    if present is None or (old and new and not fields):
        return None
    return ObjectChange(
        path=present.path,
        kind=kind,
        name=name,
        environment=environment,
        change="changed" if old and new else "added" if new else "removed",
        fields=fields,
    )


def field_changes(old: Any, new: Any, pointer: str = "") -> Iterator[FieldChange]:  # noqa: ANN401 - any YAML values
    """The values that differ, the largest that are wholly new or gone as a whole."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*new, *old)):
            yield from field_changes(old.get(key), new.get(key), f"{pointer}/{_escaped(str(key))}")
    elif _are_of_maps(old, new):
        yield from _items(old, new, pointer)
    elif not same(old, new):
        yield FieldChange(pointer=pointer, old=old, new=new)


def _are_of_maps(old: Any, new: Any) -> bool:  # noqa: ANN401 - any YAML values
    both = isinstance(old, list) and isinstance(new, list)
    return both and all(isinstance(item, Mapping) for item in (*old, *new))


def _items(old: list[Any], new: list[Any], pointer: str) -> Iterator[FieldChange]:
    key = next((key for key in _ITEM_KEYS if _tells_apart(key, old) and _tells_apart(key, new)), None)
    if key is None:
        yield from _by_place(old, new, pointer)
        return
    before, after = ({str(item[key]): item for item in items} for items in (old, new))
    for name in dict.fromkeys((*after, *before)):
        yield from field_changes(before.get(name), after.get(name), f"{pointer}[{key}={name}]")
    orders = [[name for name in one if name in other] for one, other in ((before, after), (after, before))]
    if orders[0] != orders[1]:
        yield FieldChange(pointer=pointer, old=orders[0], new=orders[1])


def _tells_apart(key: str, items: list[Any]) -> bool:
    names = [item.get(key) for item in items]
    return all(isinstance(name, str | int) for name in names) and len(set(map(str, names))) == len(names)


def _by_place(old: list[Any], new: list[Any], pointer: str) -> Iterator[FieldChange]:
    """What is alike at both ends is left out, so that an item put in changes nothing after it."""
    start = 0
    while start < min(len(old), len(new)) and same(old[start], new[start]):
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and same(old[-1 - end], new[-1 - end]):
        end += 1
    gone, come = old[start : len(old) - end], new[start : len(new) - end]
    for place in range(max(len(gone), len(come))):
        before = gone[place] if place < len(gone) else None
        after = come[place] if place < len(come) else None
        yield from field_changes(before, after, f"{pointer}/{start + place}")


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
