"""`lockgate render` and `lockgate eject`: what they write, what they refuse, and what they say."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.cli.conftest import Lockgate
from tests.cli.project_tree import edit

PIPELINE = "pipelines/iris/dvc.yaml"


def test_rendering_makes_a_project_that_checks(lockgate: Lockgate, project: Path) -> None:
    outcome = lockgate("render")
    assert outcome.code == 0
    assert f"wrote {PIPELINE}\n" in outcome.out
    assert lockgate("check").code == 0


def test_rendering_again_changes_nothing(lockgate: Lockgate, rendered: Path) -> None:
    count = len(json.loads((rendered / ".lockgate/files.json").read_text())["files"])
    assert lockgate("render").out == f"{count} files current, 0 changed\n"


def test_a_model_that_is_gone_takes_its_files_along(lockgate: Lockgate, rendered: Path) -> None:
    text = (rendered / "mlops.yaml").read_text()
    start, end = text.index("  wine:"), text.index("environments:")
    (rendered / "mlops.yaml").write_text(text[:start] + text[end:])
    outcome = lockgate("render")
    assert "deleted pipelines/wine/dvc.yaml\n" in outcome.out
    assert not (rendered / "pipelines/wine").exists()


def test_a_spec_with_errors_writes_nothing(lockgate: Lockgate, project: Path) -> None:
    edit(project, "owner: botany", "ownr: botany")
    outcome = lockgate("render")
    assert outcome.code == 1
    assert {path.name for path in project.iterdir()} == {"mlops.yaml", "models", "requirements.txt"}


def test_an_edited_file_refuses_the_whole_run(lockgate: Lockgate, rendered: Path) -> None:
    (rendered / PIPELINE).write_text("mine\n")
    (rendered / "pipelines/wine/dvc.yaml").unlink()
    outcome = lockgate("render")
    assert outcome.code == 3
    assert outcome.err.endswith("nothing was written\n")
    assert not (rendered / "pipelines/wine/dvc.yaml").exists()


def test_force_overwrites_the_edited_files_that_it_names(lockgate: Lockgate, rendered: Path) -> None:
    (rendered / PIPELINE).write_text("mine\n")
    assert lockgate("render", "--force", PIPELINE).code == 0
    assert lockgate("check").code == 0


def test_force_takes_paths_from_where_the_user_is(
    lockgate: Lockgate, rendered: Path, monkeypatch: object
) -> None:
    (rendered / PIPELINE).write_text("mine\n")
    monkeypatch.chdir(rendered / "pipelines/iris")  # type: ignore[attr-defined]
    assert lockgate("render", "--force", "dvc.yaml").code == 0


def test_force_outside_of_the_project_is_a_usage_error(lockgate: Lockgate, rendered: Path) -> None:
    assert lockgate("render", "--force", "../elsewhere").code == 2


def test_a_foreign_file_is_never_overwritten(lockgate: Lockgate, project: Path) -> None:
    foreign = project / ".github/workflows/lockgate-pr.yml"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("name: theirs\n")
    outcome = lockgate("render", "--force", ".github")
    assert outcome.code == 3
    assert "[file-foreign]" in outcome.err
    assert foreign.read_text() == "name: theirs\n"


def test_a_diff_applies_with_git_and_writes_nothing_itself(lockgate: Lockgate, committed: Path) -> None:
    edit(committed, "namespace: ml", "namespace: ml-live")
    outcome = lockgate("render", "--diff")
    assert outcome.code == 3
    assert lockgate("check").code == 3
    subprocess.run(["git", "apply"], cwd=committed, input=outcome.out.encode(), check=True)
    assert lockgate("render").out.endswith(", 0 changed\n")


def test_a_diff_of_a_current_project_is_empty(lockgate: Lockgate, rendered: Path) -> None:
    outcome = lockgate("render", "--diff")
    assert (outcome.code, outcome.out) == (0, "")


def test_a_diff_shows_no_escape_sequences_of_an_edited_file(lockgate: Lockgate, rendered: Path) -> None:
    (rendered / PIPELINE).write_text("\x1b[2Jmine\n")
    assert "-\\x1b[2Jmine\n" in lockgate("render", "--diff").out


def test_a_diff_is_coloured_on_request(lockgate: Lockgate, rendered: Path) -> None:
    (rendered / PIPELINE).write_text("mine\n")
    assert "\x1b[31m-mine\x1b[0m\n" in lockgate("render", "--diff", "--color", "always").out


def test_json_lists_what_was_done(lockgate: Lockgate, rendered: Path) -> None:
    (rendered / PIPELINE).unlink()
    outcome = lockgate("render", "--format", "json")
    assert json.loads(outcome.out) == {"written": [PIPELINE], "deleted": []}


def test_an_ejected_file_is_the_users(lockgate: Lockgate, rendered: Path) -> None:
    assert lockgate("eject", PIPELINE).code == 0
    (rendered / PIPELINE).write_text("mine\n")
    assert lockgate("render").code == 0
    assert lockgate("check").code == 0
    assert (rendered / PIPELINE).read_text() == "mine\n"


def test_an_ejected_file_is_taken_back(lockgate: Lockgate, rendered: Path) -> None:
    lockgate("eject", PIPELINE)
    (rendered / PIPELINE).write_text("mine\n")
    assert lockgate("eject", "--undo", PIPELINE).code == 0
    assert lockgate("render").code == 3
    assert lockgate("render", "--force", PIPELINE).code == 0
    assert lockgate("check").code == 0


def test_a_file_that_is_not_generated_cannot_be_ejected(lockgate: Lockgate, rendered: Path) -> None:
    outcome = lockgate("eject", "pipelines/iris/dvc.yml")
    assert outcome.code == 1
    assert outcome.err == (
        "error: 'pipelines/iris/dvc.yml' is not a generated file\n"
        "  = help: did you mean 'pipelines/iris/dvc.yaml'?\n"
    )
