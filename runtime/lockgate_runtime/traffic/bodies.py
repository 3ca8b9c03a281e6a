"""Rows of a Parquet file → requests of one row each, as a client would write them. Knows no server."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from lockgate import contract

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from lockgate.contract import Feature, Json

_LOGGED = "input_"


class TrafficError(Exception):
    """`message` says what was found where, `help` the next step."""

    def __init__(self, message: str, help_: str) -> None:
        super().__init__(message)
        self.message, self.help = message, help_


def read_bodies(traffic: Path, model: Path, most: int) -> list[bytes]:
    """The first rows; a folder is a log of predictions, whose columns are named after the model's inputs.

    Raises `TrafficError` where the rows are not those of the model.
    """
    inputs = _inputs(model)
    table = _table(traffic, most)
    names = [_column(table, it["name"], traffic) for it in inputs]
    rows = zip(*(table.column(name).to_pylist() for name in names), strict=True)
    bodies = [_body(inputs, row) for row in rows]
    if not bodies:
        raise TrafficError(f"'{traffic}' holds no rows", "name a file that does")
    return bodies


def _inputs(model: Path) -> list[Feature]:
    try:
        signature: contract.Signature = json.loads((model / contract.SIGNATURE).read_bytes())
        return signature["inputs"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"'{model / contract.SIGNATURE}' is not what the stage 'export' writes: {error}"
        raise TrafficError(message, "name the folder of an exported model") from error


def _table(traffic: Path, most: int) -> pa.Table:
    import pyarrow as pa
    import pyarrow.dataset as ds

    try:
        files = sorted(str(it) for it in traffic.rglob("*.parquet")) if traffic.is_dir() else [str(traffic)]
        if not files:
            raise TrafficError(f"'{traffic}' holds no Parquet file", "name a file, or a log of predictions")
        return ds.dataset(files, format="parquet").head(most)
    except (OSError, pa.ArrowException) as error:
        raise TrafficError(
            f"'{traffic}' cannot be read as Parquet: {error}", "name a file that can be"
        ) from error


def _column(table: pa.Table, name: str, traffic: Path) -> str:
    for known in (f"{_LOGGED}{name}", name):
        if table.column_names.count(known) == 1:
            return known
    message = f"'{traffic}' has no column '{name}', which the model takes"
    raise TrafficError(message, "replay rows that were made for this model, with no column left out")


def _body(inputs: Sequence[Feature], row: Sequence[Any]) -> bytes:
    values = {it["name"]: _value(it, value) for it, value in zip(inputs, row, strict=True)}
    return json.dumps({"rows": [values]}, separators=(",", ":")).encode()


def _value(feature: Feature, value: Any) -> Json:  # noqa: ANN401 - whatever Parquet holds
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    match feature["type"]:
        case "category":
            return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        case "boolean":
            return bool(value)
        case "integer":
            return int(value)
        case "number":
            return float(value)
