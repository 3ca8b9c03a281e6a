"""Estimators as skops files: equal bytes for equal estimators, and loaded by an allow-list of types only."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import skops.io

from lockgate.contract.vouched import VOUCHED
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA_MEMBER = "schema.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def dumps(estimator: Any) -> bytes:  # noqa: ANN401 - any estimator
    """The estimator's file. skops names what it holds by its place in memory: here by its place in the file."""
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as source:
        members = {name: source.read(name) for name in source.namelist()}
    schema = json.loads(members.pop(SCHEMA_MEMBER))
    renamed: dict[str, str] = {}
    _rename(schema, {}, renamed)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for old, new in renamed.items():
            target.writestr(zipfile.ZipInfo(new, _EPOCH), members[old])
        target.writestr(zipfile.ZipInfo(SCHEMA_MEMBER, _EPOCH), json.dumps(schema, indent=1))
    return buffer.getvalue()


def loads(data: bytes, trusted: Sequence[str]) -> Any:  # noqa: ANN401 - any estimator
    """The estimator. Raises `StageError` where the file is broken or holds a type that nobody vouches for."""
    refused = untrusted_types(data, trusted)
    if refused:
        raise untrusted_error(refused)
    try:
        return skops.io.loads(data, trusted=[*trusted, *VOUCHED])
    except Exception as error:  # A broken file fails anywhere.
        raise StageError(
            f"the skops file cannot be loaded: {error}", "run the stage 'export' again"
        ) from error


def untrusted_types(data: bytes, trusted: Sequence[str]) -> list[str]:
    """The types in the file that neither skops, nor we, nor the spec vouch for. Runs nothing of the file."""
    try:
        found = skops.io.get_untrusted_types(data=data)
    except Exception as error:  # A broken file fails anywhere.
        raise StageError(f"the skops file cannot be read: {error}", "run the stage 'export' again") from error
    return sorted(set(found) - VOUCHED - set(trusted))


def untrusted_error(types: Sequence[str]) -> StageError:
    """What to tell about types that nobody vouches for."""
    listed = ", ".join(f"'{name}'" for name in types)
    return StageError(
        f"the skops file holds types that are not trusted: {listed}",
        f"where you trust their code with the model's file, add to the spec: export.trusted: [{', '.join(types)}]",
    )


def _rename(node: object, ids: dict[object, int], files: dict[str, str]) -> None:
    if isinstance(node, list):
        for item in node:
            _rename(item, ids, files)
    if not isinstance(node, dict):
        return
    # A map of the user's may have such keys too, but its values are nodes.
    if isinstance(node.get("__id__"), int):
        node["__id__"] = ids.setdefault(node["__id__"], len(ids))
    name = node.get("file")
    if isinstance(name, str):
        node["file"] = files.setdefault(name, f"{len(files)}.{name.rpartition('.')[2]}")
    for value in node.values():
        _rename(value, ids, files)
