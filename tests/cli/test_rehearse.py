"""`lockgate rehearse` on real servers: what is good is promoted, and what is not is caught."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import commit, git
from tests.rehearsal.models import MODEL, contrary_model, failing_model, good_model, slow_model, write_rows
from tests.targets.watched import document

from lockgate.contract import SHA256SUMS
from lockgate.contract.sums import artifact_sha256
from lockgate.yaml.dump import dump

pytestmark = pytest.mark.slow

STEPS = [{"weight": 50, "pause": "2m"}, {"weight": 75, "pause": "2m"}]
PSI = {"max": 1.0, "min_samples": 50}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose last run exported a good model."""
    monkeypatch.chdir(tmp_path)
    write_spec(tmp_path)
    good_model(tmp_path / f"artifacts/{MODEL}/model")
    write_rows(tmp_path / f"artifacts/{MODEL}/holdout.parquet")
    return tmp_path


def write_spec(root: Path, latency: str = "2s", **rollout: Any) -> None:
    analysis = {"prediction_psi": PSI, **rollout.pop("analysis", {})}
    written = document(
        slo={"availability": 99, "latency_p99": latency},
        rollout={"strategy": "canary", "steps": STEPS, "analysis": analysis, **rollout},
    )
    del written["deployments"]
    (root / "mlops.yaml").write_text(dump(written))


