"""What a model was made of, from its pipeline's lock and its signature: what decides its next version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from lockgate.cli.dvc.lock import Inputs, Lock, hash_of, made_of
from lockgate.contract import MODEL_DIRECTORY, RAW, Signature, artifact_path
from lockgate.plan.model import Pipeline, Plan
from lockgate.plan.stages import code_paths
from lockgate.registry.past import OUTPUT_KEYS
from lockgate.registry.past import made_of as made
from lockgate.registry.versions import Made

_INPUT_KEYS = ("name", "type", "nullable", "min", "max")


def made_by(plan: Plan, pipeline: Pipeline, lock: Lock, signature: Signature) -> Made:
    """Of the model that the lock names."""
    inputs = made_of(lock, artifact_path(pipeline.name, MODEL_DIRECTORY))
    code = hashes_by_kind(plan, pipeline, lock, inputs)["code"]
    return made(recorded_signature(signature), recipe_sha256(pipeline.name, inputs, code))


def recorded_signature(signature: Signature) -> dict[str, Any]:
    """What a record holds of a signature: what callers send and get."""
    said: dict[str, Any] = {key: signature.get(key) for key in OUTPUT_KEYS if signature.get(key)}
    said["inputs"] = [
        {key: it[key] for key in _INPUT_KEYS if key in it} for it in map(dict, signature["inputs"])
    ]
    return said


def hashes_by_kind(plan: Plan, pipeline: Pipeline, lock: Lock, inputs: Inputs) -> dict[str, dict[str, str]]:
    """DVC's hashes of what the model was made of: data, code and locked requirements, by path."""
    requirements = pipeline.model.requirements or plan.spec.project.requirements
    code = set(code_paths(pipeline.model))
    read = {path for stage in lock.values() for path in stage.deps}
    found: dict[str, dict[str, str]] = {"data": {}, "code": {}, "requirements": {}}
    for path, digest in sorted(inputs):
        if path in read:
            kind = "requirements" if path == requirements else "code" if path in code else "data"
            found[kind][path] = digest
    raw = artifact_path(pipeline.name, RAW)
    ingested = hash_of(lock, raw)
    return {**found, "data": {**found["data"], **({raw: ingested} if ingested else {})}}


def recipe_sha256(model: str, inputs: Inputs, code: Mapping[str, str]) -> str:
    """Over commands, parameters and code; not over the data, the day that moves with it, nor requirements."""
    window = f"models.{model}.data.as_of"
    recipe = [
        [name, _without(value, window)]
        for name, value in sorted(inputs)
        if name.endswith((" params", " command"))
    ]
    return canonical_sha256([recipe, dict(code)])


def canonical_sha256(data: object) -> str:
    """Over the data as JSON with sorted keys."""
    return sha256(json.dumps(data, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _without(params: str, key: str) -> Any:  # noqa: ANN401 - as DVC wrote it
    values = json.loads(params)
    if isinstance(values, dict):
        return {
            file: {k: v for k, v in kept.items() if k != key} if isinstance(kept, dict) else kept
            for file, kept in values.items()
        }
    return values
