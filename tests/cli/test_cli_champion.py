"""The champion of `lockgate run --base`, with real Git and real DVC."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import SPEC, commit, edit, git, process, write_code

from lockgate.cli.git import base_commit
from lockgate.cli.project import compile_project
from lockgate.cli.proving.champion import bring_champion, pins_at
from lockgate.contract.comparison import Champion, Comparison
from lockgate.plan.model import Pipeline
from lockgate.spec import load

pytest.importorskip("dvc", reason="needs DVC: pip install 'lockgate[pipeline]'")

pytestmark = pytest.mark.slow

FOLDER = "artifacts/iris/champion"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A committed project whose model iris is in DVC's cache and remote, as if its pipeline had run."""
    root = tmp_path_factory.mktemp("template") / "project"
    (root / ".dvc").mkdir(parents=True)
    (root / "mlops.yaml").write_text(SPEC)
    write_code(root)
    (root / ".dvc/config").write_text(
        "[core]\n    analytics = false\n    remote = storage\n['remote \"storage\"']\n    url = remote\n"
    )
    (root / ".gitignore").write_text("/artifacts/\n/.dvc/remote/\n/.dvc/cache/\n/.dvc/tmp/\n")
    assert process(root, "render").returncode == 0
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "config", "user.name", "Ada")
    git(root, "config", "user.email", "ada@example.com")
    record(root, "first")
    dvc(root, "push", "--quiet")
    return root


@pytest.fixture
def proved(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    shutil.copytree(template, root)
    monkeypatch.chdir(root)
    return root


def record(root: Path, word: str) -> None:
    """Let DVC track iris' files as they would be after a run, each with that word in it, and commit that."""
    outs = {out for stage in iris(root).stages for out in (*stage.outs, *stage.metrics, *stage.plots)}
    deps = {dep for stage in iris(root).stages for dep in stage.deps} - outs
    for path in (*outs, *deps):
        is_folder = path in {"artifacts/iris/model", "models/iris"}
        file = root / path / "model.onnx" if is_folder else root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{word} {path}\n" if path in outs else "code\n")
    dvc(root, "commit", "--quiet", "--force", "pipelines/iris/dvc.yaml")
    commit(root)


def iris(root: Path) -> Pipeline:
    plan = compile_project(root).plan
    assert plan is not None
    return next(pipeline for pipeline in plan.pipelines if pipeline.name == "iris")


def dvc(root: Path, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *arguments], cwd=root, check=True)


def head(root: Path) -> str:
    return git(root, "rev-parse", "HEAD").strip()


def pin(root: Path, version: str, commit_line: str) -> None:
    """Pin a release of iris in production, whose record says which commit it is of."""
    (root / "registry/iris").mkdir(parents=True, exist_ok=True)
    (root / f"registry/iris/{version}.yaml").write_text(
        f"model: iris\nversion: {version}\nimage: ghcr.io/acme/iris@sha256:{'ab' * 32}\n"
        f"artifact_sha256: {'cd' * 32}\nmetrics: {{}}\n{commit_line}"
    )
    with (root / "mlops.yaml").open("a") as spec:
        spec.write(f"deployments:\n  production: {{iris: {version}}}\n")
    commit(root)


def bring(root: Path, reference: str = "HEAD") -> Champion:
    base = base_commit(root, reference)
    champion = bring_champion(root, iris(root), base, pins_at(root, base, load(root)))
    assert json.loads((root / FOLDER / "champion.json").read_text()) == champion
    return champion


def files(root: Path) -> dict[str, str]:
    folder = root / FOLDER
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "champion.json"
    }


def written(word: str) -> dict[str, str]:
    """The files of a champion whose files were recorded with that word."""
    names = ("card.md", "scan.json", "split.json", "training.json", "validation.json")
    found = {name: f"{word} artifacts/iris/{name}\n" for name in names}
    return {**found, "model/model.onnx": f"{word} artifacts/iris/model\n"}


