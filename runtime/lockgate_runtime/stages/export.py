"""The stage that makes what is served: the estimator as ONNX, or else as a skops file, held against the estimator.

With it go the signature and the reference bins. What differs from the estimator, or is slow, shows here first.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lockgate import contract
from lockgate.contract.sums import sums_of
from lockgate_runtime.stages import onnx_model, skops_model
from lockgate_runtime.stages.features import to_features
from lockgate_runtime.stages.files import artifact, file_sha256, read_frame, read_json, replacing, write_json
from lockgate_runtime.stages.predictor import (
    SkopsPredictor,
    estimator_outputs,
    load_estimator,
    load_predictor,
    onnx_predictor,
)
from lockgate_runtime.stages.reference import reference_of
from lockgate_runtime.stages.served_latency import measured_under_load
from lockgate_runtime.stages.shown import shown
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd
    from numpy.typing import NDArray

    from lockgate.spec.model import Model, Spec
    from lockgate_runtime.stages.predictor import Predictor

_WARM_UP_ROWS = 50
_TIMED_ROWS = 2000
_LEAST_TIMED_ROWS = 20
_TIMED_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """What the exported model is made from and held against: `expected` is of the estimator, on `features`."""

    estimator: Any
    signature: contract.Signature
    features: pd.DataFrame
    expected: NDArray[np.float64]
    scale: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Exported:
    format: Literal["onnx", "skops"]
    data: bytes
    outputs: NDArray[np.float64]
    fallback_reason: str | None


def run(spec: Spec, model: Model, root: Path) -> str:
    """Write MODEL_DIRECTORY, EXPORT and LATENCY."""
    del spec
    training: contract.Training = read_json(artifact(model, root, contract.TRAINING))
    source = _source(model, training, root)
    exported = _exported(model, source)
    directory = artifact(model, root, contract.MODEL_DIRECTORY)
    train = read_frame(artifact(model, root, contract.TRAIN))
    reference = reference_of(to_features(train, training["inputs"]), exported.outputs, source.signature)
    sums = _write_model(directory, exported, source.signature, reference)
    result = _export(model, source, exported, sums)
    latency = measure_latency(load_predictor(directory, model.export.trusted), source.features)
    latency = measured_under_load(model, latency, root)
    write_json(artifact(model, root, contract.EXPORT), result)
    write_json(artifact(model, root, contract.LATENCY), latency)
    return _summary(result, latency)


def _source(model: Model, training: contract.Training, root: Path) -> _Source:
    holdout = read_frame(artifact(model, root, contract.HOLDOUT))
    features = to_features(holdout, training["inputs"])
    estimator = load_estimator(model, root)
    return _Source(
        estimator=estimator,
        signature=_signature(model, training),
        features=features,
        expected=estimator_outputs(estimator, features, training["kind"], root),
        scale=_scale(holdout[model.data.target], training),
    )


def _signature(model: Model, training: contract.Training) -> contract.Signature:
    binary = training["kind"] == "binary"
    return contract.Signature(
        model=model.name,
        kind=training["kind"],
        target=model.data.target,
        inputs=training["inputs"],
        classes=training["classes"],
        positive=training["classes"][1] if binary else None,
        threshold=model.evaluate.threshold if binary else None,
    )


def _scale(target: pd.Series[Any], training: contract.Training) -> float:
    """In what a difference is counted: probability, or the target's standard deviation."""
    if training["kind"] != "regression":
        return 1.0
    return float(target.to_numpy(np.float64).std()) or 1.0


def _exported(model: Model, source: _Source) -> _Exported:
    """ONNX where the spec allows it and the estimator does, else skops with the reason."""
    if model.export.format == "skops":
        return _as_skops(model, source, None)
    try:
        return _as_onnx(model, source)
    except StageError as error:
        if model.export.format == "onnx":
            raise
        return _as_skops(model, source, str(error))


def _as_onnx(model: Model, source: _Source) -> _Exported:
    data = onnx_model.to_onnx(source.estimator, source.signature["inputs"], source.signature["kind"])
    outputs = _outputs(onnx_predictor(data, source.signature), source)
    exported = _Exported(format="onnx", data=data, outputs=outputs, fallback_reason=None)
    _refuse_difference(model, parity_of(source.expected, outputs, source.scale, model))
    return exported


def _as_skops(model: Model, source: _Source, reason: str | None) -> _Exported:
    data = skops_model.dumps(source.estimator)
    try:
        estimator = skops_model.loads(data, model.export.trusted)
    except StageError as error:
        if reason is None:
            raise
        raise StageError(f"{reason}; and {error}", error.help) from error
    predictor = SkopsPredictor(estimator=estimator, signature=source.signature)
    outputs = _outputs(predictor, source)
    _refuse_difference(model, parity_of(source.expected, outputs, source.scale, model))
    return _Exported(format="skops", data=data, outputs=outputs, fallback_reason=reason)


