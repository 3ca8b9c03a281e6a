"""A promotion in a real repository with releases: what the workflow's commands make of it, and what they say."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.project_tree import edit, git
from tests.registry.team import IMAGE, train
from tests.report.promoted_project import make_promoted, record

from lockgate.cli import main

Said = Callable[..., str]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        yield make_promoted(tmp_path_factory.mktemp("promoted"))


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the clone, on a branch of its own; the working directory."""
    shutil.copytree(template, tmp_path / "clone")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.chdir(tmp_path / "clone")
    git(tmp_path / "clone", "checkout", "--quiet", "-b", "change")
    return tmp_path / "clone"


@pytest.fixture
def said(project: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """What a command prints that has to succeed."""

    def run(*arguments: str) -> str:
        capsys.readouterr()
        assert main(arguments) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    return run


def effects(said: Said) -> Any:
    return json.loads(said("report", "--base", "main", "--format", "json"))["effects"]


def commit_all(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Move the pin")


def test_the_workflow_of_a_promotion_proves_nothing_and_reports_it(project: Path, said: Said) -> None:
    said("promote", "iris", "production", "--version", "1.0.3")
    commit_all(project)
    said("check", "--format", "github")
    assert said("affected", "--base", "main", "--format", "github-output") == "models=[]\n"
    text = said("report", "--base", "main", "--format", "md", "--verdict-output", "output.txt")
    assert said("report", "--base", "main", "--format", "html").startswith("<!doctype html>")
    assert (project / "output.txt").read_text() == "verdict=warn\n"  # the fixture's gates warn
    assert text.splitlines()[1].startswith("> **Lockgate: Promotes iris 1.0.3 to production (was 1.0.0).**")
    places = [text.index(title) for title in ORDER]
    assert places == sorted(places)


ORDER = (
    "## Promotion: iris 1.0.0 → 1.0.3 in production",
    "| `roc_auc` | 0.712 \\[0.704, 0.720\\] | 0.740 \\[0.732, 0.748\\] | +0.028 | better | higher |",
    "**Gates of 1.0.3 at its release**",
    "### Released in between: 3 releases of iris",
    "## When this merges",
    "canary: 25 % for 10 min, 50 % for 10 min, 100 %",
    "<b>Manifests: ",
)


def test_a_promotion_is_told_from_records_and_history(project: Path, said: Said) -> None:
    said("promote", "iris", "production", "--version", "1.0.3")
    (promotion,) = effects(said)["promotions"]
    assert (promotion["direction"], promotion["live_since"]) == ("promotion", "2026-11-02T12:00:00Z")
    assert [it["version"] for it in promotion["between"]] == ["1.0.3", "1.0.2", "1.0.1"]
    assert promotion["between"][0]["report"] == "https://github.com/acme/flights/pull/3"
    assert promotion["between"][0]["approvers"] == ["grace"]
    assert promotion["after"]["image"] == IMAGE
    assert promotion["requirements"] == [
        {
            "environment": "staging",
            "is_met": True,
            "since": "2026-11-03T12:00:00Z",
            "live_seconds": 2 * 86_400,
            "soak_seconds": 86_400,
        }
    ]
    assert (promotion["promote"], promotion["reviewers"]) == ("pull-request", ["@acme/ml"])


def test_who_decides_is_read_where_the_base_has_it(project: Path, said: Said) -> None:
    said("promote", "iris", "production", "--version", "1.0.3")
    edit(project, '"@acme/ml"', '"@mallory"')
    assert effects(said)["promotions"][0]["reviewers"] == ["@acme/ml"]


def test_a_rollback_tells_what_it_takes_away_and_why(project: Path, said: Said) -> None:
    said("rollback", "iris", "staging", "--to", "1.0.0", "--reason", "it was\nslow @team")
    (promotion,) = effects(said)["promotions"]
    assert [it["version"] for it in promotion["between"]] == ["1.0.2", "1.0.1"]
    assert promotion["before"]["incident"]["reason"] == "it was\nslow @team"
    assert (promotion["direction"], promotion["was_live_before"]) == ("rollback", True)
    text = said("report", "--base", "main")
    assert "1.0.2, which goes, was rejected in staging on " in text
    assert "it was slow &#64;&#8203;team." in text


def test_an_overridden_rejection_is_told_with_both_reasons(project: Path, said: Said) -> None:
    said("rollback", "iris", "staging", "--to", "1.0.0", "--reason", "slow")
    commit_all(project)
    said(
        "promote", "iris", "staging", "--version", "1.0.2", "--override-rejection", "the load was the test's"
    )
    text = said("report", "--base", "HEAD")
    assert "❌ 1.0.2 was rejected in staging on " in text
    assert ": slow. It is to be live all the same: the load was the test's." in text


def test_a_broken_override_overrides_nothing(project: Path, said: Said) -> None:
    said("rollback", "iris", "staging", "--to", "1.0.0", "--reason", "slow")
    commit_all(project)
    said("promote", "iris", "staging", "--version", "1.0.2", "--override-rejection", "x")
    (project / "registry/iris/1.0.2.override.yaml").write_text("[")
    after = effects_since(said, "HEAD")["promotions"][0]["after"]
    assert after["incident"]["override"] is None
    assert after["problems"][0].startswith("registry/iris/1.0.2.override.yaml cannot be read: ")


def effects_since(said: Said, base: str) -> Any:
    return json.loads(said("report", "--base", base, "--format", "json"))["effects"]


def test_the_first_release_brings_all_before_it(project: Path, said: Said) -> None:
    edit(project, "  production:\n    iris: 1.0.0\n", "")
    commit_all(project)
    (gone,) = effects(said)["promotions"]
    assert (gone["direction"], gone["old"], gone["new"], gone["between"]) == ("withdrawal", "1.0.0", None, [])
    said("promote", "iris", "production", "--version", "1.0.1")
    (first,) = effects_since(said, "HEAD")["promotions"]
    assert (first["direction"], first["old"]) == ("first release", None)
    assert [it["version"] for it in first["between"]] == ["1.0.1", "1.0.0"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "registry/iris/1.0.2.yaml is not there: nothing is known of that release."),
        (b"[", "registry/iris/1.0.2.yaml cannot be read: "),
        (b"\xff", "registry/iris/1.0.2.yaml cannot be read: "),
        (
            b"- 1\n",
            "registry/iris/1.0.2.yaml is not what a release writes: expected a mapping, found a list.",
        ),
    ],
)
def test_a_record_that_cannot_be_read_is_told(
    project: Path, said: Said, content: bytes | None, problem: str
) -> None:
    """Of the version that is live: without a record of the next one nothing is rendered."""
    edit(project, "iris: 1.0.2", "iris: 1.0.3")
    path = record(project, "1.0.2")
    path.unlink() if content is None else path.write_bytes(content)
    (promotion,) = effects(said)["promotions"]
    assert promotion["before"]["problems"][0].startswith(problem)
    assert problem[:30] in said("report", "--base", "main")