def rehearsed(lockgate: Lockgate, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and what the rehearsal says of a stable version that is a good model."""
    stable = () if "--stable" in options else ("--stable", f"artifacts/{MODEL}/model")
    done = lockgate(
        "rehearse", MODEL, *stable, "--speed", "80", "--format", "json", "--judge", "built-in", *options
    )
    assert done.out, done.err
    return done.code, json.loads(done.out)


def test_a_good_candidate_is_promoted_through_all_steps(root: Path, lockgate: Lockgate) -> None:
    code, seen = rehearsed(lockgate)
    assert (code, seen["outcome"], seen["metric"], seen["step"]) == (0, "promoted", None, None), seen
    assert [step["weight_percent"] for step in seen["steps"]] == [50, 75]
    first = seen["steps"][0]
    assert abs(first["candidate"]["answers"] - first["stable"]["answers"]) < 50
    judged = {
        it["metric"] for step in seen["steps"] for it in step["measurements"] if it["value"] is not None
    }
    assert judged == {"success-rate", "latency-p99", "prediction-psi"}


@pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is missing: apt-get install prometheus"
)
def test_a_real_prometheus_judges_the_same_expressions(root: Path, lockgate: Lockgate) -> None:
    code, seen = rehearsed(lockgate, "--judge", "prometheus")
    assert (code, seen["outcome"]) == (0, "promoted"), seen
    judged = {
        it["metric"] for step in seen["steps"] for it in step["measurements"] if it["value"] is not None
    }
    assert judged == {"success-rate", "latency-p99", "prediction-psi"}


def test_a_candidate_that_is_slow_is_caught(root: Path, lockgate: Lockgate) -> None:
    write_spec(root, latency="40ms")
    candidate = slow_model(root / "candidate")
    code, seen = rehearsed(lockgate, "--candidate", str(candidate), "--rate", "40")
    assert (code, seen["outcome"], seen["metric"]) == (1, "aborted", "latency-p99"), seen
    assert seen["steps"][-1]["candidate"]["slow"] > 0


def test_a_candidate_that_fails_is_caught_and_told_with_step_and_bad_answers(
    root: Path, lockgate: Lockgate
) -> None:
    candidate = failing_model(root / "candidate")
    stable = f"artifacts/{MODEL}/model"
    options = ("--candidate", str(candidate), "--speed", "80", "--judge", "built-in")
    done = lockgate("rehearse", MODEL, "--stable", stable, *options)
    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[0] == f"Rehearsing the canary rollout of {MODEL} in production: 4 minutes in 3 seconds"
    assert lines[5].split() == ["step", "share", "requests", "succeeded", "p99", "PSI", "answers"]
    assert lines[6].split()[:3] == ["1", "50", "%"]
    assert lines[-2].startswith("aborted at step 1 (50 %) by success-rate: 1 measurement bad, the last 0.")
    assert "bad: " in lines[-1]


def test_a_candidate_of_nonsense_is_caught_against_the_model_of_a_commit(
    root: Path, lockgate: Lockgate
) -> None:
    pytest.importorskip("dvc", reason="needs DVC: pip install 'lockgate[pipeline]'")
    commit_model(root)
    shutil.rmtree(root / f"artifacts/{MODEL}/model")
    candidate = contrary_model(root / "candidate")
    code, seen = rehearsed(lockgate, "--stable", "main", "--candidate", str(candidate))
    assert (code, seen["outcome"], seen["metric"]) == (1, "aborted", "prediction-psi"), seen
    assert seen["steps"][-1]["candidate"]["failed"] == 0


def test_a_release_is_rehearsed_against_the_one_that_is_pinned(root: Path, lockgate: Lockgate) -> None:
    release(root, "1.2.0", good_model)
    release(root, "1.3.0", contrary_model)
    spec = yaml.safe_load((root / "mlops.yaml").read_text())
    spec["environments"]["staging"] = {"namespace": "ml-staging"}
    spec["deployments"] = {"production": {MODEL: "1.2.0"}}
    (root / "mlops.yaml").write_text(dump(spec))
    options = ("--env", "production", "--version", "1.3.0", "--speed", "80", "--judge", "built-in")
    done = lockgate("rehearse", MODEL, *options)
    assert done.code == 1, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith(f"Rehearsing the canary rollout of {MODEL} in production: ")
    assert lines[1].split() == ["stable", str(root / f"artifacts/{MODEL}/released/1.2.0/model")]
    assert lines[2].split() == ["candidate", str(root / f"artifacts/{MODEL}/released/1.3.0/model")]
    assert " by prediction-psi: " in lines[-2]
    assert re.fullmatch(
        r"  the candidate gave [\d,]+ answers, all with such predictions: 0 failed, \d+ slow", lines[-1]
    )


def release(root: Path, version: str, write: Callable[[Path], Path]) -> None:
    """A record, and the artifact where it stays once it was fetched."""
    folder = write(root / f"artifacts/{MODEL}/released/{version}/model")
    record = {
        "model": MODEL,
        "version": version,
        "released": "2026-11-01T12:00:00Z",
        "commit": "c0de" * 10,
        "artifact_sha256": artifact_sha256((folder / SHA256SUMS).read_bytes()),
        "recipe_sha256": "ab" * 32,
        "signature": {"kind": "binary", "target": "late", "inputs": []},
    }
    path = root / f"registry/{MODEL}/{version}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump(record))


def test_a_release_that_was_changed_is_not_rehearsed(root: Path, lockgate: Lockgate) -> None:
    release(root, "1.3.0", good_model)
    with (root / f"artifacts/{MODEL}/released/1.3.0/model/model.onnx").open("ab") as model:
        model.write(b"\0")
    done = lockgate("rehearse", MODEL, "--stable", f"artifacts/{MODEL}/model", "--version", "1.3.0")
    assert done.code == 1
    assert f"commit c0dec0d, from which '{MODEL}' 1.3.0 was released, is not in this clone" in done.err


def test_where_nothing_is_pinned_the_stable_version_has_to_be_named(root: Path, lockgate: Lockgate) -> None:
    done = lockgate("rehearse", MODEL)
    assert done.code == 1
    assert done.err.startswith(
        f"error: nothing of '{MODEL}' is pinned in 'production', so no version is stable"
    )
    assert "--stable" in done.err


def commit_model(root: Path) -> None:
    """As if the pipeline had run: DVC's cache holds the model, and the commit's lock names it."""
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.name", "Ada")
    git(root, "config", "user.email", "ada@example.com")
    (root / ".dvc").mkdir()
    (root / ".dvc/config").write_text("[core]\n    analytics = false\n")
    (root / ".gitignore").write_text("/artifacts/\n/.dvc/cache/\n/.dvc/tmp/\n")
    pipeline = root / f"pipelines/{MODEL}/dvc.yaml"
    pipeline.parent.mkdir(parents=True)
    stage = {"wdir": "../..", "cmd": "true", "outs": [f"artifacts/{MODEL}/model"]}
    pipeline.write_text(json.dumps({"stages": {"export": stage}}))
    command = [sys.executable, "-m", "dvc", "commit", "--quiet", "--force", str(pipeline)]
    subprocess.run(command, cwd=root, check=True)
    commit(root)


def test_a_rolling_update_has_nothing_to_rehearse(root: Path, lockgate: Lockgate) -> None:
    (root / "mlops.yaml").write_text(dump(document(rollout="rolling")))
    done = lockgate("rehearse", MODEL, "--stable", f"artifacts/{MODEL}/model")
    assert done.code == 1
    assert "is held to nothing: there is no analysis" in done.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--stable", "artifacts"), "'artifacts' holds no exported model"),
        (("--stable", "model", "--candidate", "nowhere\x1b[2J"), r"'nowhere\x1b[2J' holds no exported model"),
        (("--stable", "model", "--traffic", "nowhere.parquet"), "there is no traffic at 'nowhere.parquet'"),
        (("--stable", "model", "--env", "moon"), "is not served in 'moon'"),
        (("--candidate", "model", "--version", "1.3.0"), "not allowed with argument --candidate"),
        (("--stable", "model", "--rate", "0"), "'0' is no number above 0"),
        (("--stable", "model", "--speed", "nan"), "'nan' is no number above 0"),
    ],
)
def test_a_mistake_in_the_command_is_told(
    root: Path, lockgate: Lockgate, options: tuple[str, ...], said: str
) -> None:
    done = lockgate("rehearse", MODEL, *options)
    assert (done.code, said in done.err) == (2, True), done.err


def test_rows_of_another_model_are_refused_before_the_rollout_begins(root: Path, lockgate: Lockgate) -> None:
    stable = good_model(root / "stable")
    signature = json.loads((stable / "signature.json").read_text())
    signature["inputs"][0]["name"] = "weight"
    other = root / "other"
    other.mkdir()
    (other / "signature.json").write_text(json.dumps(signature))
    done = lockgate("rehearse", MODEL, "--stable", str(stable), "--candidate", str(other))
    assert done.code == 1
    assert "the server of the candidate did not start" in done.err
