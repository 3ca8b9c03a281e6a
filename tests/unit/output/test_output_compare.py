"""States of files, and what is said of each."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from lockgate.output import OutputError, State, compare, diagnose, overwriting, write

CI = ".github/workflows/ci.yml"
PIPELINE = "pipelines/iris/dvc.yaml"
RENDERED = {CI: "name: ci\n", PIPELINE: "stages: {}\n"}


def render(root: Path, rendered: dict[str, str] = RENDERED) -> None:
    write(root, compare(root, rendered))


def states(root: Path, rendered: dict[str, str] = RENDERED) -> dict[str, str]:
    return {file.path: file.state.value for file in compare(root, rendered).files}


def said(root: Path, rendered: dict[str, str] = RENDERED) -> list[tuple[str, str]]:
    return [(it.rule, it.file) for it in diagnose(compare(root, rendered))]


def test_files_that_do_not_exist_are_missing(tmp_path: Path) -> None:
    assert states(tmp_path) == {CI: "missing", PIPELINE: "missing"}
    assert said(tmp_path) == [("file-missing", CI), ("file-missing", PIPELINE)]


def test_written_files_are_current_and_nothing_is_said(tmp_path: Path) -> None:
    render(tmp_path)
    comparison = compare(tmp_path, RENDERED)
    assert states(tmp_path) == {CI: "current", PIPELINE: "current"}
    assert comparison.is_current
    assert diagnose(comparison) == ()


def test_an_untouched_file_that_the_spec_makes_otherwise_is_stale(tmp_path: Path) -> None:
    render(tmp_path)
    assert said(tmp_path, {**RENDERED, CI: "name: new\n"}) == [("file-stale", CI)]


@pytest.mark.parametrize("rendered", [RENDERED, {**RENDERED, CI: "name: new\n"}])
def test_a_file_changed_by_hand_is_edited_whether_the_spec_changed_or_not(
    tmp_path: Path, rendered: dict[str, str]
) -> None:
    render(tmp_path)
    (tmp_path / CI).write_text("name: mine\n")
    assert said(tmp_path, rendered) == [("file-edited", CI)]


def test_an_edit_of_equal_length_is_seen(tmp_path: Path) -> None:
    render(tmp_path)
    (tmp_path / CI).write_text("name: cj\n")
    assert states(tmp_path)[CI] == "edited"


def test_an_edit_to_what_would_be_written_is_current_but_the_record_is_stale(tmp_path: Path) -> None:
    render(tmp_path)
    (tmp_path / CI).write_text("name: new\n")
    rendered = {**RENDERED, CI: "name: new\n"}
    assert states(tmp_path, rendered)[CI] == "current"
    assert said(tmp_path, rendered) == [("file-stale", ".lockgate/files.json")]


def test_a_file_that_is_no_longer_rendered_is_an_orphan(tmp_path: Path) -> None:
    render(tmp_path)
    assert said(tmp_path, {CI: RENDERED[CI]}) == [("file-orphan", PIPELINE)]
    assert states(tmp_path, {CI: RENDERED[CI]})[PIPELINE] == "orphan"


def test_an_orphan_with_an_edit_is_told_apart(tmp_path: Path) -> None:
    render(tmp_path)
    (tmp_path / PIPELINE).write_text("mine\n")
    assert states(tmp_path, {CI: RENDERED[CI]})[PIPELINE] == "orphan-edited"


def test_a_file_in_the_way_that_was_never_recorded_is_foreign(tmp_path: Path) -> None:
    (tmp_path / CI).parent.mkdir(parents=True)
    (tmp_path / CI).write_text("name: somebody's\n")
    assert states(tmp_path) == {CI: "foreign", PIPELINE: "missing"}


def test_an_unrecorded_file_with_the_right_bytes_is_adopted(tmp_path: Path) -> None:
    (tmp_path / CI).parent.mkdir(parents=True)
    (tmp_path / CI).write_text(RENDERED[CI])
    assert states(tmp_path)[CI] == "current"


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/etc/passwd")])
def test_what_is_no_plain_file_is_foreign(tmp_path: Path, make: object) -> None:
    (tmp_path / CI).parent.mkdir(parents=True)
    make(tmp_path / CI)  # type: ignore[operator]
    assert states(tmp_path)[CI] == "foreign"


def test_a_folder_that_is_a_link_makes_all_in_it_foreign(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    root = tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (root / ".github").symlink_to(outside)
    found = diagnose(compare(root, RENDERED))[0]
    assert found.message == (
        "a file that is not Lockgate's is where a generated one belongs: '.github' is a symbolic link"
    )


def test_a_file_where_a_folder_belongs_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "pipelines").write_text("")
    assert states(tmp_path)[PIPELINE] == "foreign"


def test_overwriting_releases_edits_under_a_folder_and_nothing_foreign(tmp_path: Path) -> None:
    render(tmp_path)
    (tmp_path / CI).write_text("mine\n")
    (tmp_path / PIPELINE).write_text("mine\n")
    new = {**RENDERED, "pipelines/iris/x": "x\n"}
    (tmp_path / "pipelines/iris/x").write_text("theirs\n")
    released = overwriting(compare(tmp_path, new), ["pipelines/"])
    assert {it.path: it.state for it in released.files} == {
        CI: State.EDITED,
        PIPELINE: State.STALE,
        "pipelines/iris/x": State.FOREIGN,
    }


def test_an_unreadable_file_is_a_clear_error(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads every file")
    render(tmp_path)
    (tmp_path / CI).chmod(0)
    with pytest.raises(OutputError, match=r"cannot read .*ci.yml.: permission denied"):
        compare(tmp_path, RENDERED)


def test_thousands_of_files_are_compared_in_seconds(tmp_path: Path) -> None:
    body = "apiVersion: v1\n" + "key: value\n" * 150
    rendered = {
        f"manifests/production/model-{i // 13}/{i % 13}.yaml": f"{body}n: {i}\n" for i in range(2_000)
    }
    render(tmp_path, rendered)
    start = time.process_time()
    assert compare(tmp_path, rendered).is_current
    assert time.process_time() - start < 2
