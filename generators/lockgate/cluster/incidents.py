"""Rollouts that failed, as one job tells them to another: made of what was seen, read back as hostile input. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal, TypeAlias, cast

from lockgate.cluster.evidence import Evidence, as_block, from_block
from lockgate.cluster.rollouts import Seen
from lockgate.tuples import NamedTuple

Failed: TypeAlias = Literal["aborted", "degraded"]

_LARGEST = 4_000_000
_MOST = 1_000
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_VERSION = re.compile(r"[0-9]{1,9}[.][0-9]{1,9}[.][0-9]{1,9}")
_REVISION = re.compile(r"[0-9]{0,18}")
_POD_HASH = re.compile(r"[a-z0-9]{0,63}")
_FORMS = {
    "environment": _NAME,
    "model": _NAME,
    "version": _VERSION,
    "state": re.compile("aborted|degraded"),
    "revision": _REVISION,
    "pod_hash": _POD_HASH,
}


class IncidentError(Exception):
    """The file is not what `lockgate watch --format json` writes."""


class Incident(NamedTuple):
    """A version whose rollout failed where Git has it pinned."""

    environment: str
    model: str
    version: str
    state: Failed
    revision: str
    pod_hash: str
    evidence: Evidence

    @property
    def id(self) -> str:
        """The same however often it is looked at; another for the next rollout, even of the same version."""
        told = (self.environment, self.model, self.version, self.revision, self.pod_hash)
        return f"{self.version}-{sha256(json.dumps(told).encode()).hexdigest()[:12]}"


class Unclear(NamedTuple):
    """A service of which it cannot be told whether all is well."""

    environment: str
    model: str
    why: str


class Watched(NamedTuple):
    """What a look at environments found; empty where all is well."""

    incidents: tuple[Incident, ...]
    unclear: tuple[Unclear, ...]


def incident_of(environment: str, model: str, version: str, seen: Seen) -> Incident:
    """Of a service whose rollout has failed."""
    assert seen.evidence is not None, "it is gathered where a rollout has failed"
    return Incident(
        environment=environment,
        model=model,
        version=version,
        state=cast("Failed", seen.state.value),
        revision=seen.revision if _REVISION.fullmatch(seen.revision) else "",
        pod_hash=seen.pod_hash if _POD_HASH.fullmatch(seen.pod_hash) else "",
        evidence=seen.evidence,
    )


def dump(watched: Watched) -> str:
    """As JSON."""
    incidents = [
        {**it._asdict(), "incident": it.id, "evidence": as_block(it.evidence)} for it in watched.incidents
    ]
    unclear = [it._asdict() for it in watched.unclear]
    return json.dumps({"incidents": incidents, "unclear": unclear}, indent=2, ensure_ascii=False)


def load(data: bytes) -> Watched:
    """What such a file says; the ids in it count for nothing. IncidentError where it says anything else."""
    document = _document(data)
    return Watched(
        incidents=tuple(dict.fromkeys(_incident(it) for it in _list(document, "incidents"))),
        unclear=tuple(_unclear(it) for it in _list(document, "unclear")),
    )


def _document(data: bytes) -> Mapping[str, Any]:
    if len(data) > _LARGEST:
        raise IncidentError(f"it is larger than {_LARGEST:,} bytes")
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise IncidentError("it is no JSON") from error
    if not isinstance(document, Mapping):
        raise IncidentError("it is no object of JSON")
    return document


def _list(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    found = document.get(key)
    if not isinstance(found, list) or not all(isinstance(it, Mapping) for it in found):
        raise IncidentError(f"'{key}' has to be a list of objects")
    if len(found) > _MOST:
        raise IncidentError(f"'{key}' has more than {_MOST:,} entries")
    return found


def _incident(fields: Mapping[str, Any]) -> Incident:
    evidence = fields.get("evidence")
    return Incident(
        environment=_matching(fields, "environment"),
        model=_matching(fields, "model"),
        version=_matching(fields, "version"),
        state=cast("Failed", _matching(fields, "state")),
        revision=_matching(fields, "revision"),
        pod_hash=_matching(fields, "pod_hash"),
        evidence=from_block(evidence if isinstance(evidence, Mapping) else {}),
    )


def _unclear(fields: Mapping[str, Any]) -> Unclear:
    why = fields.get("why")
    told = " ".join(why.split())[:400] if isinstance(why, str) else ""
    return Unclear(_matching(fields, "environment"), _matching(fields, "model"), told)


def _matching(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    if not isinstance(value, str) or not _FORMS[key].fullmatch(value):
        raise IncidentError(f"'{key}' of an incident is not of its form")
    return value
