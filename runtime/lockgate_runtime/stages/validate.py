"""Validate: `raw.parquet` held to the spec's columns → `valid.parquet`, and evidence for each row left out."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from lockgate import contract
from lockgate_runtime.stages.features import as_text
from lockgate_runtime.stages.files import read_frame, write_frame, write_json
from lockgate_runtime.stages.user_code import StageError
from lockgate_runtime.stages.validate_coerce import Coerced, CoercedType, coerce
from lockgate_runtime.stages.validate_profile import profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from lockgate.spec.model import Column, Model, Spec

_MOST_EXAMPLES = 5
_MOST_CHARACTERS = 200
_PRESENT = "present"


def run(spec: Spec, model: Model, root: Path) -> str:
    """Leave out the rows that break the spec; write what is left, and why the rest is not in it."""
    del spec
    raw = read_frame(root / contract.artifact_path(model.name, contract.RAW))
    dropped = _dropped_columns(raw, model)
    kept = raw.drop(columns=dropped)
    coerced = {name: coerce(kept[name], kind) for name, kind in _kinds(kept, model).items()}
    typed = pd.DataFrame({name: coerced[name].values for name in kept.columns})
    failures = _failures(typed, coerced, _schema(model))
    invalid = pd.Index(sorted(set(failures["row"])))
    result = contract.Validation(
        rows=len(raw),
        invalid_rows=len(invalid),
        checks=_checks(failures, raw),
        dropped_columns=dropped,
        columns={name: profile(typed[name]) for name in typed.columns},
    )
    write_json(root / contract.artifact_path(model.name, contract.VALIDATION), result)
    _refuse_nothing(result)
    write_frame(root / contract.artifact_path(model.name, contract.VALID), typed.drop(index=invalid))
    return f"{len(raw) - len(invalid):,} rows are valid, {len(invalid):,} are left out"


def _dropped_columns(raw: pd.DataFrame, model: Model) -> list[str]:
    """Raises `StageError` for all columns that the spec names and the data lacks."""
    if model.data.columns is None:
        return []
    wanted = {*model.data.columns, *_roles(model)}
    missing = [name for name in wanted if name not in raw.columns]
    if missing:
        known = list(raw.columns)
        close = {name: get_close_matches(name, known, n=1) for name in sorted(missing)}
        told = (
            f"'{name}'" + (f" (did you mean '{match[0]}'?)" if match else "") for name, match in close.items()
        )
        raise StageError(
            f"the data lacks {len(missing)} of the spec's columns: {', '.join(told)}",
            "correct the names in 'data.columns', or have 'data.source' give these columns",
        )
    return [str(name) for name in raw.columns if name not in wanted]


def _kinds(frame: pd.DataFrame, model: Model) -> dict[str, CoercedType]:
    kinds: dict[str, CoercedType] = dict.fromkeys(map(str, frame.columns), "any")
    kinds |= {name: column.type for name, column in (model.data.columns or {}).items()}
    if model.data.time is not None:
        kinds[model.data.time] = "time"
    if model.task == "regression":
        kinds[model.data.target] = "number"
    return kinds


def _roles(model: Model) -> list[str]:
    return [name for name in (model.data.target, model.data.time, model.data.group) if name is not None]


def _schema(model: Model) -> pa.DataFrameSchema:
    """The spec's limits for pandera; types are none of its business, as the values have them by now."""
    columns = {name: _column_schema(column) for name, column in (model.data.columns or {}).items()}
    for name in _roles(model):
        columns[name] = pa.Column(nullable=False)
    return pa.DataFrameSchema(columns)


def _column_schema(column: Column) -> pa.Column:
    checks = []
    if column.min is not None:
        checks.append(pa.Check.ge(column.min, error=f"at least {as_text(column.min)}"))
    if column.max is not None:
        checks.append(pa.Check.le(column.max, error=f"at most {as_text(column.max)}"))
    if column.values is not None:
        texts = [as_text(value) for value in column.values]
        checks.append(pa.Check.isin(texts, error=f"one of {len(texts)} values"))
    return pa.Column(checks=checks, nullable=column.nullable)


def _failures(
    typed: pd.DataFrame, coerced: Mapping[str, Coerced], schema: pa.DataFrameSchema
) -> pd.DataFrame:
    """A line for each failed check of each value: `column`, `check`, `row`; in the order of the columns."""
    parts = list(_type_failures(coerced))
    try:
        schema.validate(typed, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.rename(columns={"index": "row"})[["column", "check", "row"]]
        cases["check"] = cases["check"].replace("not_nullable", _PRESENT)
        parts.append(_without_type_failures(cases, coerced))
    failures = pd.concat([pd.DataFrame({"column": [], "check": [], "row": []}), *parts], ignore_index=True)
    failures["row"] = failures["row"].astype(np.int64)
    order = {name: place for place, name in enumerate(typed.columns)}
    return failures.sort_values(
        ["column", "check", "row"], key=lambda it: it.map(order) if it.name == "column" else it
    )


def _type_failures(coerced: Mapping[str, Coerced]) -> Iterator[pd.DataFrame]:
    for name, column in coerced.items():
        rows = np.flatnonzero(column.failed)
        if len(rows):
            yield pd.DataFrame({"column": name, "check": column.expected, "row": rows})


def _without_type_failures(cases: pd.DataFrame, coerced: Mapping[str, Coerced]) -> pd.DataFrame:
    """A value that is not of its type was set missing, and is not to be told twice."""
    told = np.zeros(len(cases), dtype=bool)
    for name, rows in cases.groupby("column").indices.items():
        told[rows] = coerced[str(name)].failed.to_numpy()[cases["row"].to_numpy()[rows].astype(np.int64)]
    return cases[~told]


def _checks(failures: pd.DataFrame, raw: pd.DataFrame) -> list[contract.Check]:
    return [
        contract.Check(
            column=str(column),
            check=str(check),
            failed_rows=len(cases),
            examples=[
                contract.Example(row=int(row), value=_json(raw[column].iloc[row]))
                for row in cases["row"].iloc[:_MOST_EXAMPLES]
            ],
        )
        for (column, check), cases in failures.groupby(["column", "check"], sort=False)
    ]


def _json(value: Any) -> contract.Json:  # noqa: ANN401 - a value of the user's data
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if np.ndim(value) == 0 and pd.isna(value):
        return None
    text = str(value)
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _refuse_nothing(result: contract.Validation) -> None:
    if result["invalid_rows"] < result["rows"]:
        return
    lines = [
        f"  '{check['column']}' is not {check['check']} in {check['failed_rows']:,} rows, "
        f"such as row {check['examples'][0]['row']}: {check['examples'][0]['value']!r}"
        for check in sorted(result["checks"], key=lambda check: -check["failed_rows"])[:_MOST_EXAMPLES]
    ]
    raise StageError(
        "\n".join((f"all {result['rows']:,} rows are invalid:", *lines)),
        "correct 'data.columns', or mend the rows in 'data.source'",
    )
