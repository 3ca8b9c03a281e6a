"""Writing: what it changes, what it leaves alone, and what is left of it when it is killed."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from lockgate.output import (
    OutputError,
    State,
    Written,
    compare,
    diff,
    eject,
    locked,
    overwriting,
    take_back,
    write,
)

CI = ".github/workflows/ci.yml"
PIPELINE = "pipelines/iris/dvc.yaml"
RENDERED = {CI: "name: ci\n", PIPELINE: "stages: {}\n"}


def render(root: Path, rendered: dict[str, str] = RENDERED) -> Written:
    return write(root, compare(root, rendered))


def tree(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and ".lockgate" not in path.relative_to(root).parts
    }


def test_missing_files_are_written_and_said(tmp_path: Path) -> None:
    assert render(tmp_path) == Written(written=(CI, PIPELINE), deleted=())
    assert tree(tmp_path) == RENDERED


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    render(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert render(tmp_path) == Written(written=(), deleted=())
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_files_have_mode_0644(tmp_path: Path) -> None:
    previous = os.umask(0o022)
    try:
        render(tmp_path)
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / CI).stat().st_mode) == 0o644


def test_orphans_go_with_their_empty_folders_and_other_files_stay(tmp_path: Path) -> None:
    other = {**RENDERED, "pipelines/wine/dvc.yaml": "x\n", "manifests/a/b/c.yaml": "x\n"}
    render(tmp_path, other)
    (tmp_path / "pipelines/wine/dvc.lock").write_text("kept\n")
    assert render(tmp_path).deleted == ("manifests/a/b/c.yaml", "pipelines/wine/dvc.yaml")
    assert tree(tmp_path) == {**RENDERED, "pipelines/wine/dvc.lock": "kept\n"}
    assert not (tmp_path / "manifests").exists()


def test_a_refused_file_lets_nothing_be_written(tmp_path: Path) -> None:
    render(tmp_path)
    (tmp_path / CI).write_text("mine\n")
    with pytest.raises(AssertionError):
        render(tmp_path, {**RENDERED, PIPELINE: "new\n"})
    assert tree(tmp_path) == {CI: "mine\n", PIPELINE: RENDERED[PIPELINE]}


def test_an_edit_is_overwritten_when_it_is_named(tmp_path: Path) -> None:
    render(tmp_path)
    (tmp_path / CI).write_text("mine\n")
    write(tmp_path, overwriting(compare(tmp_path, RENDERED), [CI]))
    assert compare(tmp_path, RENDERED).is_current


def test_text_that_is_not_ascii_survives(tmp_path: Path) -> None:
    rendered = {PIPELINE: "desc: größer 🚀\n"}
    render(tmp_path, rendered)
    assert (tmp_path / PIPELINE).read_bytes() == rendered[PIPELINE].encode()


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root writes everywhere")
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="permission denied"):
            render(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_disk_that_refuses_a_file_is_a_clear_error_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    script = f"""
        import resource, signal
        from pathlib import Path
        from lockgate.output import OutputError, compare, write
        root = Path({str(tmp_path)!r})
        rendered = {{"pipelines/big": "x" * 100_000}}
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
        try:
            write(root, compare(root, rendered))
        except OutputError as error:
            print(error.message)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    assert result.stdout == "cannot write 'pipelines/big': file too large\n"
    assert list((tmp_path / "pipelines").iterdir()) == []


def test_leftovers_of_a_killed_run_are_removed(tmp_path: Path) -> None:
    render(tmp_path)
    leftover = tmp_path / "pipelines/iris/.lockgate-0123456789abcdef.tmp"
    theirs = tmp_path / "pipelines/iris/.lockgate-notes.tmp"
    leftover.touch()
    theirs.touch()
    render(tmp_path)
    assert not leftover.exists()
    assert theirs.exists()


def test_a_diff_shows_new_changed_and_deleted_files(tmp_path: Path) -> None:
    render(tmp_path)
    comparison = compare(tmp_path, {CI: "name: new\n", "manifests/a": "x"})
    assert list(diff(tmp_path, comparison)) == [
        "--- a/.github/workflows/ci.yml",
        "+++ b/.github/workflows/ci.yml",
        "@@ -1 +1 @@",
        "-name: ci",
        "+name: new",
        "--- /dev/null",
        "+++ b/manifests/a",
        "@@ -0,0 +1 @@",
        "+x",
        "\\ No newline at end of file",
        "--- a/pipelines/iris/dvc.yaml",
        "+++ /dev/null",
        "@@ -1 +0,0 @@",
        "-stages: {}",
    ]


def test_an_ejected_file_is_neither_written_nor_compared(tmp_path: Path) -> None:
    render(tmp_path)
    eject(tmp_path, compare(tmp_path, RENDERED), CI)
    (tmp_path / CI).write_text("mine\n")
    assert compare(tmp_path, RENDERED).is_current
    render(tmp_path, {**RENDERED, PIPELINE: "new\n"})
    assert tree(tmp_path) == {CI: "mine\n", PIPELINE: "new\n"}


def test_an_ejected_file_taken_back_counts_as_edited(tmp_path: Path) -> None:
    render(tmp_path)
    eject(tmp_path, compare(tmp_path, RENDERED), CI)
    (tmp_path / CI).write_text("mine\n")
    take_back(tmp_path, compare(tmp_path, RENDERED), CI)
    assert [it.state for it in compare(tmp_path, RENDERED).files] == [State.EDITED, State.CURRENT]


def test_only_generated_files_are_ejected(tmp_path: Path) -> None:
    render(tmp_path)
    with pytest.raises(OutputError) as error:
        eject(tmp_path, compare(tmp_path, RENDERED), ".github/workflows/cl.yml")
    assert error.value.help == "did you mean '.github/workflows/ci.yml'?"


def test_a_second_writer_waits_and_then_gives_up(tmp_path: Path) -> None:
    said: list[str] = []
    with (
        locked(tmp_path, say=said.append),
        pytest.raises(OutputError, match="for too long"),
        locked(tmp_path, say=said.append, patience_seconds=0),
    ):
        pass
    assert said == ["another Lockgate is writing here; waiting for it"]


def test_a_second_writer_goes_on_when_the_first_is_done(tmp_path: Path) -> None:
    waiting = threading.Event()

    def second() -> None:
        with locked(tmp_path, say=lambda _: waiting.set()):
            pass

    thread = threading.Thread(target=second)
    with locked(tmp_path, say=lambda _: None):
        thread.start()
        assert waiting.wait(10)
    thread.join(10)
    assert not thread.is_alive()
