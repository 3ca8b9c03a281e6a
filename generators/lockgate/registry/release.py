"""A judged candidate and the registry as it is → the files of its release, or why there is nothing to release. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeAlias

from lockgate.registry import shelf
from lockgate.registry.past import Past, read_past
from lockgate.registry.shelf import Files
from lockgate.registry.versions import Bump, Made, derived_bump, next_version
from lockgate.tuples import NamedTuple
from lockgate.yaml.dump import dump

Evidence: TypeAlias = Mapping[str, str]
"""Where what was found or signed lies, by what it is: `scan`, `sbom`, `provenance` or `signature`."""

API_VERSION = "lockgate.dev/v1"


class Candidate(NamedTuple):
    """A model as it was judged, at a commit of the main branch.

    `hashes` are DVC's, by what they are of: the model, its data, its code. `metrics` and `gates` are as the report has
    them; `signature` is what callers send and get.
    """

    model: str
    commit: str
    author: str
    artifact_sha256: str
    spec_sha256: str
    made: Made
    signature: Mapping[str, Any]
    hashes: Mapping[str, Any]
    metrics: Mapping[str, Mapping[str, Any]]
    verdict: str
    gates: Sequence[Mapping[str, Any]]
    card: str | None


class Asked(NamedTuple):
    """What the caller adds: a bump that overrides the rule, with who asked for it, and references."""

    released: str
    bump: Bump | None
    bump_origin: str
    image: str | None
    report: str | None
    evidence: Evidence
    approvers: tuple[str, ...]


class Release(NamedTuple):
    """A version that is to be, and its files by path; the record's SHA-256 goes into the tag's message."""

    model: str
    version: str
    commit: str
    released: str
    bump: Bump
    reason: str
    record_sha256: str
    files: Mapping[str, bytes]


class Unreleased(NamedTuple):
    """Why there is nothing to release of the model."""

    model: str
    reason: str
    version: str | None


def released(candidate: Candidate, asked: Asked, files: Files) -> Release | Unreleased:
    """The next release of the model, unless its artifact or its commit has one already."""
    version = shelf.newest(files, candidate.model)
    before = read_past(candidate.model, version, files) if version is not None else None
    if before is not None and before.artifact_sha256 == candidate.artifact_sha256:
        return Unreleased(candidate.model, f"its artifact is that of {version}", version)
    earlier = _released_at(candidate, files)
    if earlier is not None:
        return Unreleased(candidate.model, f"this commit was released as {earlier}", earlier)
    return _next(candidate, asked, before)


def _released_at(candidate: Candidate, files: Files) -> str | None:
    """The version that was released at the candidate's commit: a finished workflow may run again, later."""
    line = f"\ncommit: {candidate.commit}\n".encode()
    quoted = f'\ncommit: "{candidate.commit}"\n'.encode()
    for version in shelf.recorded(files).get(candidate.model, ()):
        data = files[shelf.record_path(candidate.model, version)]
        if line in data or quoted in data:
            return version
    return None


def _next(candidate: Candidate, asked: Asked, before: Past | None) -> Release:
    bump, reason = derived_bump(before.made if before else None, candidate.made)
    if asked.bump is not None and before is not None:
        bump, reason = asked.bump, f"{asked.bump_origin} says so"
    version = next_version(before.version if before else None, bump)
    card = candidate.card.encode() if candidate.card is not None else None
    document = _document(candidate, asked, before, version, bump, reason, card)
    comment = f"# A release of {candidate.model}, written once by `lockgate release` and never edited.\n"
    record = (comment + dump(document)).encode()
    written = {shelf.record_path(candidate.model, version): record}
    if card is not None:
        written[shelf.card_path(candidate.model, version)] = card
    return Release(
        model=candidate.model,
        version=version,
        commit=candidate.commit,
        released=asked.released,
        bump=bump,
        reason=reason,
        record_sha256=sha256(record).hexdigest(),
        files=written,
    )


def _document(
    candidate: Candidate,
    asked: Asked,
    before: Past | None,
    version: str,
    bump: Bump,
    reason: str,
    card: bytes | None,
) -> dict[str, Any]:
    """In the order in which it is read; what there is none of has no key."""
    previous = {"version": before.version, "sha256": before.record_sha256} if before else None
    fields = {
        "apiVersion": API_VERSION,
        "model": candidate.model,
        "version": version,
        "previous": previous,
        "commit": candidate.commit,
        "released": asked.released,
        "bump": bump,
        "reason": reason,
        "author": candidate.author,
        "approvers": list(asked.approvers),
        "image": asked.image,
        "artifact_sha256": candidate.artifact_sha256,
        "spec_sha256": candidate.spec_sha256,
        "recipe_sha256": candidate.made.recipe_sha256,
        "hashes": dict(candidate.hashes),
        "signature": dict(candidate.signature),
        "metrics": {name: dict(metric) for name, metric in candidate.metrics.items()},
        "verdict": candidate.verdict,
        "gates": [dict(gate) for gate in candidate.gates],
        "card": {"path": shelf.card_path(candidate.model, version), "sha256": sha256(card).hexdigest()}
        if card is not None
        else None,
        "report": asked.report,
        "evidence": dict(asked.evidence),
    }
    return {key: value for key, value in fields.items() if value not in (None, [], {})}
