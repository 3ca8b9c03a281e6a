"""A folder that is whole is served; one that was changed, exchanged or cut off is refused before anything is loaded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.server.trained import train, write_sums

from lockgate import contract
from lockgate_runtime.server.artifact import ArtifactError, load, read_model


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("whole") / "model").folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """A copy that the test may change."""
    return Path(shutil.copytree(whole, tmp_path / "model"))


def refusal(folder: Path, expected_sha256: str | None = None) -> str:
    with pytest.raises(ArtifactError) as caught:
        load(folder, expected_sha256)
    assert caught.value.help
    return caught.value.message.replace(f"{folder}", "DIR")


def test_a_whole_folder_is_loaded_by_its_hash(folder: Path) -> None:
    sha256 = contract.artifact_sha256((folder / contract.SHA256SUMS).read_bytes())
    artifact = load(folder, sha256.upper())
    assert (artifact.sha256, artifact.format, artifact.model) == (sha256, "onnx", folder / "model.onnx")
    assert read_model(artifact) == (folder / "model.onnx").read_bytes()
    assert artifact.signature["inputs"][1] == {
        "name": "how far",
        "type": "number",
        "nullable": False,
        "min": 0,
    }


def test_another_artifact_than_the_expected_is_refused(folder: Path) -> None:
    assert refusal(folder, "0" * 64).endswith(f"expected '{'0' * 64}': it is another model")


@pytest.mark.parametrize("name", ["model.onnx", "signature.json", "reference.json"])
def test_a_file_that_was_changed_is_refused(folder: Path, name: str) -> None:
    with (folder / name).open("ab") as stream:
        stream.write(b" ")
    assert refusal(folder).startswith(f"'DIR/SHA256SUMS' lists '{name}' with ")


def test_a_model_that_changes_after_the_check_is_refused(folder: Path) -> None:
    artifact = load(folder, None)
    (folder / "model.onnx").write_bytes(b"other")
    with pytest.raises(ArtifactError, match="changed while it was loaded"):
        read_model(artifact)


def test_what_is_missing_is_named(folder: Path) -> None:
    (folder / "reference.json").unlink()
    assert refusal(folder) == "'DIR/SHA256SUMS' lists 'reference.json', which is not there"
    (folder / "SHA256SUMS").unlink()
    assert refusal(folder) == "'DIR' has no 'SHA256SUMS'"
    assert refusal(folder / "absent") == "'DIR' is not a folder"


@pytest.mark.parametrize("text", ["", "x", "../etc/passwd\n", f"{'0' * 64}  ../../etc/passwd\n"])
def test_a_list_of_hashes_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "SHA256SUMS").write_text(text)
    assert refusal(folder) == "'DIR/SHA256SUMS' is no list of hashes"


def test_two_models_are_one_too_many(folder: Path) -> None:
    (folder / "model.skops").write_bytes(b"")
    write_sums(folder)
    assert refusal(folder) == "'DIR' lists model.onnx and model.skops, expected 'model.onnx' or 'model.skops'"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"kind": "binary"',
            '"kind": "ranking"',
            "is not of the form this version reads: Invalid enum value",
        ),
        ('"name": "zone"', '"name": "line"', "has no input, or one name twice"),
        ('"positive": "yes"', '"positive": "no"', "names another class than the last as the positive one"),
        ('"no",', '"yes",', "lists 2 classes for a binary model"),
        ('"name": "zone"', '"name": "zones"', "has bins that do not fit the inputs"),
    ],
)
def test_a_signature_that_cannot_be_served_is_refused(folder: Path, old: str, new: str, message: str) -> None:
    path = folder / "signature.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    write_sums(folder)
    assert message in refusal(folder)
