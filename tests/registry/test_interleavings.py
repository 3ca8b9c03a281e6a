"""Any interleaving of release, promote, rollback and revert, on real Git repositories."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cli.project_tree import git
from tests.registry.conftest import copied
from tests.registry.team import IMAGE, commit_and_push, pull, train

from lockgate.cli import main
from lockgate.registry import shelf
from lockgate.registry.git import Git
from lockgate.registry.history import events, live_at
from lockgate.registry.pins import pins_in

MODELS = st.sampled_from(["iris", "iris", "wine"])
ENVIRONMENTS = st.sampled_from(["staging", "production"])
PROMOTE = st.tuples(st.just("promote"), MODELS, ENVIRONMENTS, st.integers(0, 2))
ROLLBACK = st.tuples(st.just("rollback"), MODELS, ENVIRONMENTS, st.sampled_from(["", "too slow"]))
STEPS = st.lists(
    st.one_of(
        PROMOTE,
        PROMOTE,
        ROLLBACK,
        st.tuples(st.just("revert")),
        st.tuples(st.just("release"), MODELS),
        st.tuples(st.just("release_again"), MODELS),
    ),
    min_size=12,
    max_size=12,
)


@pytest.mark.slow
def test_any_interleaving_keeps_the_invariants(
    released_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)

    @settings(max_examples=6)
    @given(STEPS)
    def keeps_them(steps: list[tuple[Any, ...]]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            team = Team(copied(released_template, Path(folder) / "team"))
            for name, *arguments in steps:
                getattr(team, name)(*arguments)
                team.require_invariants()

    keeps_them()


class Team:
    """People who release and move pins, each move a commit on main."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.records: dict[str, bytes] = {}
        self.words = 0
        self.moves: list[str] = []

    def release(self, model: str) -> None:
        self.words += 1
        train(self.root, model, f"word {self.words}")
        commit_and_push(self.root)
        assert self.run("release", model, "--publish", "origin", "--image", IMAGE) == 0
        pull(self.root)

    def release_again(self, model: str) -> None:
        if (self.root / "artifacts" / model).is_dir():
            before = git(self.root, "ls-remote", "origin")
            assert self.run("release", model, "--publish", "origin") == 0
            assert git(self.root, "ls-remote", "origin") == before

    def promote(self, model: str, environment: str, back: int) -> None:
        versions = shelf.recorded(shelf.on_disk(self.root)).get(model, [])
        if versions:
            version = versions[max(0, len(versions) - 1 - back)]
            override = ("--override-rejection", "tried again")
            self.move("promote", model, environment, "--version", version, *override)

    def rollback(self, model: str, environment: str, reason: str) -> None:
        self.move("rollback", model, environment, *(("--reason", reason) if reason else ()))

    def revert(self) -> None:
        """The last move, or the revert of it; where something else came in between Git may refuse."""
        if not self.moves:
            return
        try:
            git(self.root, "revert", "--no-edit", self.moves[-1])
        except Exception:  # noqa: BLE001 - a conflict: then nobody merges it
            git(self.root, "revert", "--abort")
            return
        if self.run("check") != 0:
            git(self.root, "reset", "--quiet", "--hard", "HEAD^")
            return
        git(self.root, "push", "--quiet", "origin", "HEAD:main")
        self.moves.append(git(self.root, "rev-parse", "HEAD").strip())

    def require_invariants(self) -> None:
        self.every_pin_has_a_record()
        self.a_record_never_changes()
        self.the_history_replays_to_the_pins()
        assert self.run("check") == 0

    def every_pin_has_a_record(self) -> None:
        files = shelf.on_disk(self.root)
        pins = pins_in((self.root / "mlops.yaml").read_bytes()) or {}
        pinned = {(model, version) for models in pins.values() for model, version in models.items()}
        assert [it for it in pinned if shelf.record_path(*it) not in files] == []

    def a_record_never_changes(self) -> None:
        files = shelf.on_disk(self.root)
        recorded = shelf.recorded(files)
        now = {
            shelf.record_path(model, it): files[shelf.record_path(model, it)]
            for model in recorded
            for it in recorded[model]
        }
        assert {path: now.get(path) for path in self.records} == self.records
        self.records = now

    def the_history_replays_to_the_pins(self) -> None:
        live = {(it.environment, it.model): it.version for it in live_at(events(Git(root=self.root)))}
        pins = pins_in((self.root / "mlops.yaml").read_bytes()) or {}
        assert live == {
            (environment, model): version
            for environment, models in pins.items()
            for model, version in models.items()
        }

    def move(self, command: str, *arguments: str) -> None:
        if self.run(command, *arguments) == 0 and git(self.root, "status", "--porcelain"):
            commit_and_push(self.root, command)
            self.moves.append(git(self.root, "rev-parse", "HEAD").strip())
        assert git(self.root, "status", "--porcelain") == "", "a refused move leaves nothing behind"

    def run(self, *arguments: str) -> int:
        quiet = contextlib.redirect_stdout, contextlib.redirect_stderr
        with Path(os.devnull).open("w") as nowhere, quiet[0](nowhere), quiet[1](nowhere):
            return main(["-C", str(self.root), *arguments])
