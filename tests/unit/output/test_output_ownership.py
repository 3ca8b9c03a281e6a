"""The record of owned files as hostile input: one clear finding, nothing written anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lockgate.output import compare, diagnose, write
from lockgate.output.ownership import FILE, Ownership, dump, read_ownership

HASH = "0" * 64


def record(root: Path, text: str | bytes) -> Path:
    path = root / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problems(root: Path) -> list[str]:
    found = diagnose(compare(root, {}))
    assert {(it.rule, it.file) for it in found} <= {("ownership-file", FILE)}
    assert all(it.help for it in found)
    return [it.message for it in found]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/etc/passwd", "the path is absolute"),
        ("pipelines/../../etc/passwd", "the path has an empty part, '.' or '..'"),
        ("pipelines//x", "the path has an empty part, '.' or '..'"),
        ("pipelines/", "the path has an empty part, '.' or '..'"),
        ("", "the path has an empty part, '.' or '..'"),
        ("pipelines/.GIT/config", "the path is inside '.git'"),
        (".git/config", "the path is inside '.git'"),
        ("README.md", "generated files are only in .github/, pipelines/, manifests/"),
        ("mlops.yaml", "generated files are only in .github/, pipelines/, manifests/"),
    ],
)
@pytest.mark.parametrize("section", ["files", "ejected", "pending"])
def test_a_path_that_no_generated_file_has_is_refused(
    tmp_path: Path, section: str, path: str, reason: str
) -> None:
    record(tmp_path, json.dumps({"version": 1, section: {path: HASH}}))
    assert problems(tmp_path) == [f"found '{path}' under \"{section}\": {reason}"]


@pytest.mark.parametrize(
    "path", ["pipelines\\x", "pipelines/\x1b[31m", "pipelines/\ud800", "pipelines/" + "x" * 600]
)
def test_a_path_of_strange_characters_or_length_is_refused_and_shown_harmless(
    tmp_path: Path, path: str
) -> None:
    record(tmp_path, json.dumps({"version": 1, "files": {path: HASH}}))
    (message,) = problems(tmp_path)
    assert "at most 500 printable characters and no backslash" in message
    assert message.isprintable()
    assert len(message) < 250


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], 'expected a JSON object with "version": 1'),
        ({}, 'expected a JSON object with "version": 1'),
        ({"version": 2}, 'expected a JSON object with "version": 1'),
        ({"version": 1, "files": ["x"]}, 'expected an object under "files", found list'),
        ({"version": 1, "ejected": None}, 'expected an object under "ejected", found NoneType'),
        (
            {"version": 1, "files": {"pipelines/x": 5}},
            "found 'pipelines/x' under \"files\": expected its SHA-256 as 64 hexadecimal digits",
        ),
        (
            {"version": 1, "files": {"pipelines/x": HASH + "\n"}},
            "found 'pipelines/x' under \"files\": expected its SHA-256 as 64 hexadecimal digits",
        ),
    ],
)
def test_a_record_of_the_wrong_shape_is_refused(tmp_path: Path, document: object, message: str) -> None:
    record(tmp_path, json.dumps(document))
    assert problems(tmp_path) == [message]


@pytest.mark.parametrize(
    "text", [b"{", b"\xff\xfe{}", b"[" * 100_000, b'{"version": ' + b"1" * 5000 + b"}", b""]
)
def test_what_is_no_json_is_refused(tmp_path: Path, text: bytes) -> None:
    record(tmp_path, text)
    assert len(problems(tmp_path)) == 1


def test_an_unfinished_merge_is_named(tmp_path: Path) -> None:
    record(tmp_path, '{\n<<<<<<< HEAD\n"a": 1\n=======\n"a": 2\n>>>>>>> other\n}\n')
    assert problems(tmp_path) == ["found the marks of an unfinished merge"]


def test_a_huge_record_is_not_read(tmp_path: Path) -> None:
    with record(tmp_path, "").open("wb") as stream:
        stream.truncate(33 * 1024 * 1024)
    assert problems(tmp_path) == ["found more than 32 MB, expected a list of files"]


def test_a_record_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text('{"version": 1, "files": {}}')
    (tmp_path / ".lockgate").mkdir()
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere.json")
    assert problems(tmp_path) == ["found a symbolic link, expected a file of its own"]


def test_a_recorded_file_behind_a_link_is_refused_and_stays(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "x").write_text("")
    (root / "pipelines").symlink_to(outside)
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    record(root, json.dumps({"version": 1, "files": {"pipelines/x": empty}}))
    comparison = compare(root, {})
    assert [it.rule for it in diagnose(comparison)] == ["ownership-file", "file-orphan"]
    with pytest.raises(AssertionError):
        write(root, comparison)
    assert (outside / "x").exists()


def test_no_record_is_an_empty_one(tmp_path: Path) -> None:
    assert read_ownership(tmp_path) == (Ownership(), ())


def test_the_record_is_sorted_with_a_path_a_line_and_reads_back(tmp_path: Path) -> None:
    ownership = Ownership(files={"pipelines/b": HASH, "pipelines/a": HASH}, ejected={"manifests/ü": HASH})
    text = dump(ownership)
    assert text == (
        '{\n  "ejected": {\n'
        f'    "manifests/ü": "{HASH}"\n'
        '  },\n  "files": {\n'
        f'    "pipelines/a": "{HASH}",\n'
        f'    "pipelines/b": "{HASH}"\n'
        '  },\n  "version": 1\n}\n'
    )
    record(tmp_path, text)
    assert read_ownership(tmp_path) == (ownership, ())
