"""Marks on versions: an incident that keeps one from being promoted again, and the override that lets it. Pure.

A mark is a file beside the record, which itself never changes. An override names the incident that it overrides, so the
next incident counts again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lockgate.diagnostics import Finding
from lockgate.registry.past import RecordError
from lockgate.registry.shelf import Files, override_path, rejection_path
from lockgate.tuples import NamedTuple
from lockgate.yaml import YamlError
from lockgate.yaml.dump import dump
from lockgate.yaml.parse import read_text
from lockgate.yaml.values import read_values


class Rejection(NamedTuple):
    """`environment` is where it went wrong; `evidence` is what was seen, by name."""

    model: str
    version: str
    incident: str
    environment: str
    reason: str
    time: str
    evidence: Mapping[str, Any]


def rejection_file(rejection: Rejection) -> tuple[str, bytes]:
    """Its path and its bytes."""
    fields = {key: value for key, value in rejection._asdict().items() if value != {}}
    return rejection_path(rejection.model, rejection.version), dump(fields).encode()


def override_file(rejection: Rejection, reason: str, time: str) -> tuple[str, bytes]:
    """The path and the bytes of what lets the version be promoted in spite of that incident."""
    fields = {
        "model": rejection.model,
        "version": rejection.version,
        "incident": rejection.incident,
        "reason": reason,
        "time": time,
    }
    return override_path(rejection.model, rejection.version), dump(fields).encode()


def rejection_in_force(files: Files, model: str, version: str) -> Rejection | None:
    """The mark on the version, unless it was overridden; RecordError where it cannot be understood."""
    path = rejection_path(model, version)
    if path not in files:
        return None
    block = _block(path, files[path])
    texts = [block.get(key) for key in ("incident", "environment", "reason", "time")]
    if not all(isinstance(it, str) for it in texts):
        raise RecordError(path, "a rejection has 'incident', 'environment', 'reason' and 'time'")
    incident, environment, reason, time = (str(it) for it in texts)
    override = override_path(model, version)
    if override in files and _block(override, files[override]).get("incident") == incident:
        return None
    evidence = block.get("evidence")
    return Rejection(
        model=model,
        version=version,
        incident=incident,
        environment=environment,
        reason=reason,
        time=time,
        evidence=evidence if isinstance(evidence, Mapping) else {},
    )


def rejected_pins(pins: Mapping[str, Mapping[str, str]], files: Files) -> Iterator[Finding]:
    """Findings about pins of versions in an environment where they were rejected. RecordError as above."""
    for environment, pinned in pins.items():
        for model, version in pinned.items():
            rejection = rejection_in_force(files, model, version)
            if rejection is not None and rejection.environment == environment:
                yield Finding(
                    rule="pin-rejected",
                    location=("deployments", environment, model),
                    message=f"{model!r} {version} was rejected in {environment!r}: {_short(rejection.reason)}",
                    help=f"pin another version, or promote it all the same: lockgate promote {model} {environment} "
                    f"--version {version} --override-rejection REASON",
                )


def _block(path: str, data: bytes) -> Mapping[str, Any]:
    try:
        block = read_values(read_text(data))
    except YamlError as error:
        raise RecordError(path, error.message) from error
    if not isinstance(block, Mapping):
        raise RecordError(path, "it has to be a map")
    return block


def _short(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= 120 else f"{line[:119]}…"
