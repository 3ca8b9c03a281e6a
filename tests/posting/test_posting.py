"""The steps that post a report, run with the real CML and the real `gh` against a stand-in for GitHub."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.posting.stand_in import BOT, GitHub, serve

from lockgate.targets.github.comment import post_steps

REPOSITORY = "acme/flowers"
NUMBER = 7
TOKEN = "ghs-of-the-run"
COMMIT = "a" * 40
CML = os.environ.get("LOCKGATE_CML", "")
MARK = f'![](https://cml.dev/watermark.png#{COMMIT} "CML watermark Lockgate")'

needs_cml = pytest.mark.skipif(
    not (Path(CML) / "node_modules").is_dir(),
    reason="set LOCKGATE_CML to a checkout of iterative/cml in which `npm ci` has run",
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("gh") is None, reason="gh is missing: install Debian's gh"),
]


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    with serve(tmp_path) as host:
        yield host


@pytest.fixture
def job(tmp_path: Path, github: GitHub) -> Job:
    return Job(tmp_path, github)


class Job:
    """The job that posts: its steps' scripts, in the folder and with the variables that a runner gives them."""

    def __init__(self, folder: Path, github: GitHub) -> None:
        self._folder = folder
        self._github = github
        self._steps = {step["id"]: step for step in post_steps("${{ number }}")}

    def push(self, report: str, *, cml: str = CML) -> list[str]:
        """Post as the workflow does after a push; the ids of the steps that succeeded."""
        (self._folder / "report").mkdir(exist_ok=True)
        (self._folder / "report/report.md").write_text(report, encoding="utf-8")
        output = self._folder / "output"
        output.write_text("")
        if not self._run("find", {"GITHUB_OUTPUT": str(output)}):
            return []
        if output.read_text() == "by=cml\n" and cml and self._run("cml", {"CML": cml}):
            return ["find", "cml"]
        return ["find", "gh"] if self._run("gh", {}) else ["find"]

    def _run(self, step_id: str, more: Mapping[str, str]) -> bool:
        step = self._steps[step_id]
        if "CML" in more and not (self._folder / "cml").exists():
            (self._folder / "cml").symlink_to(more["CML"])
        environment = {key: self._value(str(value)) for key, value in step["env"].items()}
        home = {"HOME": str(self._folder), "PATH": os.environ["PATH"], "GITHUB_SHA": COMMIT}
        trust = {name: str(self._github.certificate) for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")}
        done = subprocess.run(
            ("bash", "-e", "-c", step["run"]),
            cwd=self._folder,
            env={**home, **trust, **environment, **more, "HOME": str(self._folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode == 0

    def _value(self, text: str) -> str:
        contexts = {
            "github.token": TOKEN,
            "github.api_url": f"{self._github.url}/api/v3",
            "github.server_url": self._github.url,
            "github.repository": REPOSITORY,
            "github.sha": COMMIT,
            "runner.temp": str(self._folder),
            "number": str(NUMBER),
        }
        for name, value in contexts.items():
            text = text.replace(f"${{{{ {name} }}}}", value)
        assert "${{" not in text
        return text


def crowd(github: GitHub, comments: int) -> None:
    for place in range(comments):
        github.say(NUMBER, "reviewer", f"comment {place}")


@needs_cml
def test_the_first_report_is_posted_by_cml(job: Job, github: GitHub) -> None:
    assert job.push("first") == ["find", "cml"]
    assert [comment.body.split("\n\n")[0] for comment in github.comments] == ["first"]
    assert 'CML watermark Lockgate")' in github.comments[0].body
    assert github.tokens == {TOKEN}


@needs_cml
@pytest.mark.parametrize("before", [0, 29])
def test_cml_replaces_the_report_that_it_sees(job: Job, github: GitHub, before: int) -> None:
    crowd(github, before)
    job.push("first")
    crowd(github, 40)

    assert job.push("second") == ["find", "cml"]
    assert [body.split("\n\n")[0] for body in github.by(BOT)] == ["second"]


@needs_cml
@pytest.mark.parametrize("before", [30, 31, 75, 140])
def test_a_report_behind_thirty_comments_is_replaced_all_the_same(
    job: Job, github: GitHub, before: int
) -> None:
    crowd(github, before)

    assert job.push("first") == ["find", "cml"]
    assert job.push("second") == ["find", "gh"]
    assert job.push("third") == ["find", "gh"]
    assert github.by(BOT) == [f"third\n\n{MARK}\n"]


@needs_cml
def test_a_report_that_gh_posted_is_replaced_by_cml(job: Job, github: GitHub) -> None:
    assert job.push("first", cml="") == ["find", "gh"]
    assert github.by(BOT) == [f"first\n\n{MARK}\n"]

    assert job.push("second") == ["find", "cml"]
    assert [body.split("\n\n")[0] for body in github.by(BOT)] == ["second"]


@needs_cml
def test_a_planted_mark_gets_nothing_written_into_it(job: Job, github: GitHub) -> None:
    github.say(NUMBER, "mallory", f"all is well\n\n{MARK}")

    assert job.push("first") == ["find", "gh"]
    assert job.push("second") == ["find", "gh"]
    assert github.by("mallory") == [f"all is well\n\n{MARK}"]
    assert github.by(BOT) == [f"second\n\n{MARK}\n"]


@needs_cml
def test_another_workflows_comments_are_left_alone(job: Job, github: GitHub) -> None:
    github.say(NUMBER, BOT, "coverage: 93%")

    job.push("first")
    job.push("second")
    github.say(NUMBER, BOT, "coverage: 94%")
    job.push("third", cml="")

    assert github.by(BOT) == ["coverage: 93%", f"third\n\n{MARK}\n", "coverage: 94%"]


@needs_cml
def test_where_cml_is_refused_gh_makes_no_second_comment(job: Job, github: GitHub) -> None:
    job.push("first")
    github.refused = {"PATCH"}
    assert job.push("second") == ["find"]
    github.refused = set()

    assert job.push("third") == ["find", "cml"]
    assert [body.split("\n\n")[0] for body in github.by(BOT)] == ["third"]


@pytest.mark.parametrize("before", [0, 35])
def test_without_cml_there_is_one_comment_too(job: Job, github: GitHub, before: int) -> None:
    crowd(github, before)
    for report in ("first", "second", "third"):
        assert job.push(report, cml="") == ["find", "gh"]

    assert github.by(BOT) == [f"third\n\n{MARK}\n"]


def test_what_cannot_be_looked_at_is_not_posted_to(job: Job, github: GitHub) -> None:
    github.refused = {"GET"}

    assert job.push("first") == []
    assert github.comments == []


def test_a_report_in_any_script_arrives_as_it_is(job: Job, github: GitHub) -> None:
    report = "# Überblick 🚢\n\n```\n$(touch pwned) `touch pwned` @file\n```\n" + "é" * 60_000

    assert job.push(report, cml="") == ["find", "gh"]
    assert github.by(BOT) == [f"{report}\n\n{MARK}\n"]


def test_a_report_that_github_refuses_leaves_no_comment(job: Job, github: GitHub) -> None:
    assert job.push("x" * 65_537, cml="") == ["find"]
    assert github.comments == []


def test_the_stand_in_pages_as_github_does(github: GitHub) -> None:
    crowd(github, 65)
    command = ("gh", "api", "--paginate", f"{github.url}/api/v3/repos/{REPOSITORY}/issues/7/comments")
    environment = {"GH_TOKEN": TOKEN, "GH_ENTERPRISE_TOKEN": TOKEN, "SSL_CERT_FILE": str(github.certificate)}

    done = subprocess.run(
        (*command, "--jq", "length"),
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )

    assert sum(map(int, done.stdout.split())) == 65


def test_every_step_may_fail_without_failing_the_job() -> None:
    steps: list[Any] = post_steps("${{ number }}")

    assert [step["id"] for step in steps if not step.get("continue-on-error")] == ["not_posted"]
