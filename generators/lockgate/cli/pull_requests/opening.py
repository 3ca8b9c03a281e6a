"""A moved pin → a branch, a commit of exactly its files, and a pull request by way of `git` and `gh`."""

from __future__ import annotations

import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

from lockgate.cli.failure import Failure
from lockgate.cli.releasing.moving import Moved
from lockgate.cli.terminal import printable
from lockgate.registry.git import Git, GitError
from lockgate.spec.model import Spec

_REMOTE = "origin"


def require_ready(root: Path, spec: Spec) -> None:
    """Failure before anything is written, where it could not be finished."""
    if shutil.which("gh") is None:
        raise Failure(
            "found no 'gh' on the PATH", help="install GitHub's command line, or leave out --open-pr"
        )
    git = Git(root=root)
    if not git.succeeds("remote", "get-url", _REMOTE):
        raise Failure(f"Git knows no remote '{_REMOTE}'", help="add it, or leave out --open-pr")
    try:
        is_dirty = has_changes(git)
        is_behind = git.fetch_branch(_REMOTE, spec.project.branch) != git.commit("HEAD")
    except GitError as error:
        raise Failure(str(error), help="run this in a clone") from error
    if is_dirty:
        raise Failure(
            "there are uncommitted changes", help="commit or stash them: the pull request is of one line"
        )
    if is_behind:
        raise Failure(
            f"this is not the newest commit of '{_REMOTE}/{spec.project.branch}': the pull request would be of more",
            help=f"git switch {spec.project.branch} && git pull, then run this again",
        )


def has_changes(git: Git) -> bool:
    """Whether files that Git knows differ from the commit; GitError where Git cannot tell."""
    return git.run("status", "--porcelain", "--untracked-files=no").strip() != b""


def open_pull_request(root: Path, spec: Spec, moved: Moved, body: str) -> str:
    """What to tell the user: the pull request's address. The clone is left on the branch it was on."""
    move, head = moved.move, Git(root=root).commit("HEAD")
    name = f"{move.environment}/{move.model}/{move.new}"
    # The same move from the same commit has the same branch: a second run opens no second pull request.
    branch = f"lockgate/{name}-{sha256(f'{head} {name}'.encode()).hexdigest()[:8]}"
    push_branch(root, moved, branch, body)
    return _created(root, spec, branch, move.title, body)


def push_branch(root: Path, moved: Moved, branch: str, body: str) -> None:
    """What moved, as one commit on HEAD, becomes that branch of the remote; the work tree is as it was."""
    git = Git(root=root)
    head = git.commit("HEAD") or ""
    try:
        contents = {path: _content(root / path) for path in moved.paths}
        commit = git.commit_files(head, contents, f"{moved.move.title}\n\n{body}\n")
        git.push(_REMOTE, f"+{commit}:refs/heads/{branch}")
        git.run("checkout", "--quiet", "HEAD", "--", *[it for it in moved.paths if _is_tracked(git, it)])
        for path in moved.paths:
            if not _is_tracked(git, path):
                (root / path).unlink(missing_ok=True)
    except GitError as error:
        raise Failure(str(error), help="the files are written: commit and push them yourself") from error


def _created(root: Path, spec: Spec, branch: str, title: str, body: str) -> str:
    command = [
        "gh",
        "pr",
        "create",
        "--base",
        spec.project.branch,
        "--head",
        branch,
        "--title",
        title,
        "--body-file",
        "-",
    ]
    done = subprocess.run(command, cwd=root, input=body, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return printable(done.stdout.strip())
    if "already exists" in done.stderr:
        return f"a pull request for the branch '{branch}' is open already"
    lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    raise Failure(
        f"gh could not open the pull request: {printable(lines[-1])}",
        help=f"the branch '{branch}' is pushed: open it yourself, or run this again",
    )


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _is_tracked(git: Git, path: str) -> bool:
    return git.succeeds("cat-file", "-e", f"HEAD:./{path}")
