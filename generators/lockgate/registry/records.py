"""`registry/<model>/<version>.yaml` → Record, or what is wrong with the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lockgate.diagnostics import Diagnostic
from lockgate.plan.model import Record
from lockgate.registry.form import record_block, unreadable_record
from lockgate.yaml import YamlError

_IMAGE = re.compile(r"[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class _RecordError(Exception):
    pass


class _WithoutImage(Exception):  # noqa: N818 - the record is right, its version cannot be pinned yet
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
            findings.append(unreadable_record(error, file))
        except _RecordError as error:
            findings.append(_broken(file, str(error)))
        except _WithoutImage:
            findings.append(_without_image(file, model, version))
    return records, tuple(findings)


def _broken(file: str, message: str) -> Diagnostic:
    return Diagnostic(
        rule="record-form",
        message=message,
        file=file,
        help="records are written at release and never edited: restore the file from Git",
    )


def _without_image(file: str, model: str, version: str) -> Diagnostic:
    return Diagnostic(
        rule="pin-without-image",
        message=f"{model!r} {version} is pinned, and its record names no image",
        file=file,
        help="it was released without one: pin another version, or release the model again with --image",
    )


def _record(model: str, version: str, data: bytes) -> Record:
    block = record_block(data)
    if not isinstance(block, Mapping):
        raise _RecordError("a record has to be a map")
    if (block.get("model"), block.get("version")) != (model, version):
        raise _RecordError(
            f"the record is of {block.get('model')!r} {block.get('version')!r}, not of its file's name"
        )
    if "image" not in block:
        raise _WithoutImage
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
    """The values by name; of a metric that could not be computed there is none."""
    if not isinstance(block, Mapping):
        raise _RecordError("'metrics' has to be a map")
    values = {str(name): _value(it) for name, it in block.items()}
    for name, value in values.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise _RecordError(f"the metric {name!r} has to be a number, or a map with its 'value'")
    return {name: float(value) for name, value in values.items() if value is not None}


def _value(metric: Any) -> Any:  # noqa: ANN401 - what a record holds is not known yet
    return metric.get("value") if isinstance(metric, Mapping) else metric
