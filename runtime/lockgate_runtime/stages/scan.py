"""The stage that distrusts the exported model: every file's bytes against what its name promises; it fails closed.

Nothing is unpickled, and nothing that a file names is imported. Refusing is data here: the stage `gate` blocks on it.
"""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from lockgate import contract
from lockgate.contract.sums import differences, hashes_in
from lockgate_runtime.stages.files import file_sha256, write_json
from lockgate_runtime.stages.scan_json import json_findings
from lockgate_runtime.stages.scan_kind import kind_of
from lockgate_runtime.stages.scan_onnx import onnx_findings
from lockgate_runtime.stages.scan_skops import skops_findings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lockgate.spec.model import Model, Spec

_EXPECTED = {
    contract.ONNX_MODEL: "onnx",
    contract.SKOPS_MODEL: "skops",
    contract.SIGNATURE: "json",
    contract.REFERENCE: "json",
    contract.SHA256SUMS: "checksums",
}
_ALWAYS = (contract.SIGNATURE, contract.REFERENCE, contract.SHA256SUMS)
_MOST_BYTES = 2_000_000_000  # Protobuf, and so ONNX, ends at 2 GiB.


def run(spec: Spec, model: Model, root: Path) -> str:
    """Write SCAN. Succeeds whatever is found."""
    del spec
    directory = root / contract.artifact_path(model.name, contract.MODEL_DIRECTORY)
    scan = scan_directory(directory, model.export.trusted)
    write_json(root / contract.artifact_path(model.name, contract.SCAN), scan)
    findings = sum(len(file["findings"]) for file in scan["files"])
    count = len(scan["files"])
    return (
        f"{count} files, nothing found"
        if scan["passed"]
        else f"{count} files, refused for {findings} findings"
    )


def scan_directory(directory: Path, trusted: Sequence[str]) -> contract.Scan:
    """Judge every file of the exported model; `trusted` are the types that the spec allows in a skops file."""
    try:
        files = _scan(directory, trusted)
    except OSError as error:
        files = [_refused(directory.name, "unreadable", f"cannot be read: {error.strerror or error}")]
    return contract.Scan(passed=not any(file["findings"] for file in files), files=files)


def _scan(directory: Path, trusted: Sequence[str]) -> list[contract.ScannedFile]:
    if directory.is_symlink():
        return [_refused(directory.name, "symbolic link", _LINK)]
    if not directory.is_dir():
        return [_refused(directory.name, "missing", "is not a directory: run the stage 'export'")]
    paths = sorted(directory.iterdir())
    files = [_scan_path(path, trusted) for path in paths]
    if contract.SHA256SUMS in (path.name for path in paths):
        files = _held_to_sums(directory / contract.SHA256SUMS, files)
    return [*files, *_missing({path.name for path in paths})]


def _held_to_sums(path: Path, files: Sequence[contract.ScannedFile]) -> list[contract.ScannedFile]:
    """The same, with what is wrong with the list of hashes; it is not held to files that were not read."""
    sums = next(file for file in files if file["path"] == path.name)
    if sums["findings"]:
        return list(files)
    found = {file["path"]: file["sha256"] for file in files if file["path"] in _EXPECTED and file is not sums}
    listed = hashes_in(path.read_bytes()) or {}
    unread = {name for name, digest in found.items() if not digest}
    findings = list(differences(_without(listed, unread), _without(found, unread)))
    return [{**file, "findings": findings} if file is sums else file for file in files]


def _without(hashes: Mapping[str, str], names: set[str]) -> dict[str, str]:
    return {name: digest for name, digest in hashes.items() if name not in names}


def _missing(names: set[str]) -> list[contract.ScannedFile]:
    models = sorted(names & {contract.ONNX_MODEL, contract.SKOPS_MODEL})
    wanted = [name for name in _ALWAYS if name not in names]
    files = [_refused(name, "missing", "is missing: run the stage 'export'") for name in wanted]
    if not models:
        files.append(_refused(contract.ONNX_MODEL, "missing", "there is no model: run the stage 'export'"))
    if len(models) > 1:
        files.append(_refused("model", "two models", f"expected one model, found {' and '.join(models)}"))
    return files


def _scan_path(path: Path, trusted: Sequence[str]) -> contract.ScannedFile:
    name = path.name.encode(errors="backslashreplace").decode()
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return _refused(name, "symbolic link", _LINK)
    if not stat.S_ISREG(mode):
        kind = "directory" if stat.S_ISDIR(mode) else "special file"
        return _refused(name, kind, f"is a {kind}; expected plain files only")
    size = path.lstat().st_size
    if size > _MOST_BYTES:
        return _refused(name, "unread", f"has {size:,} bytes; at most {_MOST_BYTES:,} are read")
    data = path.read_bytes()
    kind = kind_of(data)
    findings = _findings(name, kind, data, trusted)
    return contract.ScannedFile(
        path=name, sha256=file_sha256(path), size_bytes=size, format=kind, findings=findings
    )


def _findings(name: str, kind: str, data: bytes, trusted: Sequence[str]) -> list[str]:
    expected = _EXPECTED.get(name)
    if expected is None:
        return [f"is not a file of an exported model; those are {', '.join(sorted(_EXPECTED))}"]
    if kind != expected:
        return [f"holds {kind}, expected {expected}"]
    try:
        if expected == "onnx":
            return onnx_findings(data)
        if expected == "skops":
            return skops_findings(data, trusted)
        return json_findings(data) if expected == "json" else []
    except Exception as error:  # noqa: BLE001 - what cannot be judged is refused, whatever the reason
        return [f"could not be judged: {type(error).__name__}: {str(error)[:200]}"]


_LINK = (
    "is a symbolic link, which could point anywhere; have DVC copy or hard-link: dvc config cache.type copy"
)


def _refused(name: str, kind: str, finding: str) -> contract.ScannedFile:
    return contract.ScannedFile(path=name, sha256="", size_bytes=0, format=kind, findings=[finding])
