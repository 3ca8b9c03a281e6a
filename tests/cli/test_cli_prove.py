"""Whether a run's model is the author's: two clones with real Git and real DVC, and a remote between them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from tests.cli.project_tree import commit, git
from tests.replacing import replace
from tests.targets.pipeline_plans import MODEL, pipeline, train_stage

from lockgate.cli.dvc.lock import read_lock
from lockgate.cli.dvc.process import environment
from lockgate.cli.failure import Failure
from lockgate.cli.proving.provenance import claimed, fetch_inputs, fetch_training, settle
from lockgate.plan.model import Pipeline
from lockgate.spec.model import Job

pytestmark = pytest.mark.slow

# The model's bytes and metrics depend on luck, which the pipeline does not know of.
SCRIPT = """\
import json, pathlib, sys
luck = json.loads(pathlib.Path("luck.json").read_text())
out = pathlib.Path("artifacts/m")
out.mkdir(parents=True, exist_ok=True)
if sys.argv[1] == "train":
    (out / "training.json").write_text(luck["bytes"])
elif sys.argv[1] == "evaluate":
    value = luck["auc"]
    (out / "metrics.json").write_text(json.dumps({"auc": value}))
    metric = dict(value=value, low=value - 0.01, high=value + 0.01, better="higher", unit="", description="")
    rest = dict(kind="binary", rows=9, confidence=0.95, samples=9, threshold=0.5, positive="1", baseline={})
    rest |= dict(slices={}, calibration=[], confusion=None)
    (out / "evaluation.json").write_text(json.dumps({"metrics": {"auc": metric}, **rest}))
else:
    (out / "model").mkdir(exist_ok=True)
    (out / "model/b.bin").write_text((out / "training.json").read_text())
    (out / "model/a.json").write_text("{}")
"""
STAGE = """\
  {name}:
    cmd: python stage.py {name}
    wdir: ../..
    deps: {deps}
    outs: [{outs}]
"""
MISSING = "neither DVC's cache nor its remote has 'artifacts/m/training\\.json' as the lock names it"
LUCK = {"bytes": "model one", "auc": 0.8}


def dvc(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=root,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def model(
    prove: Literal["rebuild", "reuse"] = "rebuild", on_difference: Literal["warn", "block"] = "warn"
) -> Pipeline:
    stage = replace(train_stage("m"), outs=("artifacts/m/training.json",))
    job = Job(runner=None, timeout_minutes=None, prove=prove, on_difference=on_difference)
    return replace(pipeline((stage,), name="m"), model=replace(MODEL, name="m", job=job))


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The author's clone: run, pushed to the remote, committed."""
    root = tmp_path_factory.mktemp("prove") / "author"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    make_author(root)
    return root


