"""Artifact files → the report model. Files are read as if anybody had written them."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lockgate import contract
from lockgate.contract import Verdict, artifact_path
from lockgate.report.judge import judge
from lockgate.report.model import ModelReport, Patch, Problem, Report, worst
from lockgate.report.shape import ShapeError, conform
from lockgate.report.text import clean
from lockgate.spec.model import Model, Spec

T = TypeVar("T")

_LARGEST_FILE_BYTES = 32_000_000
_MOST_POINTS = 2_000
_ORDER: Mapping[Verdict, int] = {"fail": 0, "warn": 1, "pass": 2}


def load(
    root: Path, spec: Spec, models: Sequence[str], stages: Mapping[str, Mapping[str, str]] | None = None
) -> Report:
    """The report on the named models from their artifact files below the repository's root.

    `stages` says by model and stage whether it ran or was cached.
    """
    reports = [
        _load_model(root, spec.models[name], (stages or {}).get(name, {}))
        if name in spec.models
        else _unknown_model(name)
        for name in dict.fromkeys(models)
    ]
    reports.sort(key=lambda report: _ORDER[report.verdict])
    patches = (
        Patch(name=clean(it.name), target=clean(it.target), reason=clean(it.reason)) for it in spec.patches
    )
    return Report(models=tuple(reports), patches=tuple(patches))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Files:
    """Reads the files of one model and keeps account of those that cannot be read."""

    root: Path
    model: str
    problems: list[Problem] = field(default_factory=list)

    def shaped(self, name: str, shape: type[T]) -> T | None:
        data = self.text(name)
        if data is None:
            return None
        try:
            return conform(json.loads(data, parse_constant=lambda _: None), shape)
        except ShapeError as error:
            self.report(name, f"is not what its stage writes: {error}; run the pipeline again")
        except (ValueError, RecursionError):
            self.report(name, "is not readable JSON; run the pipeline again")
        return None

    def pairs(self, name: str, header: list[str]) -> tuple[tuple[float, float], ...]:
        data = self.text(name)
        if data is None:
            return ()
        try:
            return _pairs(data, header)
        except (ValueError, csv.Error):
            self.report(name, f"is not a table of numbers with the columns '{','.join(header)}'")
        return ()

    def text(self, name: str) -> str | None:
        path = self.root / artifact_path(self.model, name)
        try:
            if not path.is_file():
                self.report(name, "is missing")
            elif path.stat().st_size > _LARGEST_FILE_BYTES:
                self.report(name, f"is larger than {_LARGEST_FILE_BYTES // 1_000_000} MB")
            else:
                return path.read_text(encoding="utf-8-sig")
        except (OSError, ValueError):
            self.report(name, "cannot be read as UTF-8 text")
        return None

    def report(self, name: str, message: str) -> None:
        self.problems.append(Problem(file=artifact_path(self.model, name), message=message))


def _load_model(root: Path, model: Model, stages: Mapping[str, str]) -> ModelReport:
    files = _Files(root=root, model=model.name)
    gates = files.shaped(contract.GATES, contract.Gates)
    evaluation = files.shaped(contract.EVALUATION, contract.Evaluation)
    export = files.shaped(contract.EXPORT, contract.Export)
    scan = files.shaped(contract.SCAN, contract.Scan)
    verdict = _judged(files, gates, model)
    if None in (evaluation, export, scan):
        verdict = worst(verdict, "warn")
    if scan is not None and not scan["passed"]:
        verdict = "fail"
    kind = evaluation["kind"] if evaluation else None
    return ModelReport(
        name=model.name,
        owner=clean(model.owner),
        description=clean(model.description) if model.description else None,
        verdict=verdict,
        gates=tuple(gates["gates"]) if gates else (),
        evaluation=evaluation,
        export=export,
        scan=scan,
        ingest=files.shaped(contract.INGEST, contract.Ingest),
        validation=files.shaped(contract.VALIDATION, contract.Validation),
        split=files.shaped(contract.SPLIT, contract.Split),
        training=files.shaped(contract.TRAINING, contract.Training),
        latency=files.shaped(contract.LATENCY, contract.Latency),
        roc=files.pairs(contract.ROC_PLOT, ["fpr", "tpr"]) if kind in ("binary", "multiclass") else (),
        residuals=files.pairs(contract.RESIDUALS_PLOT, ["predicted", "actual"])
        if kind == "regression"
        else (),
        card=_card(files),
        stages={clean(stage): clean(status) for stage, status in stages.items()},
        problems=tuple(files.problems),
    )


def _judged(files: _Files, gates: contract.Gates | None, model: Model) -> Verdict:
    if gates is None:
        return "fail"
    verdict, doubts = judge(gates, model.gates)
    for doubt in doubts:
        files.report(contract.GATES, f"is not from this spec: {doubt}; run the pipeline again")
    return verdict


def _card(files: _Files) -> str | None:
    text = files.text(contract.CARD)
    return None if text is None else clean(text)


def _unknown_model(name: str) -> ModelReport:
    message = f"has no model '{clean(name)}'; name one that it has"
    return ModelReport(
        name=clean(name),
        owner=None,
        description=None,
        verdict="fail",
        problems=(Problem(file=contract.SPEC_FILE, message=message),),
        gates=(),
        ingest=None,
        validation=None,
        split=None,
        training=None,
        evaluation=None,
        export=None,
        latency=None,
        scan=None,
        roc=(),
        residuals=(),
        card=None,
        stages={},
    )


def _pairs(data: str, header: list[str]) -> tuple[tuple[float, float], ...]:
    rows = csv.reader(io.StringIO(data))
    if next(rows, None) != header:
        raise ValueError(header)
    pairs = tuple((float(first), float(second)) for first, second in rows)
    if len(pairs) > _MOST_POINTS or not all(math.isfinite(value) for pair in pairs for value in pair):
        raise ValueError(header)
    return pairs