def test_without_a_pin_the_base_branchs_model_is_the_champion(proved: Path) -> None:
    first = head(proved)
    git(proved, "checkout", "--quiet", "-b", "change")
    record(proved, "second")
    assert bring(proved, "main") == {
        "found": True,
        "origin": "base",
        "environment": None,
        "version": None,
        "commit": first,
        "reason": None,
    }
    assert files(proved) == written("first")


def test_the_pinned_version_is_the_champion_whatever_the_base_branch_has(proved: Path) -> None:
    first = head(proved)
    pin(proved, "1.0.0", f"commit: '{first}'\n")
    record(proved, "second")
    assert bring(proved) == {
        "found": True,
        "origin": "pin",
        "environment": "production",
        "version": "1.0.0",
        "commit": first,
        "reason": None,
    }
    assert files(proved) == written("first")


def test_what_the_change_itself_pins_is_not_live_yet(proved: Path) -> None:
    git(proved, "checkout", "--quiet", "-b", "change")
    pin(proved, "1.0.0", f"commit: '{'0' * 40}'\n")
    assert bring(proved, "main")["origin"] == "base"


def test_nothing_of_git_or_dvc_is_disturbed(proved: Path) -> None:
    git(proved, "checkout", "--quiet", "-b", "change")
    record(proved, "second")
    (proved / "models/iris/model.onnx").write_text("uncommitted\n")
    (proved / "staged.txt").write_text("x\n")
    git(proved, "add", "staged.txt")

    def state() -> tuple[str, bytes, dict[str, bytes]]:
        kept = {
            path.relative_to(proved).as_posix(): path.read_bytes()
            for folder in (".dvc/cache", ".dvc/remote", "artifacts/iris", "pipelines")
            for path in sorted((proved / folder).rglob("*"))
            if path.is_file() and "champion" not in path.parts
        }
        return git(proved, "status", "--porcelain"), (proved / ".git/index").read_bytes(), kept

    before = state()
    assert bring(proved, "main")["found"]
    assert state() == before


def test_a_fresh_clone_takes_the_champion_from_the_remote(proved: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{proved}", str(clone))
    shutil.copytree(proved / ".dvc/remote", clone / ".dvc/remote")
    assert bring(clone)["found"]
    assert files(clone) == written("first")


def test_files_that_nobody_has_are_a_reason(proved: Path) -> None:
    shutil.rmtree(proved / ".dvc/cache")
    shutil.rmtree(proved / ".dvc/remote")
    short = head(proved)[:7]
    champion = bring(proved)
    assert (champion["found"], champion["origin"]) == (False, "base")
    assert champion["reason"] == (
        f"neither DVC's cache nor its remote has 'artifacts/iris/model' of commit {short}: `dvc push` there gives it"
    )
    assert files(proved) == {}


def test_files_that_are_not_what_the_lock_names_are_a_reason(proved: Path) -> None:
    for path in (proved / ".dvc/cache/files/md5").rglob("*"):
        if path.is_file() and path.read_text() == "first artifacts/iris/split.json\n":
            path.chmod(0o600)
            path.write_text("another\n")
    short = head(proved)[:7]
    assert bring(proved)["reason"] == (
        f"what DVC has for 'artifacts/iris/split.json' of commit {short} is not what the dvc.lock there names"
    )
    assert files(proved) == {}


def test_a_shallow_clone_that_lacks_the_release_says_what_to_fetch(proved: Path, tmp_path: Path) -> None:
    first = head(proved)
    pin(proved, "1.0.0", f"commit: '{first}'\n")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{proved}", str(clone))
    assert bring(clone)["reason"] == (
        f"commit {first[:7]} is not in this clone: `git fetch --depth 1 origin {first}` brings it"
    )
    git(clone, "fetch", "--quiet", "--depth", "1", "origin", first)
    shutil.copytree(proved / ".dvc/remote", clone / ".dvc/remote")
    assert bring(clone)["found"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "the record registry/iris/1.0.0.yaml names no commit"),
        ("commit: main\n", "the record registry/iris/1.0.0.yaml names no commit"),
        ("commit: --output=x\n", "the record registry/iris/1.0.0.yaml names no commit"),
        ("commit: [\n", "the record registry/iris/1.0.0.yaml cannot be read"),
    ],
)
def test_a_record_of_the_base_without_a_commit_is_a_reason(proved: Path, line: str, reason: str) -> None:
    pin(proved, "1.0.0", line)
    path = proved / "registry/iris/1.0.0.yaml"
    path.write_text(path.read_text().removesuffix(line))
    champion = bring(proved)
    assert (champion["found"], champion["commit"], champion["reason"]) == (False, None, reason)