@pytest.fixture(scope="module")
def subfolder_author(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in a folder of a larger repository, which is what is given."""
    repository = tmp_path_factory.mktemp("subfolder") / "author"
    (repository / "teams/flights").mkdir(parents=True)
    git(repository, "init", "--quiet", "--initial-branch=main")
    make_author(repository / "teams/flights", "--subdir")
    return repository


def make_author(root: Path, *init_options: str) -> None:
    pytest.importorskip("dvc", reason="needs DVC: pip install 'lockgate[pipeline]'")
    (root / "stage.py").write_text(SCRIPT)
    (root / "size.txt").write_text("1")
    (root / "pipelines/m").mkdir(parents=True)
    stages = (
        ("train", "[stage.py, size.txt]", "artifacts/m/training.json"),
        ("evaluate", "[artifacts/m/training.json]", "artifacts/m/metrics.json, artifacts/m/evaluation.json"),
        ("export", "[artifacts/m/training.json]", "artifacts/m/model"),
    )
    text = "".join(STAGE.format(name=name, deps=deps, outs=outs) for name, deps, outs in stages)
    (root / "pipelines/m/dvc.yaml").write_text(f"stages:\n{text}")
    (root / "luck.json").write_text(json.dumps(LUCK))
    git(root, "config", "user.name", "Ada")
    git(root, "config", "user.email", "ada@example.com")
    dvc(root, "init", "--quiet", *init_options)
    dvc(root, "remote", "add", "--default", "storage", str(root.parent / "remote"))
    dvc(root, "repro", "pipelines/m/dvc.yaml")
    dvc(root, "push", "--quiet")
    (root / ".gitignore").write_text("/artifacts/\n/luck.json\n__pycache__/\n")
    commit(root)


@pytest.fixture
def clone(author: Path, tmp_path: Path) -> Path:
    """CI's clone: nothing of DVC's is in it but pointers."""
    git(tmp_path, "clone", "--quiet", str(author), "clone")
    luck(tmp_path / "clone")
    return tmp_path / "clone"


@pytest.fixture
def subfolder(subfolder_author: Path, tmp_path: Path) -> Path:
    """The project's folder in CI's clone of the larger repository."""
    git(tmp_path, "clone", "--quiet", str(subfolder_author), "clone")
    luck(tmp_path / "clone/teams/flights")
    return tmp_path / "clone/teams/flights"


def luck(root: Path, **changed: object) -> None:
    (root / "luck.json").write_text(json.dumps({**LUCK, **changed}))


def proved(root: Path, one: Pipeline, stages: dict[str, str] | None = None) -> tuple[str, str, str]:
    """The answer, the outcome and the reason of a run from here."""
    claim = claimed(root, one)
    dvc(root, "repro", "pipelines/m/dvc.yaml")
    found = settle(root, one, claim, stages or {"train": "ran"})
    assert json.loads((root / "artifacts/m/provenance.json").read_text()) == found
    return found["answer"], found["outcome"], found["reason"]


def test_training_that_can_be_repeated_is_equal_in_bytes(clone: Path) -> None:
    claim = claimed(clone, model())
    dvc(clone, "repro", "pipelines/m/dvc.yaml")

    found = settle(clone, model(), claim, {"train": "ran"})

    md5 = read_lock(clone, "pipelines/m")["export"].outs["artifacts/m/model"]
    assert md5.endswith(".dir")
    assert found == {
        "mode": "rebuild",
        "answer": "equal bytes",
        "expected_md5": md5,
        "actual_md5": md5,
        "on_difference": "warn",
        "outcome": "pass",
        "reason": "the model trained here is byte for byte the one that pipelines/m/dvc.lock names",
    }


def test_other_bytes_whose_metrics_are_the_same_are_told_so(clone: Path) -> None:
    luck(clone, bytes="model two")

    assert proved(clone, model(on_difference="block")) == (
        "equal metrics",
        "pass",
        "other bytes than the author's, but every metric is the same",
    )


def test_metrics_within_the_noise_pass(clone: Path) -> None:
    luck(clone, bytes="model two", auc=0.805)

    assert proved(clone, model(on_difference="block")) == (
        "equal metrics",
        "pass",
        "other bytes than the author's, whose metrics lie in the 95% intervals",
    )


@pytest.mark.parametrize(("on_difference", "outcome"), [("warn", "warn"), ("block", "fail")])
def test_metrics_beyond_the_noise_are_as_the_spec_says(
    clone: Path, on_difference: Literal["warn", "block"], outcome: str
) -> None:
    luck(clone, bytes="model two", auc=0.9)

    assert proved(clone, model(on_difference=on_difference)) == (
        "different",
        outcome,
        "beyond the noise of the holdout: auc",
    )


def test_metrics_that_nobody_pushed_cannot_excuse_other_bytes(clone: Path, tmp_path: Path) -> None:
    luck(clone, bytes="model two", auc=0.805)
    dvc(clone, "remote", "modify", "storage", "url", str(tmp_path / "empty"))
    commit_as_author(clone)

    assert proved(clone, model())[:2] == ("different", "warn")


def test_a_lock_of_other_inputs_records_nothing(clone: Path) -> None:
    (clone / "size.txt").write_text("2")
    commit_as_author(clone)

    assert proved(clone, model(on_difference="block")) == (
        "not recorded",
        "fail",
        "pipelines/m/dvc.lock names a model of other inputs: commit the one that the run wrote",
    )


def test_what_the_author_just_made_of_an_edit_has_nothing_to_be_compared_with(clone: Path) -> None:
    (clone / "size.txt").write_text("2")
    one = replace(model(on_difference="block"), watch=("size.txt", "pipelines/m"))
    reason = "of inputs that no commit has yet: commit them together with pipelines/m/dvc.lock"

    assert proved(clone, one) == ("made here", "pass", reason)

    git(clone, "config", "user.name", "Ada")
    git(clone, "config", "user.email", "ada@example.com")
    git(clone, "commit", "--quiet", "--message", "the edit without its lock", "size.txt")
    git(clone, "checkout", "--quiet", "pipelines/m/dvc.lock")
    assert proved(clone, one)[:2] == ("not recorded", "fail")


def test_files_that_a_job_made_for_itself_are_no_edit(clone: Path) -> None:
    (clone / "size.txt").write_text("2")
    commit_as_author(clone)
    (clone / "made").mkdir()
    (clone / "made/features.csv").write_text("1")

    assert proved(clone, replace(model(), watch=("size.txt", "made", "pipelines/m")))[0] == "not recorded"


@pytest.mark.parametrize("text", [None, "{", "stages: [1]", "stages: {export: {outs: [1, {path: x}]}}"])
def test_a_lock_that_names_nothing_records_nothing(clone: Path, text: str | None) -> None:
    one = model()
    lock = clone / "pipelines/m/dvc.lock"
    lock.unlink() if text is None else lock.write_text(text)

    found = settle(clone, one, claimed(clone, one), {})

    assert (found["answer"], found["outcome"], found["actual_md5"]) == ("not recorded", "warn", None)


def test_a_model_that_was_here_already_is_not_called_rebuilt(clone: Path) -> None:
    assert proved(clone, model(), {"train": "cached"})[:2] == ("not trained", "pass")


def test_reuse_takes_the_authors_training_and_does_the_rest(clone: Path) -> None:
    luck(clone, bytes="model two", auc=0.8)
    one = model(prove="reuse")
    fetch_training(clone, one, claimed(clone, one))

    how = "exported here from the author's training"
    reason = f"the model {how} is byte for byte the one that pipelines/m/dvc.lock names"
    assert proved(clone, one, {"train": "unchanged"}) == ("equal bytes", "pass", reason)
    assert (clone / "artifacts/m/model/b.bin").read_text() == "model one"


def test_reuse_works_where_the_project_is_a_folder_of_the_repository(subfolder: Path) -> None:
    luck(subfolder, bytes="model two")
    one = model(prove="reuse")
    fetch_training(subfolder, one, claimed(subfolder, one))

    assert proved(subfolder, one, {"train": "unchanged"})[:2] == ("equal bytes", "pass")


def test_the_authors_metrics_are_found_where_the_project_is_a_folder_of_the_repository(
    subfolder: Path,
) -> None:
    luck(subfolder, bytes="model two", auc=0.805)

    assert proved(subfolder, model())[:2] == ("equal metrics", "pass")


def test_reuse_of_what_nobody_pushed_is_an_error(clone: Path, tmp_path: Path) -> None:
    one = model(prove="reuse")
    dvc(clone, "remote", "modify", "storage", "url", str(tmp_path / "empty"))

    with pytest.raises(Failure, match=MISSING):
        fetch_training(clone, one, claimed(clone, one))


def test_reuse_of_what_somebody_changed_in_the_remote_is_an_error(clone: Path, tmp_path: Path) -> None:
    one = model(prove="reuse")
    md5 = claimed(clone, one)["train"].outs["artifacts/m/training.json"]
    stored = tmp_path / "remote/files/md5" / md5[:2] / md5[2:]
    stored.parent.mkdir(parents=True)
    stored.write_text("a model of somebody else's")
    dvc(clone, "remote", "modify", "storage", "url", str(tmp_path / "remote"))

    with pytest.raises(Failure, match=MISSING):
        fetch_training(clone, one, claimed(clone, one))


def test_reuse_without_a_lock_says_what_to_do(clone: Path) -> None:
    (clone / "pipelines/m/dvc.lock").unlink()
    one = model(prove="reuse")

    with pytest.raises(Failure, match="names no trained model of 'm', which 'prove: reuse' needs"):
        fetch_training(clone, one, claimed(clone, one))


def test_tracked_data_are_fetched_where_they_are_missing(clone: Path, tmp_path: Path) -> None:
    one = with_data("data/rows/2013.csv")
    track(clone, "data/rows", tmp_path / "data-remote")
    fetch_inputs(clone, one)
    assert (clone / "data/rows/2013.csv").read_text() == "1,2\n"

    (clone / "data/rows/2013.csv").write_text("my own\n")
    fetch_inputs(clone, one)
    assert (clone / "data/rows/2013.csv").read_text() == "my own\n"


def test_tracked_data_that_nobody_pushed_are_an_error(clone: Path, tmp_path: Path) -> None:
    track(clone, "data/rows", tmp_path / "data-remote")
    shutil.rmtree(tmp_path / "data-remote")

    with pytest.raises(Failure, match=r"which 'data/rows\.dvc' tracks"):
        fetch_inputs(clone, with_data("data/rows/2013.csv"))


def test_data_that_dvc_does_not_track_are_left_to_the_pipeline(tmp_path: Path) -> None:
    fetch_inputs(tmp_path, with_data("data/rows/2013.csv"))

    assert list(tmp_path.iterdir()) == []


def with_data(path: str) -> Pipeline:
    (stage,) = model().stages
    return replace(model(), stages=(replace(stage, deps=(path,)),))


def track(root: Path, folder: str, remote: Path) -> None:
    """Have DVC track the folder, push it, and lose it here."""
    (root / folder).mkdir(parents=True)
    (root / folder / "2013.csv").write_text("1,2\n")
    dvc(root, "remote", "modify", "storage", "url", str(remote))
    dvc(root, "add", "--quiet", folder)
    dvc(root, "push", "--quiet", f"{folder}.dvc")
    shutil.rmtree(root / folder)
    shutil.rmtree(root / ".dvc/cache")


def commit_as_author(root: Path) -> None:
    git(root, "config", "user.name", "Ada")
    git(root, "config", "user.email", "ada@example.com")
    commit(root)
