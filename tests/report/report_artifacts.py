"""Artifact files made by hand, as the stages of small pipelines would have left them."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lockgate import spec
from lockgate.spec.model import Spec
from lockgate.yaml.dump import dump

Files = dict[str, Any]

HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

_BINARY_GATES = {
    "roc_auc": {"min": 0.70, "max_drop": 0.005},
    "latency_p99": {"max": "5ms"},
    "expected_calibration_error": {"max": 0.02, "on_fail": "warn"},
}


def make_spec(models: Mapping[str, Mapping[str, Any]], patches: Mapping[str, Any] | None = None) -> Spec:
    """The spec of models that are given by their task and whatever else differs from a small default."""
    document: dict[str, Any] = {
        "apiVersion": "lockgate.dev/v1",
        "project": {"repository": "github.com/acme/flights"},
        "models": {name: _model(blocks) for name, blocks in models.items()},
    }
    if patches:
        document["patches"] = dict(patches)
    reading = spec.read(dump(document).encode())
    assert reading.spec is not None, reading.diagnostics
    return reading.spec


def _model(blocks: Mapping[str, Any]) -> dict[str, Any]:
    default = {
        "owner": "ops-analytics",
        "task": "classification",
        "data": {"source": "models.flight_delay.data:load", "target": "delayed"},
        "train": {"estimator": "models.flight_delay.model:build"},
    }
    return {**default, **blocks}


BINARY_SPEC = make_spec(
    {
        "flight-delay": {
            "description": "Says before departure whether a flight will be late.",
            "gates": _BINARY_GATES,
        }
    }
)
MULTICLASS_SPEC = make_spec({"species": {"gates": {"accuracy": {"min": 0.95}}}})
REGRESSION_SPEC = make_spec({"bike-rentals": {"task": "regression", "gates": {"rmse": {"max": 150}}}})

THREE_SPEC = make_spec(
    {
        "flight-delay": {"gates": _BINARY_GATES},
        "species": {"gates": {"accuracy": {"min": 0.95}}},
        "bike-rentals": {"task": "regression", "gates": {"rmse": {"max": 150}}},
    },
    {
        "arm-nodes": {
            "target": "manifests/production/*/deployment.yaml",
            "reason": "the production pool is arm64",
            "set": {"/spec/template/spec/nodeSelector": {"kubernetes.io/arch": "arm64"}},
        }
    },
)


def write_files(root: Path, model: str, files: Mapping[str, Any]) -> None:
    """Text as it is, anything else as JSON."""
    folder = root / "artifacts" / model
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content, indent=2, sort_keys=True) + "\n"
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def changed(files: Mapping[str, Any], path: Sequence[str | int], value: object) -> Files:
    """A copy of the files with the value at the path exchanged."""
    copied = copy.deepcopy(dict(files))
    place: Any = copied
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return copied


def interval(value: float | None, half: float | None = None) -> dict[str, float | None]:
    if value is None or half is None:
        return {"value": value, "low": None, "high": None}
    return {"value": value, "low": round(value - half, 6), "high": round(value + half, 6)}


def metric(
    value: float, half: float | None, *, better: str = "higher", unit: str = "", description: str
) -> dict[str, Any]:
    return {**interval(value, half), "better": better, "unit": unit, "description": description}


def gate(name: str, rule: str, limit: float | None, value: float | None, **others: object) -> dict[str, Any]:
    default: dict[str, Any] = {
        "metric": name,
        "rule": rule,
        "limit": limit,
        "value": value,
        "low": None,
        "high": None,
        "margin": None,
        "unit": "",
        "on_fail": "block",
        "outcome": "pass",
        "reason": "holds",
    }
    return {**default, **others}


ROWS_GATE = gate("invalid_rows", "max", 0.0, 0.0, margin=0.0, reason="0 is at most 0")
SCAN_GATE = gate("scan", "scan", None, None, reason="the scan found nothing")

_SCAN = {
    "passed": True,
    "files": [
        {"path": "model.onnx", "sha256": HASH, "size_bytes": 1_234_567, "format": "onnx", "findings": []},
        {"path": "signature.json", "sha256": HASH, "size_bytes": 2_048, "format": "json", "findings": []},
    ],
}
_EXPORT = {
    "artifact_sha256": HASH[::-1],
    "format": "onnx",
    "file": "model.onnx",
    "sha256": HASH,
    "size_bytes": 1_234_567,
    "parity": {
        "rows": 27_004,
        "max_abs_difference": 3.4e-6,
        "tolerance": 1e-4,
        "beyond_tolerance": 0,
        "max_disagreement": 0.001,
    },
    "fallback_reason": None,
    "trusted": [],
}
_CARRIERS = (
    ("UA", 4_637, 0.731, 0.018),
    ("B6", 4_413, 0.698, 0.017),
    ("EV", 4_641, 0.654, 0.021),
    ("DL", 4_126, 0.722, 0.02),
    ("F9", 58, 0.61, 0.14),
    ("HA", 31, None, None),
    ("other", 212, 0.74, None),
)


def binary_files() -> Files:
    """A model whose AUC holds, whose calibration is warned about, and three rows of whose data were wrong."""
    return {
        "ingest.json": {
            "source": "models.flight_delay.data:load",
            "rows": 178_210,
            "columns": ["carrier", "distance", "scheduled", "delayed"],
            "sha256": HASH,
        },
        "validation.json": {
            "rows": 178_210,
            "invalid_rows": 3,
            "checks": [
                {
                    "column": "distance",
                    "check": "at least 0",
                    "failed_rows": 3,
                    "examples": [{"row": 1_041, "value": -17}, {"row": 88_120, "value": -1.5}],
                }
            ],
            "dropped_columns": ["tailnum"],
            "columns": {
                "carrier": {"type": "category", "missing_ratio": 0.0, "distinct": 16},
                "distance": {
                    "type": "number",
                    "missing_ratio": 0.0004,
                    "distinct": 214,
                    "min": 17.0,
                    "max": 4983.0,
                    "mean": 1039.9,
                },
            },
        },
        "split.json": {
            "method": "time",
            "train": {
                "rows": 150_203,
                "start": "2013-01-01T00:00:00",
                "end": "2013-06-01T00:00:00",
                "target": {"0": 0.791, "1": 0.209},
            },
            "holdout": {
                "rows": 27_004,
                "start": "2013-06-01T05:15:00",
                "end": "2013-07-01T00:00:00",
                "target": {"0": 0.742, "1": 0.258},
            },
            "unused_rows": 1_000,
        },
        "training.json": {
            "estimator": "Pipeline(HistGradientBoostingClassifier)",
            "params": {"learning_rate": 0.1, "max_iter": 200},
            "seed": 0,
            "rows": 150_203,
            "kind": "binary",
            "inputs": [
                {"name": "carrier", "type": "category", "nullable": False, "values": ["UA", "DL"]},
                {"name": "distance", "type": "number", "nullable": True, "min": 0.0},
            ],
            "classes": ["0", "1"],
            "libraries": {"numpy": "2.1.3", "scikit-learn": "1.5.2"},
        },
        "evaluation.json": _binary_evaluation(),
        "export.json": _EXPORT,
        "latency.json": {"rows": 500, "p50": 0.000312, "p99": 0.00421},
        "scan.json": _SCAN,
        "gates.json": {"verdict": "warn", "gates": _binary_gates()},
        "roc.csv": _roc(),
        "card.md": "# flight-delay\n\nSays whether a flight will be late.\n\n## Limits\n\n- one airport\n",
    }


def _binary_evaluation() -> dict[str, Any]:
    slices = [
        {"label": label, "rows": rows, "metrics": {"roc_auc": interval(value, half)}}
        for label, rows, value, half in _CARRIERS
    ]
    return {
        "kind": "binary",
        "rows": 27_004,
        "confidence": 0.95,
        "samples": 500,
        "threshold": 0.5,
        "positive": "1",
        "metrics": {
            "roc_auc": metric(0.7124, 0.009, description="area under the ROC curve"),
            "log_loss": metric(0.4981, 0.0061, better="lower", description="mean negative log likelihood"),
            "expected_calibration_error": metric(
                0.0231, 0.004, better="lower", description="mean gap between predicted and observed"
            ),
            "accuracy": metric(0.7431, 0.0052, description="share of right predictions"),
        },
        "baseline": {
            "roc_auc": 0.5,
            "log_loss": 0.571,
            "expected_calibration_error": None,
            "accuracy": 0.742,
        },
        "slices": {"carrier": slices},
        "calibration": [
            {
                "rows": 2_700,
                "predicted": round(0.04 + 0.07 * step, 3),
                "observed": round(0.05 + 0.068 * step, 3),
            }
            for step in range(10)
        ],
        "confusion": {"labels": ["0", "1"], "counts": [[18_901, 1_136], [5_802, 1_165]]},
    }


def _binary_gates() -> list[dict[str, Any]]:
    return [
        gate(
            "roc_auc",
            "min",
            0.7,
            0.7124,
            low=0.7034,
            high=0.7214,
            margin=0.0124,
            reason="0.712 is at least 0.700, and so is the whole interval",
        ),
        gate(
            "roc_auc",
            "max_drop",
            0.005,
            None,
            outcome="skipped",
            reason="nothing is live yet to compare with",
        ),
        gate(
            "latency_p99",
            "max",
            0.005,
            0.00421,
            margin=0.00079,
            unit="s",
            reason="4.21 ms is at most 5.00 ms",
        ),
        gate(
            "expected_calibration_error",
            "max",
            0.02,
            0.0231,
            low=0.0191,
            high=0.0271,
            margin=-0.0031,
            on_fail="warn",
            outcome="warn",
            reason="0.0231 is more than 0.0200",
        ),
        gate(
            "invalid_rows",
            "max",
            0.0,
            0.0000168,
            margin=-0.0000168,
            on_fail="observe",
            outcome="observed",
            reason="3 rows failed a check; this gate only observes",
        ),
        SCAN_GATE,
    ]


def _roc() -> str:
    points = [(step / 40, (step / 40) ** 0.42) for step in range(41)]
    return "fpr,tpr\n" + "".join(f"{x:.4f},{y:.4f}\n" for x, y in points)


def multiclass_files() -> Files:
    """A model that is not good enough and whose file the scan refused."""
    files = binary_files()
    finding = "holds a pickle, which can run code when it is read"
    labels = ["Adelie", "Chinstrap", "Gentoo"]
    files["evaluation.json"] = {
        "kind": "multiclass",
        "rows": 103,
        "confidence": 0.9,
        "samples": 200,
        "threshold": None,
        "positive": None,
        "metrics": {"accuracy": metric(0.9417, 0.041, description="share of right predictions")},
        "baseline": {"accuracy": 0.4369},
        "slices": {},
        "calibration": [
            {"rows": 51, "predicted": 0.71, "observed": 0.74},
            {"rows": 52, "predicted": 0.99, "observed": 0.96},
        ],
        "confusion": {"labels": labels, "counts": [[43, 2, 0], [3, 18, 0], [0, 1, 36]]},
    }
    files["split.json"] = {
        "method": "random",
        "train": {"rows": 241, "start": None, "end": None, "target": dict.fromkeys(labels, 1 / 3)},
        "holdout": {"rows": 103, "start": None, "end": None, "target": dict.fromkeys(labels, 1 / 3)},
        "unused_rows": 0,
    }
    files["scan.json"] = {
        "passed": False,
        "files": [
            {
                "path": "model.skops",
                "sha256": HASH,
                "size_bytes": 900,
                "format": "pickle",
                "findings": [finding],
            }
        ],
    }
    files["export.json"] = {
        **_EXPORT,
        "format": "skops",
        "file": "model.skops",
        "fallback_reason": "no converter for FunctionTransformer",
        "trusted": ["models.species.model.Scaler"],
    }
    files["gates.json"] = {
        "verdict": "fail",
        "gates": [
            gate(
                "accuracy",
                "min",
                0.95,
                0.9417,
                low=0.9007,
                high=0.9827,
                margin=-0.0083,
                outcome="fail",
                reason="0.942 is less than 0.950",
            ),
            ROWS_GATE,
            {**SCAN_GATE, "outcome": "fail", "reason": f"model.skops {finding}"},
        ],
    }
    return files


def regression_files() -> Files:
    """A model that passes."""
    files = binary_files()
    del files["roc.csv"]
    residuals = [(20.0 + 9.1 * step, 20.0 + 9.1 * step + 120 * math.sin(step * 1.7)) for step in range(60)]
    files["evaluation.json"] = {
        "kind": "regression",
        "rows": 3_476,
        "confidence": 0.95,
        "samples": 500,
        "threshold": None,
        "positive": None,
        "metrics": {
            "rmse": metric(101.37, 4.2, better="lower", description="root of the mean squared error"),
            "r2": metric(0.661, 0.02, description="share of the variance explained"),
        },
        "baseline": {"rmse": 182.9, "r2": -0.003},
        "slices": {
            "season": [
                {"label": "winter", "rows": 900, "metrics": {"rmse": interval(130.2, 9.0)}},
                {"label": "summer", "rows": 1_100, "metrics": {"rmse": interval(98.1, 8.5)}},
            ]
        },
        "calibration": [],
        "confusion": None,
    }
    statistics = {"mean": 189.5, "std": 181.4}
    part = {"rows": 13_903, "start": "2011-01-01", "end": "2012-06-01", "target": statistics}
    files["split.json"] = {
        "method": "time",
        "train": part,
        "holdout": {**part, "rows": 3_476},
        "unused_rows": 0,
    }
    files["validation.json"] = {
        **files["validation.json"],
        "invalid_rows": 0,
        "checks": [],
        "dropped_columns": [],
    }
    files["residuals.csv"] = "predicted,actual\n" + "".join(f"{x:.3f},{y:.3f}\n" for x, y in residuals)
    files["gates.json"] = {
        "verdict": "pass",
        "gates": [
            gate(
                "rmse", "max", 150, 101.37, low=97.17, high=105.57, margin=48.63, reason="101 is at most 150"
            ),
            ROWS_GATE,
            SCAN_GATE,
        ],
    }
    return files
