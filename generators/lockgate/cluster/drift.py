"""Which fields that manifests set have another value in the cluster. Pure; what others add is none of our business."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lockgate.cluster.reading import Document
from lockgate.targets.kubernetes.quantity import quantity
from lockgate.tuples import NamedTuple

_QUANTITIES = frozenset({"limits", "requests"})
_QUANTITY_KEYS = frozenset({"sizeLimit", "averageValue"})
_IDENTITY = {"volumeMounts": "mountPath"}
# A cluster leaves such values out of what it gives back.
_NOTHING: tuple[object, ...] = (None, False, 0, "", {}, [])


class Difference(NamedTuple):
    """`pointer` is a JSON pointer into the manifest of that object; empty where the cluster has no such object."""

    object: str
    pointer: str

    def __str__(self) -> str:
        return f"{self.object} {self.pointer or 'is not there'}"


def differences(wanted: Document, found: Document | None, live: Iterable[str]) -> tuple[Difference, ...]:
    """In the order of the manifest, except below the pointers of what is the cluster's to set."""
    name = f"{wanted['kind']}/{wanted['metadata']['name']}"
    if found is None:
        return (Difference(name, ""),)
    own = tuple(live)
    pointers = _differing(dict(wanted), found, "", ("", ""))
    return tuple(Difference(name, it) for it in pointers if not _is_below(it, own))


def _differing(wanted: Any, found: Any, pointer: str, keys: tuple[str, str]) -> Iterator[str]:  # noqa: ANN401
    """`keys` are the last two on the way, which say what a value means."""
    if found is None and _is_nothing(wanted):
        return
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        for key, value in wanted.items():
            yield from _differing(value, found.get(key), f"{pointer}/{_escaped(key)}", (keys[1], key))
    elif isinstance(wanted, list) and isinstance(found, list):
        yield from _differing_items(wanted, found, pointer, keys)
    elif not _is_equal(wanted, found, keys):
        yield pointer


def _differing_items(
    wanted: list[Any], found: list[Any], pointer: str, keys: tuple[str, str]
) -> Iterator[str]:
    """By name where all have one: containers, variables, ports and volumes, among which others may add their own."""
    identity = _IDENTITY.get(keys[1], "name")
    names = [it.get(identity) if isinstance(it, Mapping) else None for it in wanted]
    if None not in names and len(set(names)) == len(names):
        by_name = {it.get(identity): it for it in found if isinstance(it, Mapping)}
        pairs = [(it, by_name.get(name)) for it, name in zip(wanted, names, strict=True)]
    elif len(wanted) == len(found):
        pairs = list(zip(wanted, found, strict=True))
    else:
        yield pointer
        return
    for position, (one, other) in enumerate(pairs):
        yield from _differing(one, other, f"{pointer}/{position}", keys)


def _is_equal(wanted: Any, found: Any, keys: tuple[str, str]) -> bool:  # noqa: ANN401
    if keys[0] in _QUANTITIES or keys[1] in _QUANTITY_KEYS:
        amount = quantity(wanted)
        if amount is not None:
            return amount == quantity(found)
    return isinstance(wanted, bool) is isinstance(found, bool) and bool(wanted == found)


def _is_nothing(value: Any) -> bool:  # noqa: ANN401
    return any(value == it and type(value) is type(it) for it in _NOTHING)


def _is_below(pointer: str, prefixes: Iterable[str]) -> bool:
    return any(pointer == it or pointer.startswith(f"{it}/") for it in prefixes)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
