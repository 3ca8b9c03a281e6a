"""Artifacts of released versions, in a remote that real DVC looks at: whether they are there, and fetched again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.registry.conftest import copied, entered
from tests.registry.team import IMAGE, commit_and_push, pull, push_artifact, train

from lockgate.cli import main
from lockgate.cli.failure import Failure
from lockgate.cli.serving.released import released_folder

pytest.importorskip("dvc", reason="needs DVC: pip install 'lockgate[pipeline]'")

pytestmark = pytest.mark.slow

MODEL = "artifacts/iris/released/1.0.0/model"


@pytest.fixture(scope="module")
def pushed_template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Iris 1.0.0 is in DVC's remote and pinned in production; the work tree has another model."""
    root = copied(template, tmp_path_factory.mktemp("pushed") / "team")
    train(root, "iris", "one")
    push_artifact(root, "iris")
    commit_and_push(root)
    assert main(["-C", str(root), "release", "iris", "--publish", "origin", "--image", IMAGE]) == 0
    pull(root)
    assert main(["-C", str(root), "promote", "iris", "production"]) == 0
    commit_and_push(root, "Promote iris 1.0.0")
    train(root, "iris", "two")
    return root.parent


@pytest.fixture
def pushed(pushed_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return entered(pushed_template, tmp_path, monkeypatch)


@pytest.fixture
def stored(pushed: Path) -> Path:
    """The objects of DVC's remote."""
    return pushed / ".dvc" / "remote" / "files" / "md5"


def test_a_pin_whose_artifact_is_in_the_remote_passes(pushed: Path, lockgate: Lockgate) -> None:
    assert lockgate("check", "--remote").code == 0


def test_a_pin_whose_artifact_nobody_pushed_is_told_only_where_the_remote_is_asked(
    pushed: Path, stored: Path, lockgate: Lockgate
) -> None:
    shutil.rmtree(stored)
    assert lockgate("check").code == 0
    done = lockgate("check", "--remote")
    assert done.code == 1
    assert "error: the exported model of 'iris' 1.0.0 is not in DVC's remote: it lacks the folder" in done.err
    assert "[artifact-missing]" in done.err
    assert "= help: where it was trained: git checkout iris@v1.0.0 && dvc push -R pipelines/iris" in done.err


def test_a_file_that_the_remote_lacks_of_a_folder_is_named(
    pushed: Path, stored: Path, lockgate: Lockgate
) -> None:
    (model,) = (it for it in stored.glob("*/*") if it.read_bytes() == b"one\n")
    model.unlink()
    assert "it lacks 'model.onnx' [artifact-missing]" in lockgate("check", "--remote").err


def test_a_project_without_a_remote_says_how_to_get_one(pushed: Path, lockgate: Lockgate) -> None:
    (pushed / ".dvc" / "config").write_text("")
    done = lockgate("check", "--remote")
    assert done.code == 1
    assert done.err.startswith("error: DVC cannot ask its remote: NoRemoteError: ")


def test_without_pins_the_remote_is_not_asked(team: Path, lockgate: Lockgate) -> None:
    assert lockgate("check", "--remote").code == 0


def test_a_release_is_fetched_and_lies_beside_the_work_trees_model(pushed: Path) -> None:
    folder = released_folder(pushed, "iris", "1.0.0")
    assert folder == pushed / MODEL
    assert (folder / "model.onnx").read_text() == "one\n"
    assert (pushed / "artifacts/iris/model/model.onnx").read_text() == "two\n"


def test_a_release_that_was_fetched_needs_no_remote_again(pushed: Path) -> None:
    released_folder(pushed, "iris", "1.0.0")
    shutil.rmtree(pushed / ".dvc")
    assert released_folder(pushed, "iris", "1.0.0") == pushed / MODEL


def test_a_fetched_release_that_was_tampered_with_is_fetched_anew(pushed: Path) -> None:
    folder = released_folder(pushed, "iris", "1.0.0")
    (folder / "model.onnx").write_text("forged\n")
    assert (released_folder(pushed, "iris", "1.0.0") / "model.onnx").read_text() == "one\n"


def test_what_is_not_what_was_released_is_not_kept(pushed: Path) -> None:
    record = pushed / "registry/iris/1.0.0.yaml"
    digest = next(line for line in record.read_text().splitlines() if line.startswith("artifact_sha256: "))
    record.write_text(record.read_text().replace(digest, f"artifact_sha256: {'ab' * 32}"))
    with pytest.raises(
        Failure, match=r"'iris' 1\.0\.0 is not what was released: its hash is .*the record's ab"
    ):
        released_folder(pushed, "iris", "1.0.0")
    assert list((pushed / "artifacts/iris/released").iterdir()) == []


def test_a_release_that_nobody_pushed_cannot_be_fetched(pushed: Path, stored: Path) -> None:
    shutil.rmtree(stored)
    with pytest.raises(Failure, match="neither DVC's cache nor its remote has 'artifacts/iris/model'"):
        released_folder(pushed, "iris", "1.0.0")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--version", "../../etc"), 1, "no release ../../etc of 'iris' is recorded"),
        (("--env", "staging"), 1, "nothing of 'iris' is pinned in 'staging'"),
        (("--env", "moon"), 2, "there is no environment 'moon'"),
    ],
)
def test_serving_a_release_that_there_is_not(
    pushed: Path, lockgate: Lockgate, options: tuple[str, str], code: int, message: str
) -> None:
    done = lockgate("serve", "iris", *options)
    assert (done.code, done.err.splitlines()[0]) == (code, f"error: {message}")


def test_serving_what_an_environment_pins_serves_that_release(pushed: Path, lockgate: Lockgate) -> None:
    done = lockgate("serve", "iris", "--env", "production")
    # What `train` leaves is enough to see which model it is, and too little to be served.
    assert done.err.startswith(f"error: cannot read '{pushed / MODEL / 'reference.json'}'")
    assert (pushed / MODEL / "model.onnx").read_text() == "one\n"
