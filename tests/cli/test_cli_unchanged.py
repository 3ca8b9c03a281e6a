"""A second `lockgate check` of a project in which nothing changed answers from memory, and is never wrong."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import edit
from tests.cli.remembered import (
    HOUR_NS,
    MEMO,
    UNCHANGED,
    asked_of_kernel,
    later_check,
    later_command,
    outside_ci,
    paths_in_memo,
    remember,
    rest,
)

import lockgate as package
from lockgate.cli import main, remembering, unchanged
from lockgate.contract import SPEC_FILE
from lockgate.spec.schema import schema_path

Change = Callable[[Path], object]
FILE = "pipelines/iris/dvc.yaml"


@pytest.fixture
def remembered(rendered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch) -> Path:
    return remember(rendered, lockgate, monkeypatch)


def test_a_second_check_says_the_same_and_that_nothing_changed(remembered: Path, lockgate: Lockgate) -> None:
    first = lockgate("check", "--no-cache")
    second = lockgate("check")
    assert (second.code, second.err) == (first.code, first.err) == (0, "")
    assert second.out == re.sub(r"\(\d+\.\d\d s\)\n", UNCHANGED, first.out)


@pytest.mark.parametrize("arguments", [("check", "-C"), ("-C",)])
def test_the_project_may_be_named(
    remembered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    rest_of_line = () if arguments[0] == "check" else ("check",)
    link = remembered.parent / "link"
    link.symlink_to(remembered)
    monkeypatch.chdir("/")
    assert lockgate(*arguments, str(link), *rest_of_line).out.endswith(UNCHANGED)


def test_the_project_is_found_from_a_folder_below(
    remembered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(remembered / "pipelines/iris")
    assert lockgate("check").out.endswith(UNCHANGED)


def test_a_spec_in_a_nearer_folder_is_the_project(
    remembered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    (remembered / "pipelines/mlops.yaml").write_text("models: 1\n")
    monkeypatch.chdir(remembered / "pipelines/iris")
    assert lockgate("check").code == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--strict",),
        ("--no-cache",),
        ("--format", "json"),
        ("--format", "text"),
        ("--color", "never"),
        ("-C", ".", "--strict"),
    ],
)
def test_any_other_arguments_bring_a_new_check(
    remembered: Path, lockgate: Lockgate, arguments: tuple[str, ...]
) -> None:
    assert "unchanged" not in lockgate("check", *arguments).out


def test_usage_errors_stay_errors(remembered: Path, lockgate: Lockgate) -> None:
    assert lockgate("check", "-C", "nowhere").code == 2
    assert lockgate("check", "check").code == 2


def test_a_reader_that_has_seen_enough_is_no_error(rendered: Path) -> None:
    later_check(rendered)
    with subprocess.Popen(
        later_command("check"), cwd=rendered, env=outside_ci(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert (running.stderr.read(), running.wait(60)) == (b"", 141)


def test_an_answer_from_memory_imports_nothing_that_a_check_needs(rendered: Path) -> None:
    later_check(rendered)
    script = (
        "import sys; from lockgate.cli import main; main(['check']); "
        "print({'argparse', 'yaml', 'jsonschema_rs', 'lockgate.spec'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", script]
    ran = subprocess.run(command, cwd=rendered, env=outside_ci(), capture_output=True, text=True, check=True)
    assert ran.stdout.endswith(f"{UNCHANGED}set()\n")


def _edit_with_the_same_size_and_times(root: Path) -> None:
    before = (root / SPEC_FILE).stat()
    edit(root, "owner: botany", "owner: botani")
    assert (root / SPEC_FILE).stat().st_size == before.st_size
    os.utime(root / SPEC_FILE, ns=(before.st_atime_ns, before.st_mtime_ns))


def _write(path: str, text: str) -> Change:
    def change(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)

    return change


def _remove(path: str) -> Change:
    return lambda root: (root / path).unlink()


def _move_and_link(path: str) -> Change:
    """What is read through the link are the same files as before."""

    def change(root: Path) -> None:
        (root / path).rename(root.parent / "moved")
        (root / path).symlink_to(root.parent / "moved")

    return change


def _replace_by_the_same(path: str) -> Change:
    def change(root: Path) -> None:
        shutil.copy2(root / path, root / "copy")
        (root / "copy").rename(root / path)

    return change


def _add_an_orphan(root: Path) -> None:
    record = root / ".lockgate/files.json"
    orphan = "manifests/production/old.yaml"
    (root / orphan).write_text("")
    text = record.read_text()
    record.write_text(text.replace('"files": {', f'"files": {{"{orphan}": "{"0" * 64}",'))


CHANGES: dict[str, Change] = {
    "the spec, with the same size and times": _edit_with_the_same_size_and_times,
    "the spec, touched": lambda root: (root / SPEC_FILE).touch(),
    "the spec, the same bytes in a new file": _replace_by_the_same(SPEC_FILE),
    "the spec, moved behind a link": _move_and_link(SPEC_FILE),
    "a generated file, edited": _write(FILE, "stages: {}\n"),
    "a generated file, deleted": _remove(FILE),
    "a generated file, moved behind a link": _move_and_link(FILE),
    "a generated file, unreadable": lambda root: (root / FILE).chmod(0),
    "its folder, moved behind a link": _move_and_link("pipelines/iris"),
    "the folder above, moved behind a link": _move_and_link("manifests"),
    "the folder of the record of files, moved behind a link": _move_and_link(".lockgate"),
    "the record of files, deleted": _remove(".lockgate/files.json"),
    "the record of files, with an orphan": _add_an_orphan,
    "a file that the spec names, deleted": _remove("models/iris/model.py"),
    "requirements, deleted": _remove("requirements.txt"),
    "a first record": _write("registry/iris/1.0.0.yaml", "model: iris\n"),
    "a file named registry": _write("registry", ""),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_noticed(remembered: Path, lockgate: Lockgate, name: str) -> None:
    CHANGES[name](remembered)
    found = lockgate("check")
    expected = lockgate("check", "--no-cache")
    assert "unchanged" not in found.out
    assert (found.code, found.err) == (expected.code, expected.err)


def test_code_of_the_teams_that_only_has_to_be_there_may_change(remembered: Path, lockgate: Lockgate) -> None:
    (remembered / "models/iris/model.py").write_text("def build(): ...\n")
    assert lockgate("check").out.endswith(UNCHANGED)


def test_a_project_that_was_moved_is_unchanged(
    remembered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered.rename(remembered.parent / "elsewhere")
    monkeypatch.chdir(remembered.parent / "elsewhere")
    assert lockgate("check").out.endswith(UNCHANGED)


def test_a_project_that_was_copied_is_checked(
    remembered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(remembered, remembered.parent / "copy")
    monkeypatch.chdir(remembered.parent / "copy")
    assert "unchanged" not in lockgate("check").out


def _rewrite(path: Path) -> None:
    """The same bytes, size and times."""
    before = path.stat()
    path.write_bytes(path.read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


PROGRAM_CHANGES: dict[str, Change] = {
    "a module": lambda package: _rewrite(package / "plan/build.py"),
    "what recalls": lambda package: _rewrite(package / "cli/unchanged.py"),
    "the schema": lambda package: _rewrite(package / "schema/mlops.schema.json"),
    "a new file": lambda package: (package / "spec/more.py").touch(),
}


@pytest.mark.parametrize("name", PROGRAM_CHANGES)
def test_another_program_checks_anew(rendered: Path, tmp_path: Path, name: str) -> None:
    """What is changed is a copy of the program."""
    program = tmp_path / "program"
    source = Path(package.__file__).parent
    shutil.copytree(source, program / "lockgate", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(schema_path().parent, program / "lockgate/schema", dirs_exist_ok=True)
    environment = {"PYTHONPATH": str(program), "PYTHONDONTWRITEBYTECODE": "1"}
    assert "unchanged" not in later_check(rendered, **environment).stdout
    assert later_check(rendered, **environment).stdout.endswith(UNCHANGED)
    PROGRAM_CHANGES[name](program / "lockgate")
    assert "unchanged" not in later_check(rendered, **environment).stdout


def test_a_module_that_hides_the_programs_own_is_noticed(rendered: Path) -> None:
    """`python -c` looks for modules in the folder that it is started in."""
    later_check(rendered)
    assert later_check(rendered).stdout.endswith(UNCHANGED)
    (rendered / "yaml.py").write_text("raise ImportError('hidden')\n")
    assert "unchanged" not in later_check(rendered).stdout


def test_files_that_were_just_written_are_not_remembered(
    rendered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    assert lockgate("check").code == 0
    assert not (rendered / MEMO).exists()


def _change_at_the_end(patch: pytest.MonkeyPatch, root: Path, change: Change) -> None:
    """All that lay still until the check began counts as at rest; the change comes after everything was read."""
    patch.delenv("CI", raising=False)
    patch.setattr(remembering, "_REST_NS", 0)
    patch.setattr(unchanged, "STARTED_NS", time.time_ns() + HOUR_NS)
    keep = remembering.keep

    def change_and_keep(notes: remembering.Notes, said: str, asked: list[str]) -> None:
        change(root)
        keep(notes, said, asked)

    patch.setattr("lockgate.cli.check.keep", change_and_keep)


@pytest.mark.parametrize("name", CHANGES)
def test_what_changes_while_a_check_runs_is_not_remembered(
    rendered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (rendered / ".cache").mkdir()
    _change_at_the_end(monkeypatch, rendered, CHANGES[name])
    lockgate("check")
    assert not (rendered / MEMO).exists()


def test_what_does_not_change_while_a_check_runs_is_remembered(
    rendered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    (rendered / ".cache").mkdir()
    _change_at_the_end(monkeypatch, rendered, lambda root: None)
    lockgate("check")
    assert lockgate("check").out.endswith(UNCHANGED)


@pytest.mark.parametrize(
    "change",
    [_remove("models/iris/model.py"), _remove(FILE), _write(SPEC_FILE, "models: 1\n")],
    ids=["a warning", "a stale file", "an error"],
)
def test_only_a_check_that_found_nothing_is_remembered(
    rendered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch, change: Change
) -> None:
    rest(monkeypatch)
    change(rendered)
    lockgate("check")
    assert not (rendered / MEMO).exists()


def test_without_cache_nothing_is_written(
    rendered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(monkeypatch)
    assert lockgate("check", "--no-cache").code == 0
    assert not (rendered / ".cache").exists()


def test_in_ci_nothing_is_remembered_or_recalled(
    remembered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    assert "unchanged" not in lockgate("check").out
    shutil.rmtree(remembered / ".cache")
    lockgate("check")
    assert not (remembered / ".cache").exists()


def test_git_is_told_to_ignore_the_memo(remembered: Path) -> None:
    assert (remembered / ".cache/lockgate/.gitignore").read_text() == "*\n"


def test_a_folder_that_cannot_be_written_is_no_matter(
    rendered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(monkeypatch)
    (rendered / ".cache").write_text("a file")
    assert lockgate("check").code == 0
    assert (rendered / ".cache").read_text() == "a file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_project_is_no_matter(
    rendered: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(monkeypatch)
    rendered.chmod(0o555)
    assert lockgate("check").code == 0
    rendered.chmod(0o755)


def test_nothing_is_written_through_a_link(
    rendered: Path, tmp_path: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest(monkeypatch)
    (tmp_path / "elsewhere").mkdir()
    (rendered / ".cache").symlink_to(tmp_path / "elsewhere")
    assert lockgate("check").code == 0
    assert list((tmp_path / "elsewhere").iterdir()) == []


def _put_a_folder(memo: Path) -> None:
    memo.unlink()
    memo.mkdir()


def _put_a_pipe(memo: Path) -> None:
    memo.unlink()
    os.mkfifo(memo)


def _put_a_link(memo: Path) -> None:
    memo.rename(memo.with_name("other"))
    memo.symlink_to("other")


BROKEN: dict[str, Change] = {
    "empty": lambda memo: memo.write_bytes(b""),
    "zeros": lambda memo: memo.write_bytes(bytes(memo.stat().st_size)),
    "text": lambda memo: memo.write_text("ok"),
    "no UTF-8": lambda memo: memo.write_bytes(b"\xff" + memo.read_bytes()),
    "another format": lambda memo: memo.write_bytes(memo.read_bytes().replace(b"check 1", b"check 0", 1)),
    "half": lambda memo: memo.write_bytes(memo.read_bytes()[: memo.stat().st_size // 2]),
    "a folder": _put_a_folder,
    "a pipe": _put_a_pipe,
    "a link": _put_a_link,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_memo_is_ignored(remembered: Path, lockgate: Lockgate, name: str) -> None:
    BROKEN[name](remembered / MEMO)
    outcome = lockgate("check")
    assert (outcome.code, outcome.err) == (0, "")
    assert "unchanged" not in outcome.out


def test_a_memo_that_lacks_any_field_or_entry_is_ignored(remembered: Path) -> None:
    fields = (remembered / MEMO).read_bytes().split(b"\0")
    for index, count in ((index, count) for index in range(len(fields)) for count in (1, 2, len(fields))):
        (remembered / MEMO).write_bytes(b"\0".join(fields[:index] + fields[index + count :]))
        assert unchanged.recall(["check"]) is None


def test_a_memo_that_steers_the_terminal_is_ignored(remembered: Path) -> None:
    memo = remembered / MEMO
    memo.write_bytes(memo.read_bytes().replace(b"2 models", b"\x1b[2Jok"))
    assert unchanged.recall(["check"]) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_memo_of_another_user_is_ignored(remembered: Path) -> None:
    os.chown(remembered / MEMO, 12345, -1)
    assert unchanged.recall(["check"]) is None


def test_two_checks_at_once_leave_one_whole_memo(rendered: Path) -> None:
    both = [subprocess.Popen(later_command("check"), cwd=rendered, env=outside_ci()) for _ in range(2)]
    assert [it.wait(120) for it in both] == [0, 0]
    assert later_check(rendered).stdout.endswith(UNCHANGED)
    assert {it.name for it in (rendered / MEMO).parent.iterdir()} == {".gitignore", "check"}


EDITS = st.sampled_from(
    [
        lambda root: edit(root, "namespace: ml", "namespace: ml2") if "ml2" not in _spec(root) else None,
        lambda root: edit(root, "namespace: ml2", "namespace: ml") if "ml2" in _spec(root) else None,
        lambda root: main(["-C", str(root), "render"]),
        lambda root: (root / "requirements.txt").unlink(missing_ok=True),
        lambda root: (root / "requirements.txt").touch(),
        lambda root: (root / FILE).unlink(missing_ok=True),
        lambda root: (root / ".lockgate/files.json").unlink(missing_ok=True),
        lambda root: (root / "notes.txt").touch(),
        lambda root: shutil.rmtree(root / "manifests", ignore_errors=True),
        lambda root: None,
    ]
)


def _spec(root: Path) -> str:
    return (root / SPEC_FILE).read_text()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(edits=st.lists(EDITS, min_size=1, max_size=6))
def test_after_any_edits_memory_and_a_new_check_agree(
    remembered: Path, lockgate: Lockgate, edits: list[Change]
) -> None:
    for change in edits:
        change(remembered)
        expected = lockgate("check", "--no-cache")
        for _ in range(2):
            found = lockgate("check")
            assert (found.code, found.err) == (expected.code, expected.err)
            assert re.sub(r"\(.*\)\n", "", found.out) == re.sub(r"\(.*\)\n", "", expected.out)


def test_every_path_that_a_check_asks_the_kernel_for_is_in_its_memo(rendered: Path) -> None:
    asked = asked_of_kernel(rendered)
    assert FILE in asked
    assert asked <= paths_in_memo(rendered)


def test_the_name_of_the_spec_is_the_contracts() -> None:
    assert unchanged.SPEC_FILE == SPEC_FILE
