"""`lockgate check` and `lockgate explain`: what they say, where, and with which exit code."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import edit


def test_a_sound_project_is_summed_up_in_a_line(lockgate: Lockgate, rendered: Path) -> None:
    outcome = lockgate("check")
    assert outcome.code == 0
    assert outcome.err == ""
    count = len(json.loads((rendered / ".lockgate/files.json").read_text())["files"])
    pattern = rf"mlops\.yaml: ok: 2 models, 1 environment, {count} files current \(\d+\.\d\d s\)\n"
    assert re.fullmatch(pattern, outcome.out)


def test_an_error_in_the_spec_points_at_it_and_exits_1(lockgate: Lockgate, rendered: Path) -> None:
    edit(rendered, "owner: botany", "ownr: botany")
    outcome = lockgate("check")
    assert outcome.code == 1
    assert outcome.out == ""
    assert outcome.err.startswith("mlops.yaml:6:")
    assert "did you mean 'owner'?" in outcome.err


def test_a_spec_that_is_no_yaml_exits_1(lockgate: Lockgate, project: Path) -> None:
    (project / "mlops.yaml").write_bytes(b"\xff\xfe\x00")
    assert lockgate("check").code == 1


def test_stale_files_exit_3(lockgate: Lockgate, rendered: Path) -> None:
    edit(rendered, "namespace: ml", "namespace: ml-live")
    outcome = lockgate("check")
    assert outcome.code == 3
    assert "manifests/production/namespace.yaml: error: the file is stale" in outcome.err


def test_files_edited_by_hand_exit_3(lockgate: Lockgate, rendered: Path) -> None:
    (rendered / "pipelines/iris/dvc.yaml").write_text("stages: {}\n")
    outcome = lockgate("check")
    assert outcome.code == 3
    assert (
        "pipelines/iris/dvc.yaml: error: the generated file was edited by hand [file-edited]" in outcome.err
    )


def test_a_hostile_record_of_files_exits_1(lockgate: Lockgate, rendered: Path) -> None:
    (rendered / ".lockgate/files.json").write_text('{"version": 1, "files": {"/etc/passwd": "x"}}')
    outcome = lockgate("check")
    assert outcome.code == 1
    assert "ownership-file" in outcome.err


def test_thousands_of_findings_of_a_kind_are_told_in_a_screenful(lockgate: Lockgate, rendered: Path) -> None:
    models = "".join(
        f"  m{i}:\n    owner: x\n    task: regression\n    data: {{source: d.csv, target: y}}\n"
        "    train: {estimator: models.iris.model:build}\n"
        for i in range(60)
    )
    edit(rendered, "environments:", f"{models}environments:")
    outcome = lockgate("check")
    assert outcome.err.count("[file-missing]") == 21
    assert "(and 39 more files)" in outcome.err


def test_json_has_every_finding_and_nothing_else(lockgate: Lockgate, rendered: Path) -> None:
    for model in ("iris", "wine"):
        (rendered / f"pipelines/{model}/dvc.yaml").unlink()
    outcome = lockgate("check", "--format", "json")
    assert outcome.code == 3
    assert outcome.err == ""
    found = json.loads(outcome.out)["diagnostics"]
    assert [(it["rule"], it["file"]) for it in found] == [
        ("file-missing", "pipelines/iris/dvc.yaml"),
        ("file-missing", "pipelines/wine/dvc.yaml"),
    ]


def test_github_gets_workflow_commands(lockgate: Lockgate, rendered: Path) -> None:
    edit(rendered, "owner: botany", "ownr: botany")
    outcome = lockgate("check", "--format", "github")
    assert outcome.code == 1
    assert outcome.out.startswith("::error file=mlops.yaml,")


def test_sarif_is_printed(lockgate: Lockgate, rendered: Path) -> None:
    assert json.loads(lockgate("check", "--format", "sarif").out)["runs"][0]["results"] == []


def test_strict_fails_on_a_warning(lockgate: Lockgate, rendered: Path) -> None:
    lockgate("eject", "pipelines/iris/dvc.yaml")
    edit(rendered, "params: {depth: 3}", "params: {depth: 3}, seed: 7")
    lockgate("render")
    assert lockgate("check").code == 0
    outcome = lockgate("check", "--strict")
    assert outcome.code == 1
    assert "pipelines/iris/dvc.yaml: warning: the file was ejected" in outcome.err


def test_explain_tells_origin_and_what_it_overrides(lockgate: Lockgate, project: Path) -> None:
    edit(project, "serve: {}", "serve: {replicas: {min: 3}}")
    outcome = lockgate("explain", "models.iris.serve.replicas.min")
    assert outcome.code == 0
    assert outcome.out == (
        "models.iris.serve.replicas.min: 3\n"
        "  from       mlops.yaml:10\n"
        "  overrides  2 from default\n"
        "  means      The fewest pods.\n"
        "  example    2\n"
    )


def test_explain_without_a_path_has_a_line_a_value(lockgate: Lockgate, project: Path) -> None:
    outcome = lockgate("explain")
    assert re.search(r'^models\.iris\.owner: "botany" +# mlops\.yaml:6$', outcome.out, re.MULTILINE)
    assert re.search(r'^project\.branch: "main" +# default$', outcome.out, re.MULTILINE)


def test_explain_gives_json(lockgate: Lockgate, project: Path) -> None:
    (found,) = json.loads(lockgate("explain", "project.branch", "--format", "json").out)
    assert (found["path"], found["origin"]) == ("project.branch", {"value": "main", "source": "default"})


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [(("models.iris.ownr",), "owner"), (("models", "--env", "productin"), "production")],
)
def test_explain_of_an_unknown_place_is_a_usage_error(
    lockgate: Lockgate, project: Path, arguments: tuple[str, ...], hint: str
) -> None:
    outcome = lockgate("explain", *arguments)
    assert outcome.code == 2
    assert hint in outcome.err


def test_the_schema_is_printed_as_it_is_published(lockgate: Lockgate, project: Path) -> None:
    outcome = lockgate("schema")
    assert json.loads(outcome.out)["title"] == "mlops.yaml"
    lockgate("schema", "--output", "here/mlops.schema.json")
    assert (project / "here/mlops.schema.json").read_text() == outcome.out


def test_files_that_the_spec_names_and_that_are_not_there_are_warnings(
    rendered: Path, lockgate: Lockgate
) -> None:
    (rendered / "models/iris/model.py").unlink()
    checked = lockgate("check", "--format", "json")
    (warning,) = json.loads(checked.out)["diagnostics"]
    assert (checked.code, warning["rule"], warning["severity"]) == (0, "missing-file", "warning")
    assert warning["message"] == "there is no file 'models/iris/model.py'"
    assert lockgate("check", "--strict").code == 1
