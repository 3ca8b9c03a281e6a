"""A folder with an exported model → what to serve, held to its hashes; a folder that was changed is refused."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from lockgate import contract
from lockgate.contract.sums import differences, hashes_in

_FORMATS: dict[str, Literal["onnx", "skops"]] = {contract.ONNX_MODEL: "onnx", contract.SKOPS_MODEL: "skops"}
_SUMS_BYTES = 10_000
_JSON_BYTES = 64_000_000
_EXPORT_AGAIN = "export the model again, or fetch its folder again"
_Shape = TypeVar("_Shape")


class ArtifactError(Exception):
    """Why the folder is not served, and the next step."""

    def __init__(self, message: str, help_: str) -> None:
        super().__init__(message)
        self.message = message
        self.help = help_


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """`sha256` is the artifact's hash, `model_sha256` that of the model's file."""

    signature: contract.Signature
    reference: contract.Reference
    sha256: str
    model: Path
    model_sha256: str
    format: Literal["onnx", "skops"]


def load(directory: Path, expected_sha256: str | None) -> Artifact:
    """What the folder holds. Raises `ArtifactError` where it is not whole, or not the artifact expected."""
    sums = _sums(directory)
    sha256 = contract.artifact_sha256(sums)
    if expected_sha256 is not None and sha256 != expected_sha256.strip().lower():
        raise ArtifactError(
            f"the artifact's hash is '{sha256}', expected '{expected_sha256}': it is another model",
            "serve the folder that was released, or pass its own hash to '--artifact-sha256'",
        )
    hashes = hashes_in(sums)
    if hashes is None:
        raise ArtifactError(f"'{directory / contract.SHA256SUMS}' is no list of hashes", _EXPORT_AGAIN)
    model = _model_name(directory, hashes)
    _refuse_changed(directory, hashes, model)
    signature = _shaped(directory / contract.SIGNATURE, hashes, contract.Signature)
    reference = _shaped(directory / contract.REFERENCE, hashes, contract.Reference)
    _refuse_odd(directory, signature, reference)
    return Artifact(
        signature=signature,
        reference=reference,
        sha256=sha256,
        model=directory / model,
        model_sha256=hashes[model],
        format=_FORMATS[model],
    )


def read_model(artifact: Artifact) -> bytes:
    """The bytes of the model's file, which may have been exchanged since `load`: then an `ArtifactError`."""
    data = _read(artifact.model)
    if hashlib.sha256(data).hexdigest() != artifact.model_sha256:
        raise ArtifactError(f"'{artifact.model}' changed while it was loaded", _EXPORT_AGAIN)
    return data


def _sums(directory: Path) -> bytes:
    if not directory.is_dir():
        raise ArtifactError(
            f"'{directory}' is not a folder", "name the folder of an exported model with '--model'"
        )
    path = directory / contract.SHA256SUMS
    if not path.is_file():
        raise ArtifactError(f"'{directory}' has no '{contract.SHA256SUMS}'", "export the model again")
    with path.open("rb") as stream:
        return stream.read(_SUMS_BYTES)


def _model_name(directory: Path, hashes: dict[str, str]) -> str:
    models = sorted(_FORMATS.keys() & hashes.keys())
    if len(models) != 1:
        raise ArtifactError(
            f"'{directory}' lists {' and '.join(models) or 'no model'}, expected '{contract.ONNX_MODEL}' or "
            f"'{contract.SKOPS_MODEL}'",
            _EXPORT_AGAIN,
        )
    return models[0]


def _refuse_changed(directory: Path, hashes: dict[str, str], model: str) -> None:
    """Of the folder only these files are read; whatever else lies there plays no part."""
    names = (model, contract.SIGNATURE, contract.REFERENCE)
    found = {name: _sha256(directory / name) for name in names if (directory / name).is_file()}
    wrong = next(differences(hashes, found), None)
    if wrong is not None:
        raise ArtifactError(f"'{directory / contract.SHA256SUMS}' {wrong}", _EXPORT_AGAIN)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(path, error) from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> ArtifactError:
    return ArtifactError(f"'{path}' cannot be read: {error.strerror}", "make it readable for this user")


def _shaped(path: Path, hashes: dict[str, str], shape: type[_Shape]) -> _Shape:
    if path.stat().st_size > _JSON_BYTES:
        raise ArtifactError(f"'{path}' has more than {_JSON_BYTES:,} bytes", _EXPORT_AGAIN)
    data = _read(path)
    if hashlib.sha256(data).hexdigest() != hashes[path.name]:
        raise ArtifactError(f"'{path}' changed while it was loaded", _EXPORT_AGAIN)
    try:
        return msgspec.json.decode(data, type=shape)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise ArtifactError(
            f"'{path}' is not of the form this version reads: {error}", _EXPORT_AGAIN
        ) from error


def _refuse_odd(directory: Path, signature: contract.Signature, reference: contract.Reference) -> None:
    """What has the right form and yet cannot be served or counted."""
    names = [it["name"] for it in signature["inputs"]]
    classes = signature["classes"]
    least = {"binary": 2, "multiclass": 2, "regression": 0}[signature["kind"]]
    if not names or len(set(names)) < len(names):
        raise _odd(directory, "inputs", "has no input, or one name twice")
    if len(classes) < least or len(set(classes)) < len(classes):
        raise _odd(directory, "classes", f"lists {len(classes)} classes for a {signature['kind']} model")
    if signature["kind"] == "binary" and signature["positive"] != classes[-1]:
        raise _odd(directory, "positive", "names another class than the last as the positive one")
    histograms: dict[str, Any] = {**reference["features"], "predictions": reference["predictions"]}
    if set(names) - set(reference["features"]) or not all(map(_is_whole, histograms.values())):
        raise _odd(directory, "reference", "has bins that do not fit the inputs")


def _is_whole(histogram: contract.Histogram) -> bool:
    bins = len(histogram["edges"]) + 1 if "edges" in histogram else len(histogram.get("values", ())) + 1
    return len(histogram["counts"]) == bins + 1


def _odd(directory: Path, what: str, message: str) -> ArtifactError:
    return ArtifactError(f"the model in '{directory}' {message} ({what})", _EXPORT_AGAIN)
