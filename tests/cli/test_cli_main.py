"""What holds for every command: help, exit codes, colour, and failures that are nobody's spec."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import process

from lockgate.cli.terminal import printable, wants_colour

COMMANDS = ("init", "check", "render", "explain", "run", "report", "eject", "affected", "schema")


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_examples(lockgate: Lockgate, command: str) -> None:
    outcome = lockgate(command, "--help")
    assert outcome.code == 0
    assert f"examples:\n  lockgate {command}" in outcome.out


def test_the_help_names_the_exit_codes(lockgate: Lockgate) -> None:
    assert "3   generated files are not what the spec makes" in lockgate("--help").out


def test_no_command_is_a_usage_error(lockgate: Lockgate) -> None:
    assert lockgate().code == 2


def test_an_unknown_option_is_a_usage_error(lockgate: Lockgate) -> None:
    assert lockgate("check", "--nonsense").code == 2


def test_the_version_is_printed(lockgate: Lockgate) -> None:
    assert lockgate("--version").out == "lockgate 0.1.0\n"


def test_a_folder_without_a_spec_says_how_to_start(
    lockgate: Lockgate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = lockgate("check")
    assert outcome.code == 2
    assert outcome.err == (
        "error: no mlops.yaml here or in a folder above\n"
        "  = help: name the project's folder with -C, or make a project with `lockgate init`\n"
    )


@pytest.mark.parametrize("place", ["before", "after"])
def test_the_project_is_named_before_or_after_the_command(
    lockgate: Lockgate, rendered: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir("/")
    option = ("-C", str(rendered))
    outcome = lockgate(*option, "check") if place == "before" else lockgate("check", *option)
    assert outcome.code == 0


def test_the_project_is_found_from_a_folder_below(
    lockgate: Lockgate, rendered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(rendered / "pipelines/iris")
    assert lockgate("check").code == 0


def test_a_bug_asks_for_a_report(lockgate: Lockgate, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("lockgate.cli.check.compile_project", fail)
    outcome = lockgate("check")
    assert outcome.code == 70
    assert "ZeroDivisionError: division by zero" in outcome.err
    assert "error: this is a bug in Lockgate 0.1.0, not a mistake of yours" in outcome.err


def test_a_reader_that_has_seen_enough_is_no_error(rendered: Path) -> None:
    command = [sys.executable, "-m", "lockgate", "schema"]
    with subprocess.Popen(command, cwd=rendered, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(60) == 141


def test_an_interrupt_ends_quietly_with_130(
    lockgate: Lockgate, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lockgate.cli.check.compile_project", interrupt)
    outcome = lockgate("check")
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "")


def test_a_stream_without_unicode_gets_escapes(rendered: Path) -> None:
    path = rendered / "mlops.yaml"
    path.write_text(path.read_text().replace("owner: botany", "owner: Büro"))
    result = process(rendered, "explain", "models.iris.owner", PYTHONIOENCODING="ascii")
    assert result.returncode == 0
    assert result.stdout.startswith('models.iris.owner: "B\\xfcro"\n')


def test_checking_imports_no_template_engine_and_no_data_science(rendered: Path) -> None:
    assert imported_by_check(rendered, {"jinja2", "numpy", "pandas", "dvc", "asyncio"}) == "[] 0"


def test_checking_what_was_never_released_imports_nothing_that_runs_git(rendered: Path) -> None:
    assert imported_by_check(rendered, {"subprocess", "dataclasses"}) == "[] 0"


def imported_by_check(root: Path, modules: set[str]) -> str:
    """Which of the modules a check brings in, and its exit code."""
    script = (
        "import sys; from lockgate.cli import main; code = main(['check']); "
        f"print(sorted({modules!r} & set(sys.modules)), code)"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    return result.stdout.splitlines()[-1]


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environment", "choice", "on_screen", "in_pipe"),
    [
        ({}, "auto", True, False),
        ({"NO_COLOR": "1"}, "auto", False, False),
        ({"NO_COLOR": "", "TERM": "xterm"}, "auto", True, False),
        ({"FORCE_COLOR": "1"}, "auto", True, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", False, False),
        ({"TERM": "dumb"}, "auto", False, False),
        ({"NO_COLOR": "1"}, "always", True, True),
        ({"FORCE_COLOR": "1"}, "never", False, False),
    ],
)
def test_colour_is_where_it_is_wanted(
    environment: dict[str, str], choice: str, on_screen: bool, in_pipe: bool
) -> None:
    assert choice in {"auto", "always", "never"}
    assert wants_colour(Screen(), environment, choice) is on_screen  # type: ignore[arg-type]
    assert wants_colour(io.StringIO(), environment, choice) is in_pipe  # type: ignore[arg-type]


def test_text_that_steers_terminals_is_shown_escaped() -> None:
    assert printable("a\x1b[31m\u202eb\tü🚀\r") == "a\\x1b[31m\\u202eb\tü🚀\\r"


def test_an_unreadable_spec_is_a_clear_error(lockgate: Lockgate, project: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads every file")
    (project / "mlops.yaml").chmod(0)
    assert lockgate("check").err.startswith("error: cannot read mlops.yaml: Permission denied\n")
