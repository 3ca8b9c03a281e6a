"""Whether this commit is still the one to deploy, whatever order runs of CI finish in."""

from __future__ import annotations

from pathlib import Path

from lockgate.cli.failure import Failure
from lockgate.registry.git import Git, GitError


def require_committed(root: Path, path: str) -> None:
    """Failure where what lies there is not what the commit holds: then no commit says what is deployed."""
    if not Git(root=root).succeeds("diff", "--quiet", "HEAD", "--", path):
        raise Failure(
            f"what lies in '{path}' is not what HEAD holds",
            help="commit and push it, or leave out --newest",
        )


def newer_commit(root: Path, remote: str, branch: str, path: str) -> str | None:
    """The remote branch's newest commit where it has another content at the path; None where HEAD is as good.

    Failure where HEAD is ahead, for nobody has merged that; GitError where the remote cannot be asked.
    """
    git = Git(root=root)
    newest = git.fetch_branch(remote, branch)
    here, there = (git.line("rev-parse", "--verify", "--quiet", f"{it}:./{path}") for it in ("HEAD", newest))
    if here == there:
        return None
    if git.is_ancestor(newest, "HEAD"):
        raise Failure(
            f"HEAD is ahead of '{remote}/{branch}', and only what is merged is deployed",
            help="push it first, or leave out --newest",
        )
    return newest


def newer_commit_if_known(root: Path, remote: str, branch: str, path: str) -> str | None:
    """The same while something else is waited for: a remote that is down for a moment stops nothing."""
    try:
        return newer_commit(root, remote, branch, path)
    except GitError:
        return None
