"""The report as JSON, for programs: the same facts as everywhere, in the shapes of the contract."""

from __future__ import annotations

import json
from dataclasses import asdict, fields

from lockgate.report.model import ModelReport, Report, verdict
from lockgate.report.shape import cleaned

_FORMAT = 1


def render_json(report: Report) -> str:
    """`version`, `verdict`, `models`, `patches` and `effects`; what is not known of a model is null or empty."""
    document = {
        "version": _FORMAT,
        "verdict": verdict(report),
        "models": [_model(model) for model in report.models],
        "patches": [{"name": it.name, "target": it.target, "reason": it.reason} for it in report.patches],
        "effects": None if report.effects is None else cleaned(asdict(report.effects)),
    }
    return (
        json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False, default=str)
        + "\n"
    )


def _model(model: ModelReport) -> dict[str, object]:
    facts = {field.name: getattr(model, field.name) for field in fields(model)}
    problems = [{"file": problem.file, "message": problem.message} for problem in model.problems]
    return {
        **facts,
        "problems": problems,
        "stages": dict(model.stages),
        "reruns": dict(model.reruns),
        "tracked": [asdict(it) for it in model.tracked],
    }
