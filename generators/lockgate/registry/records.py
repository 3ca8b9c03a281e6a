"""`registry/<model>/<version>.yaml` → Record, or what is wrong with the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lockgate.diagnostics import Diagnostic, Position
from lockgate.plan.model import Record
from lockgate.yaml import YamlError, parse
from lockgate.yaml.nodes import plain_value
from lockgate.yaml.parse import read_text

_IMAGE = re.compile(r"[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class _RecordError(Exception):
    pass


def read_records(
    root: Path, pins: Iterable[tuple[str, str]]
) -> tuple[dict[tuple[str, str], Record], tuple[Diagnostic, ...]]:
    """The records of those models and versions that have one, and findings about records that cannot be read."""
    records: dict[tuple[str, str], Record] = {}
    findings: list[Diagnostic] = []
    for model, version in dict.fromkeys(pins):
        file = f"registry/{model}/{version}.yaml"
        path = root / file
        if not path.is_file():
            continue
        try:
            records[model, version] = _record(model, version, path.read_bytes())
        except YamlError as error:
            start = Position(
                line=error.span.start.line + 1, column=1, end_line=error.span.start.line + 1, end_column=1
            )
            findings.append(
                Diagnostic(rule=error.rule, message=error.message, file=file, position=start, help=error.help)
            )
        except _RecordError as error:
            findings.append(_broken(file, str(error)))
    return records, tuple(findings)


def _broken(file: str, message: str) -> Diagnostic:
    return Diagnostic(
        rule="record-form",
        message=message,
        file=file,
        help="records are written at release and never edited: restore the file from Git",
    )


def _record(model: str, version: str, data: bytes) -> Record:
    block = plain_value(parse(read_text(data)))
    if not isinstance(block, Mapping):
        raise _RecordError("a record has to be a map")
    if (block.get("model"), block.get("version")) != (model, version):
        raise _RecordError(
            f"the record is of {block.get('model')!r} {block.get('version')!r}, not of its file's name"
        )
    return Record(
        model=model,
        version=version,
        image=_matching(block, "image", _IMAGE, "an image reference by digest"),
        artifact_sha256=_matching(block, "artifact_sha256", _SHA256, "64 hexadecimal digits"),
        metrics=_metrics(block.get("metrics", {})),
    )


def _matching(block: Mapping[str, Any], key: str, form: re.Pattern[str], wanted: str) -> str:
    value = block.get(key)
    if not isinstance(value, str) or not form.match(value):
        raise _RecordError(f"{key!r} has to be {wanted}")
    return value


def _metrics(block: object) -> dict[str, float]:
    if not isinstance(block, Mapping):
        raise _RecordError("'metrics' has to be a map from name to number")
    wrong = [
        name for name, value in block.items() if isinstance(value, bool) or not isinstance(value, int | float)
    ]
    if wrong:
        raise _RecordError(f"the metric {wrong[0]!r} has to be a number")
    return {str(name): float(value) for name, value in block.items()}
