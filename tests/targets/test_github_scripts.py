"""The scripts of the emitted workflows, run with bash: what counts, who is answered, and which verdicts are green."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.replacing import replace
from tests.targets.emitted import emitted
from tests.targets.pipeline_plans import pipeline, plan, train_stage

Content = dict[str, Any]


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("README.md", "false"),
        ("models/a.md", "false"),
        ("models/a/model.py", "true"),
        ("mlops.yaml", "true"),
        ("data/$(touch pwned)*.csv", "true"),
        ("data/touch.csv", "false"),
        (".github/workflows/other.yml", "true"),
    ],
)
def test_a_change_counts_where_it_is_on_such_a_path(tmp_path: Path, path: str, changed: str) -> None:
    watch = ("models/a", "data/$(touch pwned)*.csv")
    assert _changes(tmp_path, path, watch) == f"changed={changed}\n"
    assert not (tmp_path / "pwned").exists()


def test_where_git_does_not_know_the_base_everything_is_checked(tmp_path: Path) -> None:
    assert _changes(tmp_path, "README.md", (), base="0" * 40) == "changed=true\n"


def test_the_report_of_a_fork_is_capped_and_notifies_nobody(tmp_path: Path) -> None:
    report = tmp_path / "report/report.md"
    report.parent.mkdir()
    report.write_text(
        "@team &#64;a &#0064;b &#X40;c &commat;d $(touch pwned)\n" + "é" * 70_000, encoding="utf-8"
    )

    _run_script(_fork_step("comment", "tame"), tmp_path, {})

    tamed = report.read_bytes()
    assert tamed.startswith(b"@&#8203;team @&#8203;a @&#8203;b @&#8203;c @&#8203;d $(touch pwned)\n")
    assert len(tamed) == 60_000
    assert not (tmp_path / "pwned").exists()


@pytest.mark.parametrize(
    ("pulls", "number"),
    [
        ([{"number": 7, "head": {"sha": "new"}}], "7"),
        ([{"number": 6, "head": {"sha": "old"}}, {"number": 7, "head": {"sha": "new"}}], "7"),
        ([{"number": 7, "head": {"sha": "new"}}, {"number": 8, "head": {"sha": "new"}}], "7"),
        ([{"number": 7, "head": {"sha": "newer"}}], ""),
        ([], ""),
    ],
)
def test_a_forks_pull_request_is_found_by_its_head(tmp_path: Path, pulls: list[Content], number: str) -> None:
    if shutil.which("jq") is None:
        pytest.skip("jq is missing: install Debian's jq")
    gh = tmp_path / "gh"
    gh.write_text(
        '#!/bin/sh\ncase "$*" in *artifacts*) echo 1 ;; *) printf %s "$PULLS_JSON" | jq -r "$FILTER" ;; esac\n'
    )
    gh.chmod(0o755)
    step = _fork_step("find", "find")
    given = {"PULLS_JSON": json.dumps(pulls), "HEAD": "eve:$(touch pwned)", "HEAD_SHA": "new"}

    _run_script(step, tmp_path, step["env"] | given | {"GITHUB_OUTPUT": str(tmp_path / "output")})

    assert (tmp_path / "output").read_text() == f"number={number}\nreports=1\n"
    assert not (tmp_path / "pwned").exists()


GREEN = (
    "success/false/no models/skipped/skipped/",
    "success/true/no models/skipped/success/pass",
    "success/true/no models/skipped/success/warn",
    "success/true/models/success/success/pass",
    "success/true/models/success/success/warn",
)
BLOCKED = ("success/true/no models/skipped/success/fail", "success/true/models/success/success/fail")
BROKEN = (
    "success/true/models/success/success/",
    "success/true/models/success/failure/",
    "success/true/models/success/cancelled/pass",
    "success/true/models/success/skipped/",
    "success/true/models/failure/success/pass",
    "success/true/models/failure/success/fail",
    "success/true/models/cancelled/success/pass",
    "success/true/models/skipped/success/pass",
    "success/true/models/skipped/skipped/",
    "success/false/models/skipped/skipped/",
    "success//no models/skipped/skipped/",
    "success/true/no models/skipped/skipped/",
    "success/true/models/success/success/pass or so",
)
REFUSED = ("failure//models/skipped/skipped/", "cancelled//models/skipped/skipped/", "*", "////")
JUDGED = [
    *((results, 0, "") for results in GREEN),
    *((results, 1, "A gate blocks; the report says which.") for results in BLOCKED),
    *((results, 1, "A job broke or was cancelled") for results in BROKEN),
    *((results, 1, "The job 'check' did not pass") for results in REFUSED),
]


@pytest.mark.parametrize(("results", "code", "why"), JUDGED)
def test_the_verdict_is_green_in_five_cases_only_and_says_why_it_is_red(
    tmp_path: Path, results: str, code: int, why: str
) -> None:
    pull_request, *_ = emitted(plan())
    (step,) = pull_request["jobs"]["verdict"]["steps"]
    summary = tmp_path / "summary"
    summary.touch()

    done = _script(step, tmp_path, step["env"] | {"RESULTS": results, "GITHUB_STEP_SUMMARY": str(summary)})

    assert done.returncode == code
    assert done.stdout.startswith(f"::error::{why}" if code else "")
    assert summary.read_text().startswith(why)


def _fork_step(job: str, step_id: str) -> Content:
    _, fork_report, *_ = emitted(plan())
    (found,) = (step for step in fork_report["jobs"][job]["steps"] if step["id"] == step_id)
    return dict(found)


def _run_script(step: Content, folder: Path, environment: Content) -> None:
    done = _script(step, folder, environment)
    assert done.returncode == 0, done.stderr


def _script(step: Content, folder: Path, environment: Content) -> subprocess.CompletedProcess[str]:
    """Run a step's script as GitHub's runner does."""
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    script = ("bash", "-e", "-c", step["run"])
    return subprocess.run(
        script, cwd=folder, env=environment | {"PATH": path}, capture_output=True, text=True, check=False
    )


def _changes(root: Path, path: str, watch: tuple[str, ...], base: str = "HEAD^") -> str:
    """What the step says of a commit that adds a file, in a project whose pipeline reads these paths."""
    pull_request, *_ = emitted(plan(replace(pipeline((train_stage("a"),)), watch=watch)))
    (step,) = (it for it in pull_request["jobs"]["check"]["steps"] if it["id"] == "changes")
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("")
    who = ("-c", "user.name=Flora", "-c", "user.email=flora@example.com")
    for command in (
        ("init", "--quiet"),
        (*who, "commit", "--quiet", "--allow-empty", "--message=base"),
        ("add", "--all"),
        (*who, "commit", "--quiet", "--message=change"),
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    _run_script(step, root, step["env"] | {"BASE_SHA": base, "GITHUB_OUTPUT": str(root / "output")})
    return (root / "output").read_text()
