"""What a record says of its release, as far as the next one, a tag or the history needs it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from lockgate.registry.form import record_block
from lockgate.registry.shelf import Files, record_path
from lockgate.registry.versions import Input, Made
from lockgate.tuples import NamedTuple
from lockgate.yaml import YamlError

OUTPUT_KEYS = ("kind", "target", "classes", "positive")
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class RecordError(Exception):
    """A record is not what a release writes."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


class Past(NamedTuple):
    """A release that was; `record_sha256` is over the bytes of its record."""

    model: str
    version: str
    commit: str
    released: str
    artifact_sha256: str
    record_sha256: str
    made: Made


def read_past(model: str, version: str, files: Files) -> Past:
    """The release that the record tells of; RecordError where it cannot be understood."""
    path = record_path(model, version)
    data = files[path]
    try:
        block = record_block(data)
    except YamlError as error:
        raise RecordError(path, error.message) from error
    if not isinstance(block, Mapping) or (block.get("model"), block.get("version")) != (model, version):
        raise RecordError(path, "it is not of the model and version in its name")
    commit = _text(path, block, "commit")
    if not _COMMIT.fullmatch(commit):
        raise RecordError(path, "'commit' has to be a whole commit hash")
    return Past(
        model=model,
        version=version,
        commit=commit,
        released=_text(path, block, "released"),
        artifact_sha256=_text(path, block, "artifact_sha256"),
        record_sha256=sha256(data).hexdigest(),
        made=_made(path, block),
    )


def made_of(signature: Mapping[str, Any], recipe_sha256: str) -> Made:
    """What decides the next version, from a model's signature: a contract's or a record's."""
    return Made(
        inputs={
            it["name"]: Input(
                type=it["type"], nullable=bool(it.get("nullable")), low=it.get("min"), high=it.get("max")
            )
            for it in signature["inputs"]
        },
        outputs={key: signature.get(key) or None for key in OUTPUT_KEYS},
        recipe_sha256=recipe_sha256,
    )


def _made(path: str, block: Mapping[str, Any]) -> Made:
    try:
        return made_of(block["signature"], block["recipe_sha256"])
    except (KeyError, TypeError, AttributeError) as error:
        raise RecordError(path, "'signature' and 'recipe_sha256' are not what a release writes") from error


def _text(path: str, block: Mapping[str, Any], key: str) -> str:
    value = block.get(key)
    if not isinstance(value, str):
        raise RecordError(path, f"{key!r} has to be text")
    return value
