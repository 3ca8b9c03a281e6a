"""Artifact files: JSON and Parquet in, the same bytes out for the same values, and never half a file."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lockgate.contract import artifact_path
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from pathlib import Path

    from lockgate.spec.model import Model


def artifact(model: Model, root: Path, name: str) -> Path:
    """Where a stage of the model keeps the contract's file of that name."""
    return root / artifact_path(model.name, name)


def read_json(path: Path) -> Any:  # noqa: ANN401 - what a file holds is known to its reader only
    """What the JSON file holds; a `StageError` where it is missing or broken."""
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise _missing(path) from None
    except ValueError as error:
        raise StageError(f"'{path}' is not JSON: {error}", "run the pipeline again") from error


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Write in the contract's format; what is not a finite number becomes null."""
    text = json.dumps(_plain(value), indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with replacing(path) as temporary:
        # A lone surrogate has no UTF-8, but its JSON escape is what `backslashreplace` writes.
        temporary.write_bytes(f"{text}\n".encode(errors="backslashreplace"))


def read_frame(path: Path) -> pd.DataFrame:
    """The rows of a Parquet file; a `StageError` where it is missing or broken."""
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise _missing(path) from None
    except pa.ArrowException as error:
        raise StageError(f"'{path}' is not Parquet: {error}", "run the pipeline again") from error


def write_frame(path: Path, frame: pd.DataFrame) -> None:
    """Write the rows as Parquet, without the index; equal rows give equal bytes."""
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = "; ".join(str(part) for part in error.args)
        raise StageError(
            f"the rows cannot be written as Parquet: {reason}", "give each column values of one type"
        ) from error
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def file_sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when all went well, and is gone when not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _missing(path: Path) -> StageError:
    return StageError(f"'{path}' does not exist", "run the stages before this one: 'dvc repro' does")


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
