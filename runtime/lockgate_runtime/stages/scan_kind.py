"""What bytes are, whatever the file is called: by their first bytes, and by what can read them without running them."""

from __future__ import annotations

import io
import json
import pickletools
import zipfile

import onnx

from lockgate.contract.sums import hashes_in

_MAGIC = (
    (b"\x7fELF", "an ELF program"),
    (b"MZ", "a Windows program"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program"),
    (b"#!", "a script"),
    (b"\x89HDF\r\n\x1a\n", "HDF5 (Keras)"),
    (b"\x93NUMPY", "a numpy array"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x28\xb5\x2f\xfd", "zstandard"),
    (b"ZF", "a joblib pickle"),
    (b"\x78\x01", "a zlib stream (joblib)"),
    (b"\x78\x5e", "a zlib stream (joblib)"),
    (b"\x78\x9c", "a zlib stream (joblib)"),
    (b"\x78\xda", "a zlib stream (joblib)"),
    (b"PAR1", "Parquet"),
    (b"GGUF", "GGUF"),
)
_ZIP_MEMBERS = (
    ("schema.json", "skops"),
    ("data.pkl", "a PyTorch file, which holds a pickle"),
    ("model.weights.h5", "a Keras file, which may hold code"),
)
_PICKLE_BYTES = 1_000_000
_SUMS_BYTES = 10_000


def kind_of(data: bytes) -> str:
    """`onnx`, `skops`, `json` or `checksums` for what may be a model's file; else what it is, as a noun for people."""
    if not data:
        return "nothing"
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data.startswith(b"PK"):
        return _zip_kind(data)
    readers = (("json", _is_json), ("checksums", _is_sums), ("a pickle", _is_pickle), ("onnx", _is_onnx))
    return next((kind for kind, reads in readers if reads(data)), "an unknown format")


def _zip_kind(data: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = {name.rpartition("/")[2] for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError):
        return "a broken zip"
    return next((kind for member, kind in _ZIP_MEMBERS if member in names), "a zip")


def _is_json(data: bytes) -> bool:
    if data[:1] not in b"{[":
        return False
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True


def _is_sums(data: bytes) -> bool:
    return len(data) <= _SUMS_BYTES and hashes_in(data) is not None


def _is_pickle(data: bytes) -> bool:
    """From protocol 2 on a pickle opens with its protocol; before, what parses to its end as opcodes is one."""
    if data[0] == 0x80 and len(data) > 1 and data[1] <= 5:
        return True
    try:
        for _ in pickletools.genops(data[:_PICKLE_BYTES]):
            pass
    except Exception:  # noqa: BLE001 - the reader of opcodes raises anything on what is none
        return False
    return True


def _is_onnx(data: bytes) -> bool:
    try:
        return bool(onnx.load_model_from_string(data).ir_version)
    except Exception:  # noqa: BLE001 - the protobuf library's error has no one public name
        return False
