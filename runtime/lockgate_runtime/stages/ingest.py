"""Ingest: the source of the data → `raw.parquet`, every row and column as the source gives them."""

from __future__ import annotations

import inspect
from datetime import timedelta
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from lockgate import contract
from lockgate_runtime.stages.files import file_sha256, write_frame, write_json
from lockgate_runtime.stages.user_code import StageError, load_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from pathlib import Path
    from typing import Any

    from lockgate.spec.model import Data, Model, Spec

_BACKENDS = {"s3": "s3fs", "gs": "gcsfs"}
"""The package that reads addresses of that scheme."""


def run(spec: Spec, model: Model, root: Path) -> str:
    """Fetch the rows and keep them."""
    del spec
    data = model.data
    frame = _read(data, root)
    frame.columns = pd.Index([str(name) for name in frame.columns], dtype=object)
    _check(frame, data)
    path = root / contract.artifact_path(model.name, contract.RAW)
    write_frame(path, frame)
    result = contract.Ingest(
        source=data.source, rows=len(frame), columns=list(frame.columns), sha256=file_sha256(path)
    )
    write_json(root / contract.artifact_path(model.name, contract.INGEST), result)
    return f"{len(frame):,} rows of {frame.shape[1]} columns from '{data.source}'"


def _read(data: Data, root: Path) -> pd.DataFrame:
    scheme, is_address, _ = data.source.partition("://")
    if is_address:
        return _read_file(data.source, data.source, _BACKENDS.get(scheme))
    if ":" in data.source:
        return _call(load_function(data.source, root), data)
    return _read_file(data.source, root / data.source, None)


def _call(function: Callable[..., Any], data: Data) -> pd.DataFrame:
    frame = function(**_accepted(function, data))
    if not isinstance(frame, pd.DataFrame):
        found = type(frame).__name__
        raise StageError(
            f"'{data.source}' returned a value of type '{found}', expected a pandas DataFrame",
            "return the rows as a DataFrame",
        )
    return frame.copy(deep=False)


def _accepted(function: Callable[..., Any], data: Data) -> Mapping[str, date | None]:
    """Of the keyword arguments that Lockgate offers, those that the function takes."""
    offered = _window(data)
    parameters = inspect.signature(function).parameters.values()
    if any(it.kind is it.VAR_KEYWORD for it in parameters):
        return offered
    keywords = [it for it in parameters if it.kind in (it.POSITIONAL_OR_KEYWORD, it.KEYWORD_ONLY)]
    required = [
        it.name
        for it in parameters
        if it.default is it.empty and it.name not in offered and it.kind is not it.VAR_POSITIONAL
    ]
    if required:
        raise StageError(
            f"'{data.source}' takes {inspect.signature(function)}, but is called with "
            f"{', '.join(offered)} alone, each a date or None",
            f"give '{required[0]}' a default, or take it out",
        )
    return {it.name: offered[it.name] for it in keywords if it.name in offered}


def _window(data: Data) -> dict[str, date | None]:
    start = end = None
    if data.as_of is not None and data.train_days is not None:
        start = data.as_of - timedelta(days=data.train_days)
    if data.as_of is not None and data.holdout_days is not None:
        end = data.as_of + timedelta(days=data.holdout_days)
    return {"as_of": data.as_of, "start": start, "end": end}


def _read_file(source: str, path: Path | str, backend: str | None) -> pd.DataFrame:
    reader = _reader(source)
    try:
        return reader(path)
    except ImportError as error:
        package = backend or error.name or "fsspec"
        raise StageError(
            f"reading '{source}' needs the package '{package}', which is not installed",
            f"add '{package}' to the requirements file and install it",
        ) from error
    except FileNotFoundError as error:
        raise StageError(
            f"'data.source' is '{source}', and there is no such file",
            "correct the path, or fetch the file: 'dvc pull' does where DVC keeps it",
        ) from error
    except Exception as error:
        raise StageError(
            f"'{source}' cannot be read: {type(error).__name__}: {error}",
            "correct 'data.source', mend the file, or give this machine access to it",
        ) from error


def _reader(source: str) -> Callable[[Path | str], pd.DataFrame]:
    if source.endswith(".parquet"):
        # Options, even none, make pandas use fsspec: Arrow's own client waits for minutes where it has no credentials.
        return partial(pd.read_parquet, storage_options={})
    if source.endswith((".csv", ".csv.gz")):
        return pd.read_csv
    raise StageError(
        f"'data.source' is '{source}', whose format its name does not tell",
        "name a .csv, .csv.gz or .parquet file, or a function that returns a DataFrame",
    )


def _check(frame: pd.DataFrame, data: Data) -> None:
    twice = sorted(set(frame.columns[frame.columns.duplicated()]))
    if twice:
        names = ", ".join(f"'{name}'" for name in twice)
        raise StageError(f"'{data.source}' gives more than one column called {names}", "rename or drop one")
    for role, name in (("target", data.target), ("time", data.time), ("group", data.group)):
        if name is not None and name not in frame.columns:
            raise StageError(
                f"'data.{role}' is '{name}', which '{data.source}' does not give",
                _similar(name, list(frame.columns)),
            )
    if frame.empty:
        raise StageError(
            f"'{data.source}' gives no rows for {_said(_window(data))}", "correct the dates or the source"
        )


def _similar(name: str, columns: list[str]) -> str:
    close = get_close_matches(name, columns, n=1)
    if close:
        return f"did you mean '{close[0]}'?"
    return f"its columns are {', '.join(repr(column) for column in columns[:30])}"


def _said(window: Mapping[str, date | None]) -> str:
    return ", ".join(f"{name} {value or 'not given'}" for name, value in window.items())