def test_words_of_a_record_are_text_everywhere(project: Path, said: Said) -> None:
    path = record(project, "1.0.3")
    text = path.read_text()
    for old, new in (
        ("reason: --bump says so", 'reason: "<img src=x>@team | ${{ x }} \\e[2J"'),
        ("author: Ada <ada@example.com>", "author: '[Ada](https://evil.example)'"),
        ("https://github.com/acme/flights/pull/3", "javascript:alert(1)//`x`"),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    edit(project, "iris: 1.0.0", "iris: 1.0.3")
    markdown = said("report", "--base", "main")
    assert "<img" not in markdown
    assert "@team" not in markdown
    assert "[Ada](" not in markdown
    assert "<img" not in said("report", "--base", "main", "--format", "html")
    assert "\x1b" not in said("plan", "--base", "main")


def test_a_shallow_clone_says_what_it_does_not_know(project: Path, said: Said, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth", "1", project.as_uri(), "shallow")
    edit(tmp_path / "shallow", "iris: 1.0.0", "iris: 1.0.3")
    text = said("-C", str(tmp_path / "shallow"), "report", "--base", "HEAD")
    assert "⚠️ This clone is shallow: what was live before it begins is not known." in text


def test_a_candidate_is_told_with_the_version_that_its_release_would_get(project: Path, said: Said) -> None:
    train(project, "iris", "new", code="dead" * 8)
    (project / "models/iris/model.py").write_text("# changed\n")
    commit_all(project)
    (release,) = effects(said)["releases"]
    assert (release["outcome"], release["version"], release["image"]) == (
        "released",
        "1.1.0",
        "ghcr.io/acme/iris",
    )
    assert release["reason"] == "minor: the code or the settings that the model is made of changed"
    dry = json.loads(said("release", "iris", "--dry-run", "--format", "json"))["releases"][0]
    assert (dry["version"], f"{dry['bump']}: {dry['reason']}") == (release["version"], release["reason"])
    text = said("report", "--base", "main")
    assert (
        "| `iris` | production | once it has been live in staging for 1 d | with the approval of one of "
        in text
    )
    assert "| `iris` | staging | after the release | by itself, when its checks pass |" in text


def test_only_new_data_would_raise_the_last_part(project: Path, said: Said) -> None:
    train(project, "iris", "new", code="beef" * 8, as_of="2013-08-01")
    (release,) = effects(said)["releases"]
    assert (release["version"], release["reason"]) == (
        "1.0.4",
        "patch: only the data or the locked requirements moved",
    )


def test_an_artifact_that_was_released_already_stays(project: Path, said: Said) -> None:
    train(project, "iris", "1.0.3", code="dead" * 8)
    (release,) = effects(said)["releases"]
    assert (release["outcome"], release["version"]) == ("unchanged", "1.0.3")
