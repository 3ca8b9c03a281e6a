"""Runs that are killed and runs at the same time: files stay whole, and nothing of ours is taken for another's."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lockgate.output import State, compare, write
from lockgate.targets.file import BLOCK_BEGIN, BLOCK_END

OWNERS = ".github/CODEOWNERS"
CI = ".github/workflows/ci.yml"
PIPELINE = "pipelines/iris/dvc.yaml"


def render(root: Path, rendered: dict[str, str]) -> None:
    write(root, compare(root, rendered))


def tree(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and ".lockgate" not in path.relative_to(root).parts
    }


RENDER = """
    import sys
    from pathlib import Path
    from lockgate.output import compare, locked, write
    root, generation, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    rendered = {f"manifests/e/{i % 7}/{i}.yaml": f"{generation}: {i}\\n" * 50 for i in range(count)}
    with locked(root, say=lambda _: None):
        write(root, compare(root, rendered))
"""


def start(root: Path, generation: str, count: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", textwrap.dedent(RENDER), str(root), generation, str(count)]
    return subprocess.Popen(command)


def rendering(generation: str, count: int) -> dict[str, str]:
    return {f"manifests/e/{i % 7}/{i}.yaml": f"{generation}: {i}\n" * 50 for i in range(count)}


# Renders in a child that dies at its n-th use of the disk, for n from 1 until it dies no more; prints how often.
KILLED = """
    import itertools, json, os, signal, sys
    from pathlib import Path
    from lockgate.output import compare, locked, overwriting, write

    base, before, edits, after = Path(sys.argv[1]), *map(json.loads, sys.argv[2:])
    watched = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"}
    uses = itertools.count(1)

    def prepare(root):
        root.mkdir()
        write(root, compare(root, before))
        for path, text in edits.items():
            (root / path).write_text(text)

    def render_until(moment, root):
        def strike(event, arguments):
            if event in watched and str(root) in str(arguments[0]) and next(uses) == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(strike)
        with locked(root, say=lambda _: None):
            write(root, overwriting(compare(root, after), ["."]))
        os._exit(0)

    for moment in itertools.count(1):
        root = base / str(moment)
        prepare(root)
        child = os.fork()
        if child == 0:
            render_until(moment, root)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            break
    print(moment - 1)
"""
BEFORE = {
    CI: "name: ci\n",
    PIPELINE: "stages: {}\n",
    "manifests/a/old.yaml": "old\n",
    "manifests/a/kept.yaml": "kept\n",
}
AFTER = {
    CI: "name: new\n",
    PIPELINE: "stages: {a: b}\n",
    "manifests/a/kept.yaml": "kept\n",
    "manifests/b/new.yaml": "new\n",
}
AFTER_THAT = {CI: "name: newest\n", "manifests/a/old.yaml": "old again\n"}


def killed_runs(
    base: Path, edits: dict[str, str], before: dict[str, str] = BEFORE, after: dict[str, str] = AFTER
) -> list[Path]:
    """Projects of which each was killed a moment later than the one before, on the way from the one to the other."""
    arguments = [json.dumps(it) for it in (before, edits, after)]
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(base), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    moments = int(result.stdout)
    assert moments > 20
    return [base / str(moment) for moment in range(1, moments + 1)]


@pytest.mark.parametrize("following", [AFTER, AFTER_THAT, BEFORE], ids=["same", "another", "back"])
def test_a_run_killed_at_any_moment_leaves_whole_files_that_the_next_run_knows_as_its_own(
    tmp_path: Path, following: dict[str, str]
) -> None:
    for root in killed_runs(tmp_path, {}):
        for path, text in tree(root).items():
            assert path.endswith(".tmp") or text in {BEFORE.get(path), AFTER.get(path)}
        render(root, following)
        assert tree(root) == following
        assert compare(root, following).is_current


def test_an_edit_that_a_killed_run_was_to_overwrite_is_still_known_as_one(tmp_path: Path) -> None:
    found = set()
    for root in killed_runs(tmp_path, {PIPELINE: "mine\n"}):
        state = next(it.state for it in compare(root, AFTER).files if it.path == PIPELINE)
        found.add(((root / PIPELINE).read_text(), state))
    assert found == {("mine\n", State.EDITED), (AFTER[PIPELINE], State.CURRENT)}


@pytest.mark.parametrize("following", ["changed", "taken out"])
def test_a_killed_run_never_costs_a_team_a_line_of_a_file_that_it_shares(
    tmp_path: Path, following: str
) -> None:
    old, new = (
        f"{BLOCK_BEGIN}\n{line}\n{BLOCK_END}\n" for line in ("/manifests/a/ @ada", "/manifests/a/ @eve")
    )
    after = {**AFTER, OWNERS: new} if following == "changed" else AFTER
    shared = {OWNERS: f"* @team\n{old}/docs/ @grace"}
    left = {f"* @team\n{block}/docs/ @grace" for block in (old, new, "")}
    for root in killed_runs(tmp_path, shared, {**BEFORE, OWNERS: old}, after):
        assert (root / OWNERS).read_text() in left
        render(root, after)
        assert (root / OWNERS).read_text() == f"* @team\n{after.get(OWNERS, '')}/docs/ @grace"
        assert compare(root, after).is_current


def test_four_runs_at_once_end_in_one_whole_state(tmp_path: Path) -> None:
    processes = [start(tmp_path, "same", 60 + 10 * i) for i in range(4)]
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    recorded = json.loads((tmp_path / ".lockgate/files.json").read_text())["files"]
    assert sorted(recorded) == sorted(tree(tmp_path))
    assert any(compare(tmp_path, rendering("same", 60 + 10 * i)).is_current for i in range(4))
