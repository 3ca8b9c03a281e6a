"""What Git says of a project: read by running `git`, never changed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lockgate.cli.failure import Exit, Failure

# Both ways of writing a remote: scheme://[user@]host/owner/name and user@host:owner/name.
_REMOTE = re.compile(r"(?:[a-z+]+://)?(?:[^@/]+@)?([^/:@]+(?::[0-9]+(?=/))?)[/:]([^/]+)/([^/]+?)(?:\.git)?/?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """The work tree against a commit; `paths` are relative to the project's root."""

    base: str
    paths: tuple[str, ...]


def change_since(root: Path, reference: str) -> Change:
    """What has changed since the work tree's history left the reference, committed or not.

    In a shallow clone, where the histories may not meet, since the reference itself.
    """
    base = base_commit(root, reference)
    tracked = _lines(root, "diff", "--name-only", "--no-renames", "--relative", "-z", base, "--")
    untracked = _lines(root, "ls-files", "--others", "--exclude-standard", "-z")
    return Change(base=base, paths=tuple(sorted({*tracked, *untracked})))


def edited_paths(root: Path) -> tuple[str, ...]:
    """The tracked files that are not as the last commit has them, relative to the project's root."""
    return tuple(_lines(root, "diff", "--name-only", "--no-renames", "--relative", "-z", "HEAD", "--"))


def commit_of(root: Path, reference: str) -> str:
    """The commit that a branch, a tag or a hash names; Failure where Git knows none."""
    return _commit(root, reference)


def base_commit(root: Path, reference: str) -> str:
    """The commit at which the work tree's history left the reference; the reference where they do not meet."""
    commit = _commit(root, reference)
    merge_base = _git(root, "merge-base", commit, "HEAD")
    return merge_base.stdout.decode().strip() if merge_base.returncode == 0 else commit


def has_commit(root: Path, commit: str) -> bool:
    """Whether the clone, which may be shallow, holds that commit."""
    return _git(root, "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0


def default_base(root: Path, branch: str) -> str:
    """The branch that changes are merged into, as far as this clone knows it."""
    for name in (f"origin/{branch}", branch):
        result = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if result.returncode == 0:
            return name
    return "HEAD"


def blob_ids(root: Path, commit: str) -> dict[str, str]:
    """The object of every file of the commit at or below the project's root, by path."""
    listing = _lines(root, "ls-tree", "-r", "-z", commit)
    entries = (line.partition("\t") for line in listing)
    return {path: head.split()[2] for head, _, path in entries}


def file_at(root: Path, commit: str, path: str) -> bytes | None:
    """The file's bytes in that commit; None where it had none."""
    result = _git(root, "show", f"{commit}:./{path}")
    return result.stdout if result.returncode == 0 else None


def files_at(root: Path, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
    """The bytes of those of the files that the commit has, all from one process."""
    wanted = [path for path in paths if "\n" not in path]
    names = "".join(f"{commit}:./{path}\n" for path in wanted)
    rest = _git(root, "cat-file", "--batch", stdin=names.encode()).stdout
    found = {}
    for path in wanted:
        head, _, rest = rest.partition(b"\n")
        if head.endswith(b" missing") or head.count(b" ") != 2:
            continue
        size = int(head.rsplit(b" ", 1)[1])
        found[path], rest = rest[:size], rest[size + 1 :]
    return found


def repository_root(directory: Path) -> Path | None:
    """The top of the work tree that the directory is in; None where there is none."""
    result = _git(directory, "rev-parse", "--show-toplevel")
    return Path(result.stdout.decode().rstrip("\n")) if result.returncode == 0 else None


def origin_url(directory: Path) -> str | None:
    """The address of the remote `origin`."""
    result = _git(directory, "remote", "get-url", "origin")
    return result.stdout.decode().strip() if result.returncode == 0 else None


def repository_of(remote: str | None) -> str | None:
    """`host/owner/name` of a Git remote's address; None where it has another form."""
    found = _REMOTE.fullmatch(remote or "")
    return "/".join((found[1].lower(), found[2], found[3])) if found else None


def initialise(directory: Path) -> None:
    """Make a repository whose branch is called as the spec's default says."""
    result = _git(directory, "init", "--quiet", "--initial-branch=main")
    if result.returncode != 0:
        raise Failure(f"git init failed: {_complaint(result)}", help="correct it, then try again")


def _commit(root: Path, reference: str) -> str:
    if repository_root(root) is None:
        raise Failure(f"'{root}' is in no Git repository", help="run `git init` and commit the project")
    # Without --end-of-options a reference that starts with a dash would be an option.
    result = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    if result.returncode != 0:
        raise Failure(
            f"Git knows no commit '{reference}'",
            help="fetch it (git fetch origin), or name one that `git log` shows",
            exit_code=Exit.USAGE,
        )
    return result.stdout.decode().strip()


def _lines(root: Path, *arguments: str) -> list[str]:
    result = _git(root, *arguments)
    if result.returncode != 0:
        raise Failure(f"git {arguments[0]} failed: {_complaint(result)}", help="correct it, then try again")
    return [path for path in result.stdout.decode(errors="replace").split("\0") if path]


def _git(directory: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            ["git", "-C", str(directory), *arguments], capture_output=True, check=False, input=stdin
        )
    except FileNotFoundError as error:
        raise Failure("found no 'git' on the PATH", help="install Git") from error


def _complaint(result: subprocess.CompletedProcess[bytes]) -> str:
    lines = result.stderr.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"exit code {result.returncode}"
