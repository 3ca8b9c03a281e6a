"""GitHub by way of `gh`: what is said where it does not answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.cli.failure import Failure
from lockgate.cli.pull_requests import github
from lockgate.cli.pull_requests.github import GitHub

API = "https://github.example/api/v3"


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program `gh`, to be written."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "gh"


def write(program: Path, line: str) -> None:
    program.write_text(f"#!/bin/sh\n{line}\n")
    program.chmod(0o755)


def refusal(root: Path) -> str:
    asking = GitHub(root=root, repository="acme/models", api=API, graphql=f"{API}/graphql")
    with pytest.raises(Failure) as raised:
        asking.pull_request_of("topic")
    return raised.value.message


def test_one_that_is_silent_is_waited_for_so_long_and_no_longer(
    asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(github, "_PATIENCE_SECONDS", 0.2)
    write(asked, "exec sleep 60")
    address = f"{API}/repos/acme/models/pulls?head=acme:topic&state=all"
    assert refusal(asked.parent) == f"GitHub did not answer GET {address} within 0.2 seconds"


def test_one_that_refuses_is_quoted_without_what_a_terminal_would_obey(asked: Path) -> None:
    write(asked, "printf 'gh: Not Found\\033[2J (HTTP 404)\\n' >&2; exit 1")
    assert refusal(asked.parent).endswith("gh: Not Found\\x1b[2J (HTTP 404)")


def test_an_answer_that_is_not_json_is_a_refusal(asked: Path) -> None:
    write(asked, "echo '<html>'")
    assert refusal(asked.parent).endswith("exit code 0")
