"""What `lockgate release` refuses: a model that is not the one that was judged and committed, and odd options."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.registry.team import IMAGE, commit_and_push, train
from tests.report.report_artifacts import write_files
from tests.report.report_changes import comparison


def test_another_model_than_the_judged_one_is_refused(team: Path, lockgate: Lockgate) -> None:
    train(team, "iris", "one")
    commit_and_push(team)
    (team / "artifacts/iris/model/model.onnx").write_text("another\n")
    done = lockgate("release", "iris")
    assert done.code == 1
    assert done.err.startswith("error: 'artifacts/iris/model/SHA256SUMS' lists 'model.onnx' with ")


def test_an_export_of_another_artifact_is_refused(team: Path, lockgate: Lockgate) -> None:
    train(team, "iris", "one")
    commit_and_push(team)
    path = team / "artifacts/iris/export.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "artifact_sha256": "0" * 64}))
    done = lockgate("release", "iris")
    assert done.code == 1
    assert done.err.startswith("error: artifacts/iris/export.json is of another model than the one in ")


def test_a_model_that_the_lock_does_not_name_is_refused(team: Path, lockgate: Lockgate) -> None:
    train(team, "iris", "one")
    commit_and_push(team)
    lock = (team / "pipelines/iris/dvc.lock").read_text()
    train(team, "iris", "two")
    (team / "pipelines/iris/dvc.lock").write_text(lock)
    done = lockgate("release", "iris")
    assert done.code == 1
    assert done.err.startswith(
        "error: pipelines/iris/dvc.lock does not name the model in 'artifacts/iris/model'"
    )


def test_a_model_that_a_gate_blocks_is_refused(team: Path, lockgate: Lockgate) -> None:
    train(team, "iris", "one")
    commit_and_push(team)
    path = team / "artifacts/iris/gates.json"
    gates = json.loads(path.read_text())
    gates["gates"][0] |= {"outcome": "fail", "on_fail": "block", "reason": "3 is above 0"}
    path.write_text(json.dumps({**gates, "verdict": "fail"}))
    done = lockgate("release", "iris")
    assert (done.code, done.err.splitlines()[0]) == (1, "error: 'iris' is not to be released: 3 is above 0")


def test_what_is_not_committed_is_not_released(team: Path, lockgate: Lockgate) -> None:
    train(team, "iris", "one")
    commit_and_push(team)
    train(team, "iris", "two")
    done = lockgate("release", "iris")
    assert done.code == 1
    assert done.err.startswith("error: 'pipelines/iris/dvc.lock' is not as it is committed")


def test_without_a_run_it_says_how_to_make_one(team: Path, lockgate: Lockgate) -> None:
    done = lockgate("release", "iris")
    assert done.code == 1
    assert "iris" in done.err.splitlines()[0]


@pytest.mark.parametrize(
    "options",
    [
        ("--image", "ghcr.io/acme/flights:latest"),
        ("--image", f"rose={IMAGE}"),
        ("--evidence", "hope=none"),
        ("--publish", "nowhere"),
        ("--publish", "--upload-pack=touch /tmp/x"),
    ],
)
def test_options_that_make_no_sense_are_usage_errors(
    team: Path, lockgate: Lockgate, options: tuple[str, str]
) -> None:
    train(team, "iris", "one")
    commit_and_push(team)
    assert lockgate("release", "iris", f"{options[0]}={options[1]}").code == 2


def test_a_comparison_of_another_artifact_is_refused(team: Path, lockgate: Lockgate) -> None:
    digest = train(team, "iris", "one")
    commit_and_push(team)
    compared = {**comparison(), "fairness": [], "gates": [], "candidate_sha256": digest}
    write_files(team, "iris", {"comparison.json": compared})
    assert lockgate("release", "iris", "--dry-run").code == 0
    write_files(team, "iris", {"comparison.json": {**compared, "candidate_sha256": "0" * 64}})
    done = lockgate("release", "iris", "--dry-run")
    assert done.code == 1
    assert "it is of the artifact 000000000000…, but " in done.err
