"""Any interleaving of release, promote, rollback and revert, on real Git repositories."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.cli.project_tree import git
from tests.registry.conftest import copied
from tests.registry.team import IMAGE, head, pull, train

from lockgate.cli import main
from lockgate.registry import shelf
from lockgate.registry.git import Git
from lockgate.registry.history import events, live_at
from lockgate.registry.pins import pins_in

MODELS = st.sampled_from(["iris", "iris", "wine"])
ENVIRONMENTS = st.sampled_from(["staging", "production"])
QUICK = {"core.fsync": "none", "maintenance.auto": "false", "receive.autogc": "false"}
"""Git's settings: nobody needs these repositories after a crash."""
ENOUGH = dict.fromkeys(("release", "promote", "rollback", "revert"), 1)
"""How many of each have to have moved something over all examples: none would show nothing."""


@pytest.mark.slow
def test_any_interleaving_keeps_the_invariants(
    released_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for number, (key, value) in enumerate(QUICK.items()):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", key)
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", value)
    monkeypatch.setenv("GIT_CONFIG_COUNT", str(len(QUICK)))
    moved: Counter[str] = Counter()
    start = type("Start", (Team,), {"template": released_template, "moved": moved})
    run_state_machine_as_test(start, settings=settings(max_examples=4, stateful_step_count=20))
    assert {name: moved[name] for name, fewest in ENOUGH.items() if moved[name] < fewest} == {}


class Team(RuleBasedStateMachine):
    """People who release and move pins, each move a commit on main; iris has two releases at the start."""

    template: Path
    moved: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="lockgate-team-"))
        self.root = copied(self.template, self.folder / "team")
        self.records = records(self.root)
        self.moves: list[str] = []
        self.trained: Counter[str] = Counter()
        self.is_run_again = False

    def teardown(self) -> None:
        try:
            assert self.run("check") == 0
        finally:
            shutil.rmtree(self.folder)

    # A release takes as long as five other moves.
    @precondition(lambda self: self.trained.total() < 2)
    @rule(model=MODELS)
    def release(self, model: str) -> None:
        self.trained[model] += 1
        train(self.root, model, f"{model} {self.trained[model]}")
        self.commit("train")
        self.push()
        assert self.run("release", model, "--publish", "origin", "--image", IMAGE) == 0
        pull(self.root)
        assert len(records(self.root)) == len(self.records) + 1
        self.moved["release"] += 1

    @precondition(lambda self: self.trained.total() and self.moves and not self.is_run_again)
    @rule()
    def release_again(self) -> None:
        """The same run once more, whatever has been merged since."""
        self.is_run_again = True
        self.push()
        before = git(self.root, "ls-remote", "origin")
        for model in self.trained:
            assert self.run("release", model, "--publish", "origin") == 0
        assert git(self.root, "ls-remote", "origin") == before

    @rule(model=MODELS, environment=ENVIRONMENTS, back=st.integers(0, 2))
    def promote(self, model: str, environment: str, back: int) -> None:
        pinned = self.pins().get(environment, {}).get(model)
        versions = [it for it in shelf.recorded(self.records).get(model, []) if it != pinned]
        if versions:
            version = versions[max(0, len(versions) - 1 - back)]
            override = ("--override-rejection", "tried again")
            self.move("promote", model, environment, "--version", version, *override)

    @precondition(lambda self: self.pins())
    @rule(data=st.data(), reason=st.sampled_from(["", "too slow"]))
    def rollback(self, data: st.DataObject, reason: str) -> None:
        pinned = [(model, environment) for environment, models in self.pins().items() for model in models]
        model, environment = data.draw(st.sampled_from(sorted(pinned)))
        self.move("rollback", model, environment, *(("--reason", reason) if reason else ()))

    @precondition(lambda self: self.moves)
    @rule(back=st.integers(0, 1))
    def revert(self, back: int) -> None:
        """A move, or the revert of one. What conflicts with a later move, or fails the check, nobody merges."""
        before = head(self.root)
        try:
            git(self.root, "revert", "--no-edit", self.moves[max(0, len(self.moves) - 1 - back)])
        except subprocess.CalledProcessError:
            git(self.root, "reset", "--quiet", "--hard", before)
            return
        if self.run("check") != 0:
            git(self.root, "reset", "--quiet", "--hard", before)
            return
        self.moves.append(head(self.root))
        self.moved["revert"] += 1

    @invariant()
    def every_pin_has_a_record(self) -> None:
        pinned = {(model, version) for models in self.pins().values() for model, version in models.items()}
        assert {shelf.record_path(*it) for it in pinned} <= records(self.root).keys()

    @invariant()
    def a_record_never_changes(self) -> None:
        now = records(self.root)
        assert {path: now.get(path) for path in self.records} == self.records
        self.records = now

    @invariant()
    def the_history_replays_to_the_pins(self) -> None:
        replayed: dict[str, dict[str, str]] = {}
        for it in live_at(events(Git(root=self.root))):
            replayed.setdefault(it.environment, {})[it.model] = it.version
        assert replayed == self.pins()

    def move(self, command: str, *arguments: str) -> None:
        if self.run(command, *arguments) != 0:
            assert git(self.root, "status", "--porcelain") == "", "a refused move leaves nothing behind"
        elif self.commit(command):
            self.moves.append(head(self.root))
            self.moved[command] += 1

    def commit(self, message: str) -> bool:
        """False where there is nothing to commit."""
        git(self.root, "add", "--all")
        if git(self.root, "status", "--porcelain") == "":
            return False
        git(self.root, "commit", "--quiet", "--message", message)
        return True

    def push(self) -> None:
        git(self.root, "push", "--quiet", "origin", "HEAD:main")

    def pins(self) -> Mapping[str, Mapping[str, str]]:
        return pins_in((self.root / "mlops.yaml").read_bytes()) or {}

    def run(self, *arguments: str) -> int:
        quiet = contextlib.redirect_stdout, contextlib.redirect_stderr
        with Path(os.devnull).open("w") as nowhere, quiet[0](nowhere), quiet[1](nowhere):
            return main(["-C", str(self.root), *arguments])


def records(root: Path) -> dict[str, bytes]:
    """The records' bytes by path."""
    files = shelf.on_disk(root)
    paths = (
        shelf.record_path(model, it) for model, versions in shelf.recorded(files).items() for it in versions
    )
    return {path: files[path] for path in paths}