def _outputs(predictor: Predictor, source: _Source) -> NDArray[np.float64]:
    try:
        outputs = predictor.predict(source.features)
    except Exception as error:  # The exported model's own libraries raise types that share no base.
        raise StageError(
            f"the exported model fails on the holdout: {error}", "see 'export.format'"
        ) from error
    if outputs.shape != source.expected.shape:
        raise StageError(
            f"the exported model's outputs have the shape {outputs.shape}, the estimator's {source.expected.shape}",
            "use 'export.format: skops'",
        )
    return outputs


def parity_of(
    expected: NDArray[np.float64], outputs: NDArray[np.float64], scale: float, model: Model
) -> contract.Parity:
    """How far the outputs differ by row, in units of `scale`; a number against NaN differs by 1."""
    difference = np.nan_to_num(np.abs(expected - outputs) / scale, nan=1.0)
    difference[np.isnan(expected) & np.isnan(outputs)] = 0.0
    by_row = difference.reshape(len(difference), -1).max(axis=1)
    return contract.Parity(
        rows=len(by_row),
        max_abs_difference=float(by_row.max(initial=0.0)),
        tolerance=model.export.tolerance,
        beyond_tolerance=int((by_row > model.export.tolerance).sum()),
        max_disagreement=model.export.max_disagreement,
    )


def _refuse_difference(model: Model, parity: contract.Parity) -> None:
    if parity["beyond_tolerance"] <= model.export.max_disagreement * parity["rows"]:
        return
    raise StageError(
        f"the exported model differs from the estimator by more than {parity['tolerance']:g} on "
        f"{parity['beyond_tolerance']:,} of {parity['rows']:,} holdout rows (at most "
        f"{parity['max_abs_difference']:.3g}), more than the share of {parity['max_disagreement']:g} allowed",
        "use 'export.format: skops'; a scaler before trees often causes it, and a forest that is given missing values",
    )


def _write_model(
    directory: Path, exported: _Exported, signature: contract.Signature, reference: contract.Reference
) -> bytes:
    """Returns what SHA256SUMS holds; it comes last, so that what it lists is whole."""
    if directory.is_dir() and not directory.is_symlink():
        shutil.rmtree(directory)  # Nothing of an earlier run may be released with this one.
    with replacing(directory / _file_name(exported)) as temporary:
        temporary.write_bytes(exported.data)
    write_json(directory / contract.SIGNATURE, signature)
    write_json(directory / contract.REFERENCE, reference)
    names = (_file_name(exported), contract.SIGNATURE, contract.REFERENCE)
    sums = sums_of({name: file_sha256(directory / name) for name in names})
    with replacing(directory / contract.SHA256SUMS) as temporary:
        temporary.write_bytes(sums)
    return sums


def _export(model: Model, source: _Source, exported: _Exported, sums: bytes) -> contract.Export:
    return contract.Export(
        format=exported.format,
        file=_file_name(exported),
        sha256=hashlib.sha256(exported.data).hexdigest(),
        artifact_sha256=contract.artifact_sha256(sums),
        size_bytes=len(exported.data),
        parity=parity_of(source.expected, exported.outputs, source.scale, model),
        fallback_reason=exported.fallback_reason,
        trusted=list(model.export.trusted),
    )


def _file_name(exported: _Exported) -> str:
    return contract.ONNX_MODEL if exported.format == "onnx" else contract.SKOPS_MODEL


def measure_latency(predictor: Predictor, features: pd.DataFrame) -> contract.Latency:
    """Time single rows from Python values to outputs, for at most about five seconds after the warm-up."""
    rows = list(features.head(_TIMED_ROWS).itertuples(index=False, name=None))
    until = time.perf_counter() + _TIMED_SECONDS
    for row in rows[:_WARM_UP_ROWS]:
        predictor.predict_row(row)
    times: list[float] = []
    for row in rows:
        start = time.perf_counter()
        if start > until and len(times) >= _LEAST_TIMED_ROWS:
            break
        predictor.predict_row(row)
        times.append(time.perf_counter() - start)
    p50, p99 = np.quantile(times, [0.5, 0.99])
    return contract.Latency(rows=len(times), p50=float(p50), p99=float(p99))


def _summary(result: contract.Export, latency: contract.Latency) -> str:
    fallback = "" if result["fallback_reason"] is None else ", as ONNX was not possible"
    return (
        f"{result['format']}{fallback}, {result['size_bytes']:,} bytes, equal to the estimator on "
        f"{result['parity']['rows'] - result['parity']['beyond_tolerance']:,} of {result['parity']['rows']:,} rows, "
        f"{shown(latency['p99'], 's')} at the 99th percentile{_served(latency)}"
    )


def _served(latency: contract.Latency) -> str:
    return f", {shown(latency['served_p99'], 's')} under load" if "served_p99" in latency else ""
