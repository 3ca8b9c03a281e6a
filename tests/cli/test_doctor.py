"""`lockgate doctor` on real projects and clones, asking nobody but DVC."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import commit, edit, git

from lockgate import __version__
from lockgate.cli.asking import Answered, ask

REMOTE = "[core]\n    remote = storage\n['remote \"storage\"']\n    url = {url}\n"
IGNORED = "/artifacts/\n/reports/\n/.dvc/remote/\n"
PINNED = f"lockgate[all]=={__version__}\n"


@pytest.fixture
def sound(committed: Path) -> Path:
    """A clone with nothing to complain of, as far as one can tell without asking anybody."""
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    edit(committed, "acme/flights\n", f'acme/flights\n  python: "{here}"\n  data_remote: s3://acme/dvc\n')
    (committed / "requirements.txt").write_text(PINNED)
    (committed / ".gitignore").write_text(IGNORED)
    (committed / ".dvc").mkdir()
    (committed / ".dvc/config").write_text(REMOTE.format(url="s3://acme/dvc"))
    for model in ("iris", "wine"):
        (committed / f"pipelines/{model}/dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    git(committed, "remote", "add", "origin", "git@github.com:acme/flights.git")
    return committed


@pytest.fixture
def found(sound: Path, lockgate: Lockgate) -> Found:
    return Found(sound, lockgate)


class Found:
    """What the doctor says of the sound project after something was done to it."""

    def __init__(self, root: Path, lockgate: Lockgate) -> None:
        self.root = root
        self._lockgate = lockgate

    def item(self, check: str, *options: str) -> dict[str, Any]:
        """The first item of that name, of a project that is rendered and committed."""
        assert self._lockgate("render").code == 0
        commit(self.root)
        return self.uncommitted(check, *options)

    def uncommitted(self, check: str, *options: str) -> dict[str, Any]:
        return next(it for it in items(self._lockgate, *(options or ("--offline",))) if it["check"] == check)

    def state(self, check: str, *options: str) -> str:
        return str(self.item(check, *options)["state"])


def items(lockgate: Lockgate, *options: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = json.loads(lockgate("doctor", "--format", "json", *options).out)["items"]
    return told


def test_a_sound_project_has_nothing_that_failed(sound: Path, lockgate: Lockgate) -> None:
    assert lockgate("render").code == 0
    commit(sound)
    local = [it for it in items(lockgate, "--offline") if it["area"] != "github"]
    assert {it["check"]: it["state"] for it in local if it["area"] != "tools"} == {
        "spec": "ok",
        "generated": "ok",
        "requirements": "ok",
        "repository": "ok",
        "origin": "ok",
        "branch": "ok",
        "uncommitted": "ok",
        "gitignore": "ok",
        "dvc-remote": "ok",
        "dvc-reachable": "by hand",
        "records": "ok",
    }
    assert lockgate("doctor", "--offline").code == 0


def test_warnings_fail_where_that_is_asked(found: Found, lockgate: Lockgate) -> None:
    assert found.state("app") == "warning"
    assert lockgate("doctor", "--offline", "--strict").code == 1


def test_nothing_is_written(sound: Path, lockgate: Lockgate) -> None:
    before = contents(sound)
    lockgate("doctor", "--offline")
    assert contents(sound) == before


def contents(root: Path) -> dict[Path, str]:
    files = (it for it in root.rglob("*") if it.is_file())
    return {it: hashlib.sha256(it.read_bytes()).hexdigest() for it in files}


def test_without_a_project_it_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lockgate: Lockgate
) -> None:
    monkeypatch.chdir(tmp_path)
    done = lockgate("doctor")
    assert done.code == 1
    assert done.out.startswith(
        "Files\n  failed   no mlops.yaml here or in a folder above\n"
        "           = help: make a project: lockgate init\n"
    )


def test_a_folder_that_is_not_there_is_a_mistake_of_usage(lockgate: Lockgate) -> None:
    assert lockgate("-C", "nowhere", "doctor").code == 2


def test_a_wrong_spec_is_told_with_its_place(found: Found) -> None:
    edit(found.root, "owner: botany", "ownr: botany")
    item = found.uncommitted("unknown-key")
    assert (item["state"], item["where"]) == ("failed", "mlops.yaml:8:5")


def test_a_generated_file_that_is_not_current_is_told_with_its_fix(found: Found) -> None:
    found.item("generated")
    (found.root / "pipelines/iris/dvc.yaml").unlink()
    item = found.uncommitted("file-missing")
    assert (item["where"], item["fix"]) == ("pipelines/iris/dvc.yaml", "run `lockgate render`")


@pytest.mark.parametrize(
    ("text", "state", "what"),
    [
        ("pandas\n", "failed", "does not bring Lockgate"),
        (f"lockgate=={__version__}\n", "failed", "without 'pipeline', 'serve', 'train'"),
        (f"lockgate[pipeline,train]=={__version__}\n", "failed", "without 'serve'"),
        ("lockgate[all]\n", "warning", "does not pin"),
        ("lockgate[all]>=0.1\n", "warning", "does not pin"),
        ("lockgate[all]==99.0\n", "warning", "pins Lockgate 99.0"),
        ("lockgate[all] @ git+https://example.com/l.git\n", "warning", "does not pin"),
        (f"lockgate[all] @ git+https://example.com/l.git@{'a' * 40}\n", "ok", "brings Lockgate"),
        (
            f"lockgate[Train, serve,pipeline]=={__version__} \\\n    --hash=sha256:{'b' * 64}\n",
            "ok",
            "brings",
        ),
        ("-e .[all]\n", "ok", "brings Lockgate"),
        (".\n", "by hand", "installs a folder"),
        ("# lockgate[all]==1\n", "failed", "does not bring Lockgate"),
        ("-r base.txt\n-c pins.txt\n", "ok", "brings Lockgate"),
        (
            "-r ../outside.txt\n-r https://example.com/r.txt\n-r requirements.txt\n",
            "failed",
            "does not bring",
        ),
    ],
)
def test_requirements_bring_lockgate_as_the_jobs_need_it(
    found: Found, text: str, state: str, what: str
) -> None:
    (found.root / "requirements.txt").write_text(text)
    (found.root / "base.txt").write_text("lockgate[all]\n")
    (found.root / "pins.txt").write_text(f"lockgate=={__version__}\n")
    item = found.uncommitted("requirements")
    assert (item["state"], what in item["what"]) == (state, True), item


@pytest.mark.parametrize(
    ("text", "state"),
    [
        (f"lockgate[pipeline,train,serve]=={__version__}\n", "ok"),
        (f"lockgate[pipeline,train,serve]=={__version__} --hash=sha256:{'b' * 64}\n", "failed"),
        ("-e .[pipeline,train,serve]\n", "failed"),
    ],
)
def test_jobs_that_reach_a_cluster_find_what_they_need_in_what_is_installed(
    found: Found, text: str, state: str
) -> None:
    with (found.root / "mlops.yaml").open("a") as spec:
        spec.write("delivery: {mode: push, steps: [{name: Log in, run: make kubeconfig}]}\n")
    (found.root / "requirements.txt").write_text(text)
    assert found.uncommitted("requirements")["state"] == state


def test_without_git_the_project_is_not_what_ci_sees(found: Found) -> None:
    shutil.rmtree(found.root / ".git")
    item = found.uncommitted("repository")
    assert (item["state"], item["fix"]) == ("failed", "git init")


def test_a_project_below_the_top_of_its_repository_has_no_workflows(
    found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(found.root / ".git")
    git(found.root.parent, "init", "--quiet")
    item = found.uncommitted("repository")
    assert (item["state"], item["where"]) == ("failed", str(found.root.parent))


@pytest.mark.parametrize(
    ("url", "state"),
    [
        ("https://github.com/Acme/Flights", "ok"),
        ("ssh://git@github.com/acme/flights.git", "ok"),
        ("git@github-at-work:acme/flights.git", "warning"),
        ("/srv/flights.git", "warning"),
        ("https://github.com/somebody/flights", "failed"),
    ],
)
def test_the_remote_is_compared_with_the_spec(found: Found, url: str, state: str) -> None:
    git(found.root, "remote", "set-url", "origin", url)
    assert found.uncommitted("origin")["state"] == state


def test_a_password_in_the_remote_s_address_is_not_printed(found: Found, lockgate: Lockgate) -> None:
    git(found.root, "remote", "set-url", "origin", "https://ada:hunter2@github.com/somebody/flights")
    assert found.uncommitted("origin")["state"] == "failed"
    assert "hunter2" not in lockgate("doctor", "--offline").out


def test_a_branch_that_the_clone_lacks_is_told(found: Found) -> None:
    edit(found.root, "acme/flights\n", "acme/flights\n  branch: trunk\n")
    assert found.state("branch") == "failed"


def test_a_shallow_clone_cannot_know_what_was_live_elsewhere(
    found: Found, tmp_path: Path, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(found.root, "{namespace: ml}", "{namespace: ml, requires: [staging]}\n  staging: {namespace: st}")
    found.item("origin")
    commit(found.root)
    git(tmp_path, "clone", "--quiet", "--depth", "1", found.root.as_uri(), "shallow")
    monkeypatch.chdir(tmp_path / "shallow")
    item = next(it for it in items(lockgate, "--offline") if it["check"] == "history")
    assert (item["state"], item["fix"]) == ("failed", "git fetch --unshallow")


def test_a_lock_that_is_not_committed_is_told(found: Found) -> None:
    found.item("uncommitted")
    (found.root / "pipelines/iris/dvc.lock").write_text("schema: '2.0'\nstages: {other: {cmd: x}}\n")
    item = found.uncommitted("dvc-lock")
    assert "'pipelines/iris/dvc.lock' is not committed" in item["what"]


def test_what_runs_leave_has_to_be_ignored(found: Found) -> None:
    (found.root / ".gitignore").write_text("/reports/\n")
    item = found.uncommitted("gitignore")
    assert (item["state"], item["fix"]) == ("warning", "add to .gitignore: /artifacts/")


def test_what_has_to_be_committed_must_not_be_ignored(found: Found) -> None:
    (found.root / ".gitignore").write_text(f"{IGNORED}*.lock\n")
    item = found.uncommitted("ignored")
    assert (item["state"], "'pipelines/iris/dvc.lock'" in item["what"]) == ("failed", True)


def test_another_python_than_ci_s_is_told(found: Found) -> None:
    text = (found.root / "mlops.yaml").read_text()
    here = f'python: "{sys.version_info.major}.{sys.version_info.minor}"'
    (found.root / "mlops.yaml").write_text(text.replace(here, 'python: "3.99"'))
    assert found.uncommitted("python")["state"] == "warning"


def test_a_missing_program_is_told(found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/git").symlink_to(shutil.which("git") or "")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    shutil.rmtree(found.root / ".dvc")
    assert found.uncommitted("gh")["state"] == "warning"
    assert "(found no 'gh' on the PATH)" in found.uncommitted("github", "--strict")["what"]


@pytest.mark.parametrize(
    ("config", "check", "state"),
    [
        ("[core]\n    analytics = false\n", "dvc-remote", "failed"),
        (REMOTE.format(url="s3://other/dvc"), "dvc-remote", "warning"),
        (REMOTE.format(url="remote"), "dvc-local", "warning"),
        ("no configuration", "dvc-config", "failed"),
    ],
)
def test_dvc_s_committed_configuration_is_what_ci_has(
    found: Found, config: str, check: str, state: str
) -> None:
    (found.root / ".dvc/config").write_text(config)
    assert found.uncommitted(check)["state"] == state


def test_a_secret_in_dvc_s_configuration_is_told_by_its_name_alone(found: Found, lockgate: Lockgate) -> None:
    config = REMOTE.format(url="s3://acme/dvc") + "    secret_access_key = hunter2\n"
    (found.root / ".dvc/config").write_text(config)
    item = found.uncommitted("dvc-secret")
    assert (item["state"], "'secret_access_key'" in item["what"]) == ("failed", True)
    assert "hunter2" not in lockgate("doctor", "--offline").out


def test_a_project_without_dvc_is_told(found: Found) -> None:
    shutil.rmtree(found.root / ".dvc")
    assert found.uncommitted("dvc-folder")["fix"] == "dvc init"


def test_records_have_their_tags_here_and_at_the_remote(found: Found, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(found.root, "remote", "set-url", "origin", str(tmp_path / "remote.git"))
    (found.root / "registry/iris").mkdir(parents=True)
    (found.root / "registry/iris/1.0.0.yaml").write_text("model: iris\n")
    shutil.rmtree(found.root / ".dvc")
    commit(found.root)
    assert "no tag 'iris@v1.0.0'" in found.uncommitted("tags")["what"]
    git(found.root, "tag", "iris@v1.0.0")
    assert found.uncommitted("tags")["state"] == "ok"
    assert found.uncommitted("remote-tags")["state"] == "by hand"
    assert "no tag 'iris@v1.0.0'" in found.uncommitted("remote-tags", "--strict")["what"]
    git(found.root, "push", "--quiet", "origin", "iris@v1.0.0")
    assert found.uncommitted("remote-tags", "--strict")["state"] == "ok"


def test_a_remote_that_cannot_be_asked_is_told(found: Found) -> None:
    git(found.root, "remote", "set-url", "origin", str(found.root / "gone.git"))
    (found.root / "registry/iris").mkdir(parents=True)
    (found.root / "registry/iris/1.0.0.yaml").write_text("model: iris\n")
    shutil.rmtree(found.root / ".dvc")
    assert "'origin' cannot be asked" in found.uncommitted("remote-tags", "--strict")["what"]


def test_the_checklist_in_markdown_lets_nothing_through(found: Found, lockgate: Lockgate) -> None:
    git(found.root, "remote", "set-url", "origin", "https://x.example/<img>/@acme|x")
    told = lockgate("doctor", "--offline", "--format", "md").out
    assert "- [ ] **failed**: " in told
    assert "- [x] " in told
    assert "<img>" not in told
    assert "@acme" not in told


def test_nothing_steers_the_terminal(found: Found, lockgate: Lockgate) -> None:
    git(found.root, "remote", "set-url", "origin", "git@x.example:acme\x1b[2J/flights")
    told = lockgate("doctor", "--offline").out
    assert "acme\\x1b[2J/flights" in told
    assert "\x1b" not in told


def test_a_program_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    waiting = [sys.executable, "-c", "import signal; signal.pause()"]
    assert ask(waiting, tmp_path, 0.05) is None


def test_a_complaint_is_told_without_what_may_be_secret() -> None:
    line = "fatal: https://ada:hunter2@example.com/x.git?sig=abc could not be read"
    assert (
        Answered(1, "", f"first\n{line}\n").complaint
        == "fatal: https://…example.com/x.git… could not be read"
    )


@pytest.mark.slow
def test_dvc_s_remote_is_asked(found: Found, tmp_path: Path) -> None:
    pytest.importorskip("dvc", reason="needs DVC: pip install 'lockgate[pipeline]'")
    edit(found.root, "s3://acme/dvc", "data")
    (found.root / ".dvc/config").write_text(REMOTE.format(url="../data"))
    assert found.uncommitted("dvc-reachable", "--strict")["state"] == "ok"
    (found.root / ".dvc/config").write_text(REMOTE.format(url="nosuch://x"))
    item = found.uncommitted("dvc-reachable", "--strict")
    assert (item["state"], "DVC cannot ask its remote" in item["what"]) == ("failed", True)


@pytest.fixture(autouse=True)
def logged_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may be logged in to GitHub: no test speaks for them."""
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GH_CONFIG_DIR", str(tmp_path / "gh"))
    monkeypatch.setenv("GITHUB_API_URL", "https://127.0.0.1:9/api/v3")
    monkeypatch.setenv("NO_PROXY", os.environ.get("NO_PROXY", "127.0.0.1"))
