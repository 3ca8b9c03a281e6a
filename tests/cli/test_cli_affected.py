"""`lockgate affected`: which models a change in a real Git repository touches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import commit, edit, git


def affected(lockgate: Lockgate, base: str = "main") -> dict[str, list[str]]:
    outcome = lockgate("affected", "--base", base, "--format", "json")
    assert outcome.code == 0, outcome.err
    return {it["model"]: it["reasons"] for it in json.loads(outcome.out)["models"]}


@pytest.fixture
def branch(committed: Path) -> Path:
    """The committed project, on a branch of its own."""
    git(committed, "checkout", "--quiet", "-b", "change")
    return committed


def test_nothing_changed_affects_nothing(lockgate: Lockgate, branch: Path) -> None:
    assert affected(lockgate) == {}
    assert lockgate("affected", "--base", "main").out == ("no model is affected by what changed since main\n")


def test_a_key_that_the_pipeline_reads_affects_its_model(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "depth: 3", "depth: 4")
    commit(branch)
    assert affected(lockgate) == {"iris": ["mlops.yaml: models.iris.train"]}


def test_a_change_of_serving_affects_no_model(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "serve: {}", "serve: {replicas: {min: 4}}")
    lockgate("render")
    commit(branch)
    assert affected(lockgate) == {}


def test_a_new_model_is_affected(lockgate: Lockgate, branch: Path) -> None:
    edit(
        branch,
        "environments:",
        "  tea:\n    owner: x\n    task: regression\n    data: {source: tea.csv, target: y}\n"
        "    train: {estimator: models.tea.model:build}\nenvironments:",
    )
    commit(branch)
    assert affected(lockgate) == {"tea": ["mlops.yaml: models.tea is new"]}


@pytest.mark.parametrize(
    ("path", "models"),
    [
        ("models/iris/data.py", ["iris"]),
        ("models/iris/deep/er.py", ["iris"]),
        ("pipelines/wine/dvc.lock", ["wine"]),
        ("requirements.txt", ["iris", "wine"]),
        (".dvc/config", ["iris", "wine"]),
        (".dvcignore", ["iris", "wine"]),
        ("docs/models/iris/data.md", []),
        ("models/iris2/data.py", []),
        ("README.md", []),
    ],
)
def test_a_changed_file_affects_the_models_that_watch_it(
    lockgate: Lockgate, branch: Path, path: str, models: list[str]
) -> None:
    (branch / path).parent.mkdir(parents=True, exist_ok=True)
    (branch / path).write_text("x\n")
    commit(branch)
    assert affected(lockgate) == {model: [path] for model in models}


def test_a_deleted_file_counts(lockgate: Lockgate, committed: Path) -> None:
    (committed / "models/iris").mkdir(parents=True, exist_ok=True)
    (committed / "models/iris/old.py").write_text("# changed\n")
    commit(committed)
    git(committed, "checkout", "--quiet", "-b", "change")
    git(committed, "rm", "--quiet", "models/iris/old.py")
    commit(committed)
    assert affected(lockgate) == {"iris": ["models/iris/old.py"]}


def test_a_file_with_a_strange_name_is_read_as_it_is(lockgate: Lockgate, branch: Path) -> None:
    strange = branch / 'models/iris/ü "x"\n.py'
    strange.parent.mkdir(parents=True, exist_ok=True)
    strange.write_text("# changed\n")
    commit(branch)
    assert affected(lockgate) == {"iris": ['models/iris/ü "x"\n.py']}
    assert lockgate("affected", "--base", "main").out == 'iris: models/iris/ü "x"\\n.py\n'


def test_uncommitted_changes_count(lockgate: Lockgate, branch: Path) -> None:
    (branch / "models/wine").mkdir(parents=True, exist_ok=True)
    (branch / "models/wine/model.py").write_text("# changed\n")
    assert affected(lockgate) == {"wine": ["models/wine/model.py"]}


def test_what_the_base_gained_since_does_not_count(lockgate: Lockgate, branch: Path) -> None:
    git(branch, "checkout", "--quiet", "main")
    edit(branch, "depth: 3", "depth: 4")
    commit(branch)
    git(branch, "checkout", "--quiet", "change")
    assert affected(lockgate) == {}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("project:\n", 'project:\n  python: "3.12"\n', "mlops.yaml: project.python"),
        ("environments:", "ci: {runner: large}\nenvironments:", "mlops.yaml: ci"),
    ],
)
def test_what_holds_for_all_pipelines_affects_all_models(
    lockgate: Lockgate, branch: Path, old: str, new: str, reason: str
) -> None:
    edit(branch, old, new)
    commit(branch)
    assert affected(lockgate) == {"iris": [reason], "wine": [reason]}


@pytest.mark.parametrize("break_spec", ["remove", "garble"])
def test_a_base_without_a_usable_spec_affects_all_models(
    lockgate: Lockgate, committed: Path, break_spec: str
) -> None:
    spec = (committed / "mlops.yaml").read_text()
    if break_spec == "remove":
        (committed / "mlops.yaml").unlink()
    else:
        (committed / "mlops.yaml").write_text("apiVersion: [")
    commit(committed)
    git(committed, "checkout", "--quiet", "-b", "change")
    (committed / "mlops.yaml").write_text(spec)
    commit(committed)
    reason = "the base has no mlops.yaml that can be read"
    assert affected(lockgate) == {"iris": [reason], "wine": [reason]}


def test_the_output_for_github_is_one_line_of_json(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "depth: 3", "depth: 4")
    assert lockgate("affected", "--base", "main", "--format", "github-output").out == (
        'models=[{"model":"iris","runner":"ubuntu-24.04","timeout_minutes":60}]\n'
    )


@pytest.mark.parametrize("reference", ["nonsense", "--output=x", "", "main:mlops.yaml"])
def test_an_unknown_base_is_a_usage_error(lockgate: Lockgate, committed: Path, reference: str) -> None:
    outcome = lockgate("affected", f"--base={reference}")
    assert outcome.code == 2
    assert outcome.err.startswith(f"error: Git knows no commit '{reference}'\n")
    assert not (committed / "x").exists()


def test_a_project_outside_of_git_is_a_clear_error(lockgate: Lockgate, project: Path) -> None:
    outcome = lockgate("affected", "--base", "main")
    assert outcome.code == 1
    assert "is in no Git repository" in outcome.err


def test_a_project_below_the_top_of_its_repository_sees_its_own_paths(
    lockgate: Lockgate, committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tmp_path / "top"
    top.mkdir()
    git(top, "init", "--quiet", "--initial-branch=main")
    (committed / ".git").rename(tmp_path / "unused")
    committed.rename(top / "project")
    monkeypatch.chdir(top / "project")
    commit(top)
    (top / "project/models/iris").mkdir(parents=True, exist_ok=True)
    (top / "project/models/iris/data.py").write_text("# changed\n")
    commit(top)
    assert affected(lockgate, "HEAD~1") == {"iris": ["models/iris/data.py"]}


def test_histories_that_do_not_meet_are_compared_as_they_are(lockgate: Lockgate, committed: Path) -> None:
    git(committed, "checkout", "--quiet", "--orphan", "other")
    (committed / "models/iris").mkdir(parents=True, exist_ok=True)
    (committed / "models/iris/data.py").write_text("# changed\n")
    commit(committed)
    assert affected(lockgate) == {"iris": ["models/iris/data.py"]}
