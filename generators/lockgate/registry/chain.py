"""Whether records are as they were written: each names the hash of the one before it, and a tag that of the newest.

Every record of every model is hashed and none is parsed as a whole, for there may be thousands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from lockgate.diagnostics import Diagnostic
from lockgate.registry.shelf import Files, card_path, record_path, recorded
from lockgate.registry.tags import tag_name

_PREVIOUS = re.compile(
    rb'(?m)^previous:\n  version: "?(?P<version>[0-9.]+)"?\n  sha256: "?(?P<sha256>[0-9a-f]{64})"?$'
)
_CARD = re.compile(rb'(?m)^card:\n  path: .*\n  sha256: "?(?P<sha256>[0-9a-f]{64})"?$')


def edited_records(files: Files, vouched: Mapping[str, str]) -> Iterator[Diagnostic]:
    """Findings about records that were edited or taken away.

    `vouched` maps the names of tags to the SHA-256 that their messages hold; it may be empty.
    """
    for model, versions in sorted(recorded(files).items()):
        yield from _chain(files, model, versions)
        for version in versions:
            path = record_path(model, version)
            said = vouched.get(tag_name(model, version))
            if said is not None and said != _hash(files[path]):
                yield _edited(
                    path, f"the record is not the one that the tag '{tag_name(model, version)}' vouches for"
                )
            card = _CARD.search(files[path])
            if card is not None and not _is_card(
                files.get(card_path(model, version)), card["sha256"].decode()
            ):
                yield _edited(card_path(model, version), "the card is not the one that was released")


def _chain(files: Files, model: str, versions: Sequence[str]) -> Iterator[Diagnostic]:
    before: str | None = None
    for version in versions:
        path = record_path(model, version)
        found = _PREVIOUS.search(files[path])
        named = found["version"].decode() if found else None
        if named != before:
            yield _broken(path, model, named, before)
        elif found is not None and before is not None:
            previous = record_path(model, before)
            if found["sha256"].decode() != _hash(files[previous]):
                yield _edited(previous, f"the record is not the one that {version} follows")
        before = version


def _broken(path: str, model: str, named: str | None, before: str | None) -> Diagnostic:
    if named is None:
        return _edited(path, f"the record names no release before it, but there is {before}")
    lacking = record_path(model, named)
    return _edited(path, f"the record follows {named}, and {lacking} is not the record before it")


def _is_card(data: bytes | None, expected: str) -> bool:
    return data is not None and _hash(data) == expected


def _hash(data: bytes) -> str:
    return sha256(data).hexdigest()


def _edited(path: str, message: str) -> Diagnostic:
    return Diagnostic(
        rule="record-edited",
        message=message,
        file=path,
        help="records are written at release and never changed: restore the files of its folder from Git",
    )