def test_a_release_without_a_record_is_a_reason(proved: Path) -> None:
    pin(proved, "1.0.0", "")
    git(proved, "rm", "--quiet", "--cached", "registry/iris/1.0.0.yaml")
    git(proved, "commit", "--quiet", "--message", "lost")
    assert bring(proved)["reason"] == "the base has no record registry/iris/1.0.0.yaml"


def test_a_base_without_a_lock_has_no_champion(proved: Path) -> None:
    (proved / "pipelines/iris/dvc.lock").unlink()
    commit(proved)
    assert bring(proved) == {
        "found": False,
        "origin": "none",
        "environment": "production",
        "version": None,
        "commit": None,
        "reason": "nothing is pinned in 'production', and the base has no pipelines/iris/dvc.lock",
    }


def test_a_lock_that_names_no_model_is_a_reason(proved: Path) -> None:
    (proved / "pipelines/iris/dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    commit(proved)
    short = head(proved)[:7]
    assert bring(proved)["reason"] == (
        f"the pipelines/iris/dvc.lock of commit {short} names no 'artifacts/iris/model'"
    )


def test_an_earlier_champion_goes_and_a_link_is_not_followed(proved: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("x")
    (proved / FOLDER).symlink_to(precious)
    assert bring(proved)["found"]
    assert not (proved / FOLDER).is_symlink()
    assert (precious / "file").read_text() == "x"
    (proved / FOLDER / "stray").write_text("x")
    bring(proved)
    assert files(proved) == written("first")


def test_an_unknown_base_ends_the_run_before_anything_runs(lockgate: Lockgate, proved: Path) -> None:
    outcome = lockgate("run", "iris", "--base", "nonsense")
    assert outcome.code == 2
    assert outcome.err.splitlines()[0] == "error: Git knows no commit 'nonsense'"
    assert outcome.out == ""


def test_a_run_compares_with_what_is_live_and_a_run_without_a_base_forgets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "cells"
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
    assert process(tmp_path, "init", "cells", "--repository", "github.com/acme/cells").returncode == 0
    commit(root)
    first = process(root, "run", "--base", "HEAD")
    assert first.returncode == 0, first.stdout + first.stderr
    assert (
        "! champion   none to compare with: nothing is pinned in 'production', and the base has no"
        in first.stdout
    )
    assert comparison(root)["metrics"] == []

    commit(root)
    base = head(root)
    edit(root, "roc_auc: {min: 0.95}", "roc_auc: {min: 0.95, max_drop: 0.01}")
    second = process(root, "run", "--base", "HEAD")
    assert second.returncode == 0, second.stdout + second.stderr
    assert f"with the base at {base[:7]}\n" in second.stdout
    found = comparison(root)
    assert (found["champion"]["found"], found["champion"]["commit"]) == (True, base)
    told = (root / "reports/cells/report.md").read_text()
    assert "## When this merges" in told
    assert "roc\\_auc.max\\_drop" in told
    (auc,) = (it for it in found["metrics"] if it["metric"] == "roc_auc")
    assert (auc["difference"], auc["answer"]) == (0, "no worse")

    assert process(root, "run").returncode == 0
    assert not (root / "artifacts/cells/comparison.json").exists()
    assert not (root / "artifacts/cells/champion").exists()


def comparison(root: Path) -> Comparison:
    found: Comparison = json.loads((root / "artifacts/cells/comparison.json").read_bytes())
    return found
