"""Writes projects of any size to measure with: a varied spec, the code it names, and records of releases."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lockgate.yaml.dump import dump

_SEED = 2013
_SHARE_SERVED = 0.85
_SHARE_PINNED = {"staging": 0.95, "production": 0.85}
_ESTIMATOR = "models.shared.model:build"
_SOURCE = "models.shared.data:load"


def write_project(root: Path, models: int) -> None:
    """A project of that many models in an empty folder; the same for every call with the same number."""
    spec = make_spec(models)
    _write(root / "mlops.yaml", dump(spec))
    _write(root / "requirements.txt", "lockgate\n")
    for name in ("__init__", "data", "model"):
        _write(root / f"models/shared/{name}.py", "")
    for model in spec["models"]:
        _write_records(root, model, {pins[model] for pins in spec["deployments"].values() if model in pins})


def _write_records(root: Path, model: str, versions: set[str]) -> None:
    """Each names the one before it, as releases do."""
    previous: dict[str, Any] = {}
    for version in sorted(versions, key=lambda it: [int(part) for part in it.split(".")]):
        text = dump(_record(model, version) | previous)
        _write(root / f"registry/{model}/{version}.yaml", text)
        previous = {"previous": {"version": version, "sha256": hashlib.sha256(text.encode()).hexdigest()}}


def make_spec(models: int) -> dict[str, Any]:
    """The document of `mlops.yaml`."""
    chance = random.Random(_SEED)
    blocks = {f"model-{number:04d}": _model(number, chance) for number in range(models)}
    served = [name for name, block in blocks.items() if "serve" in block]
    return {
        "apiVersion": "lockgate.dev/v1",
        "project": {"repository": "github.com/acme/models", "image_registry": "ghcr.io/acme"},
        "models": blocks,
        "environments": {
            "staging": {
                "namespace": "ml-staging",
                "models": {name: _smaller(blocks[name]) for name in served},
            },
            "production": {"namespace": "ml"},
        },
        "deployments": {name: _pins(served, share, chance) for name, share in _SHARE_PINNED.items()},
    }


def _model(number: int, chance: random.Random) -> dict[str, Any]:
    task = chance.choice(("classification", "classification", "regression"))
    block: dict[str, Any] = {
        "owner": f"team-{number % 17}",
        "description": f"Predicts outcome {number} for whoever asks, from what is known beforehand.",
        "task": task,
        "data": _data(chance),
        "train": {
            "estimator": _ESTIMATOR,
            "params": {
                "learning_rate": round(chance.uniform(0.01, 0.3), 3),
                "max_iter": chance.randrange(50, 500),
            },
            "seed": number,
        },
        "gates": _gates(task, chance),
    }
    if chance.random() < 0.2:
        block["stages"] = {
            "enrich": {"command": ["python", "models/shared/data.py", f"--part={number}"], "after": "gate"}
        }
    if chance.random() < _SHARE_SERVED:
        block["serve"] = _serve(chance)
    return block


def _data(chance: random.Random) -> dict[str, Any]:
    columns = dict(_columns(chance))
    return {
        "source": _SOURCE,
        "as_of": f"2013-{chance.randrange(1, 13):02d}-01",
        "train": f"{chance.randrange(60, 200)}d",
        "holdout": "30d",
        "target": "outcome",
        "time": "happened_at",
        "columns": columns,
    }


def _columns(chance: random.Random) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number in range(chance.randrange(4, 20)):
        kind = chance.choice(("number", "integer", "category", "boolean"))
        column: dict[str, Any] = {"type": kind}
        if kind in ("number", "integer"):
            column |= {"min": 0, "max": chance.randrange(10, 10_000)}
        if kind == "category" and chance.random() < 0.5:
            column["values"] = [f"value-{index}" for index in range(chance.randrange(2, 8))]
        if chance.random() < 0.3:
            column["nullable"] = True
        yield f"feature_{number}", column


def _gates(task: str, chance: random.Random) -> dict[str, Any]:
    quality: dict[str, Any] = (
        {
            "roc_auc": {"min": round(chance.uniform(0.6, 0.8), 2), "max_drop": 0.005},
            "brier": {"max": 0.25, "on_fail": "warn"},
        }
        if task == "classification"
        else {"rmse": {"max": chance.randrange(1, 50)}, "r2": {"min": 0.3}}
    )
    return {**quality, "latency_p99": {"max": f"{chance.randrange(2, 20)}ms"}, "model_size": {"max": "20MB"}}


def _serve(chance: random.Random) -> dict[str, Any]:
    fewest = chance.randrange(2, 6)
    block: dict[str, Any] = {
        "replicas": {"min": fewest, "max": fewest + chance.randrange(2, 20)},
        "resources": {
            "cpu": chance.choice(("250m", "500m", "1")),
            "cpu_limit": "2",
            "memory": chance.choice(("512Mi", "1Gi")),
        },
        "rollout": chance.choice(("rolling", "rolling", "canary", "blue-green")),
    }
    if chance.random() < 0.3:
        block["clients"] = ["web"]
    if chance.random() < 0.1:
        block["pod"] = {"nodeSelector": {"kubernetes.io/arch": "arm64"}}
    return block


def _smaller(block: Mapping[str, Any]) -> dict[str, Any]:
    del block
    return {"serve": {"replicas": {"min": 1, "max": 2}, "rollout": "rolling"}}


def _pins(served: list[str], share: float, chance: random.Random) -> dict[str, str]:
    return {name: f"1.{chance.randrange(0, 3)}.0" for name in served if chance.random() < share}


def _record(model: str, version: str) -> dict[str, Any]:
    digest = hashlib.sha256(f"{model}@{version}".encode()).hexdigest()
    return {
        "apiVersion": "lockgate.dev/v1",
        "model": model,
        "version": version,
        "commit": digest[:40],
        "released": "2026-11-03T02:00:00Z",
        "bump": "minor",
        "reason": "the code or the settings that the model is made of changed",
        "author": "Ada <ada@example.com>",
        "image": f"ghcr.io/acme/{model}@sha256:{digest}",
        "artifact_sha256": digest,
        "spec_sha256": digest,
        "recipe_sha256": digest,
        "hashes": {"model": f"{digest[:32]}.dir", "data": {f"data/{model}.parquet": digest[:32]}},
        "signature": {
            "kind": "regression",
            "target": "outcome",
            "inputs": [{"name": f"column_{it}", "type": "number", "nullable": False} for it in range(10)],
        },
        "metrics": {
            "latency_p99": {"value": 0.002, "better": "lower", "unit": "s"},
            "model_size": {"value": 1_048_576, "better": "lower", "unit": "bytes"},
        },
        "verdict": "pass",
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
