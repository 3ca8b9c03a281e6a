"""`lockgate check` holds records to the published schema: those that are pinned, and each model's newest."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import edit, git

HELP = "records are written at release and never edited: restore the file from Git"


@pytest.fixture
def record(released: Path) -> Path:
    """Iris' newest, which nothing vouches for and nothing pins."""
    git(released, "tag", "--delete", "iris@v1.0.1")
    return released / "registry" / "iris" / "1.0.1.yaml"


@pytest.mark.parametrize(
    ("old", "new", "at", "message"),
    [
        ("bump: patch", "bump: huge", "bump: huge", "'bump' cannot be 'huge'"),
        ("bump: patch", "bump: patch\nmood: good", "mood: good", "unknown key 'mood'"),
        ("kind: binary", "kind: ternary", "kind: ternary", "'signature.kind' cannot be 'ternary'"),
        ("target: ", "#", "signature:", "'target' is missing in 'signature'"),
    ],
)
def test_a_record_of_another_form_is_told_with_its_place(
    record: Path, lockgate: Lockgate, old: str, new: str, at: str, message: str
) -> None:
    replace(record, old, new)
    done = lockgate("check")
    first, *rest = done.err.splitlines()
    assert (done.code, rest) == (1, [f"   = help: {HELP}", "", "1 error"])
    assert first.endswith(f": error: {message} [record-form]")
    line = int(first.split(":")[1])
    assert record.read_text().splitlines()[line - 1].strip() == at


def test_a_record_that_is_no_yaml_is_told(record: Path, lockgate: Lockgate) -> None:
    replace(record, "commit: ", "commit: [")
    assert "registry/iris/1.0.1.yaml:" in lockgate("check").err


def test_a_pinned_record_of_another_form_is_told_once(
    record: Path, released: Path, lockgate: Lockgate
) -> None:
    edit(released, "environments:\n", "deployments: {staging: {iris: 1.0.1}}\nenvironments:\n")
    replace(record, "artifact_sha256: ", "artifact_sha256: x")
    assert lockgate("check").err == (
        "registry/iris/1.0.1.yaml: error: 'artifact_sha256' has to be 64 hexadecimal digits [record-form]\n"
        f"   = help: {HELP}\n\n1 error\n"
    )


def replace(record: Path, old: str, new: str) -> None:
    text = record.read_text()
    assert old in text
    record.write_text(text.replace(old, new, 1))
