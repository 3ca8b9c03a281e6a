"""The clone: its remote, its branch, its history, what is not committed, and the tags of releases. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lockgate.cli.asking import ask
from lockgate.cli.doctor.item import Item, named
from lockgate.cli.git import default_base, origin_url, repository_of, repository_root
from lockgate.contract import SPEC_FILE
from lockgate.registry import shelf
from lockgate.registry.git import Git
from lockgate.registry.tags import tag_name
from lockgate.spec.model import Spec

_REMOTE = "origin"
_REMOTE_SECONDS = 20
_GENERATED = (".github", ".lockgate", "manifests", "pipelines", "registry")


def clone_items(root: Path) -> Iterator[Item]:
    """Whether the project is the top of a repository, where GitHub looks for workflows."""
    top = repository_root(root)
    if top is None:
        yield Item("git", "repository", "failed", "this is no Git repository", fix="git init")
    elif top.resolve() != root.resolve():
        what = "the project is not at the top of its repository, where GitHub reads workflows"
        yield Item("git", "repository", "failed", what, str(top), "give the project a repository of its own")
    else:
        yield Item("git", "repository", "ok", "the project has a repository of its own")


def git_items(root: Path, spec: Spec) -> Iterator[Item]:
    """What the spec asks of a clone; for a project that is in a repository."""
    git = Git(root=root)
    yield _origin(root, spec)
    yield _branch(root, spec)
    yield from _history(git, spec)
    yield from _uncommitted(git, root, spec)


def tag_items(root: Path, *, offline: bool) -> Iterator[Item]:
    """Whether every record has its tag here and at the remote; nothing where nothing was released."""
    recorded = shelf.recorded(shelf.on_disk(root))
    wanted = [tag_name(model, version) for model, versions in recorded.items() for version in versions]
    if not wanted:
        return
    here = set((Git(root=root).line("tag", "--list", "*@v*") or "").split())
    lacking = [tag for tag in wanted if tag not in here]
    if lacking:
        fix = f"git fetch {_REMOTE} --tags; where they were deleted, `lockgate release --publish {_REMOTE}`"
        yield Item("registry", "tags", "warning", f"this clone has no tag {named(lacking)}", fix=fix)
    else:
        yield Item("registry", "tags", "ok", "every record has its tag here")
    yield _remote_tags(root, wanted, offline=offline)


def _origin(root: Path, spec: Spec) -> Item:
    wanted = spec.project.repository
    host, _, name = wanted.partition("/")
    url = origin_url(root)
    if url is None:
        fix = f"git remote add {_REMOTE} git@{host}:{name}.git"
        return Item("git", "origin", "warning", f"Git knows no remote '{_REMOTE}'", fix=fix)
    found = repository_of(url)
    if found is None:
        # The address itself stays unsaid: it may hold a password.
        what = f"the address of '{_REMOTE}' is not of a form that can be compared with '{wanted}'"
        return Item("git", "origin", "warning", what, fix=f"git remote get-url {_REMOTE}")
    if found.lower() == wanted.lower():
        return Item("git", "origin", "ok", f"'{_REMOTE}' is {wanted}")
    is_name = found.partition("/")[2].lower() == name.lower()
    what = f"'{_REMOTE}' is {found}, and project.repository is {wanted}"
    fix = f"correct project.repository, or git remote set-url {_REMOTE} git@{host}:{name}.git"
    return Item("git", "origin", "warning" if is_name else "failed", what, SPEC_FILE, fix)


def _branch(root: Path, spec: Spec) -> Item:
    branch = spec.project.branch
    if default_base(root, branch) != "HEAD":
        return Item("git", "branch", "ok", f"there is the branch '{branch}'")
    if Git(root=root).commit("HEAD") is None:
        return Item("git", "branch", "warning", "nothing is committed yet", fix="git add --all && git commit")
    what = f"this clone has no branch '{branch}', neither its own nor of '{_REMOTE}'"
    return Item("git", "branch", "failed", what, SPEC_FILE, f"git fetch {_REMOTE}, or correct project.branch")


def _history(git: Git, spec: Spec) -> Iterator[Item]:
    if not git.is_shallow:
        return
    asks = [it.name for it in spec.environments.values() if it.requires]
    what = "this clone is shallow, so nothing here knows what was live when"
    if asks:
        what = f"this clone is shallow, and {named(asks)} asks what was live elsewhere before"
    yield Item("git", "history", "failed" if asks else "warning", what, fix="git fetch --unshallow")


def _uncommitted(git: Git, root: Path, spec: Spec) -> Iterator[Item]:
    locks = [f"pipelines/{model}/dvc.lock" for model in spec.models]
    untrained = [path for path in locks if not (root / path).is_file()]
    if untrained:
        fix = "lockgate run, then commit what it leaves there"
        yield Item("git", "dvc-lock", "warning", f"there is no {named(untrained)}", fix=fix)
    changed = _changed(git)
    changed_locks = sorted(changed & set(locks))
    if changed_locks:
        what = f"{named(changed_locks)} is not committed: CI cannot tell which model you made"
        yield Item("git", "dvc-lock", "warning", what, fix="git add pipelines && git commit")
    others = sorted(changed - set(locks))
    if others:
        what = f"{named(others)} is not committed"
        yield Item("git", "uncommitted", "warning", what, fix="commit it: CI reads what is committed")
    if not changed and not untrained:
        yield Item("git", "uncommitted", "ok", "the spec and all that is made of it are committed")


def _changed(git: Git) -> set[str]:
    """What is not as the last commit has it, of the spec and of what is made of it."""
    # Without the lock nothing of Git's is written, not even its cache.
    status = ("--no-optional-locks", "status", "--porcelain", "--no-renames", "--untracked-files=all", "-z")
    listing = git.run(*status, "--", SPEC_FILE, *_GENERATED).decode(errors="replace")
    return {entry[3:] for entry in listing.split("\0") if entry}


def _remote_tags(root: Path, wanted: list[str], *, offline: bool) -> Item:
    command = ["git", "ls-remote", "--tags", _REMOTE, "refs/tags/*@v*"]
    look = f"`{' '.join(command[:4])}` lists them"
    if offline or origin_url(root) is None:
        why = "not asked (--offline)" if offline else f"there is no '{_REMOTE}'"
        what = f"'{_REMOTE}' has the tag of every record ({why})"
        return Item("registry", "remote-tags", "by hand", what, fix=look)
    answered = ask(command, root, _REMOTE_SECONDS)
    if answered is None or answered.code != 0:
        why = answered.complaint if answered else f"no answer within {_REMOTE_SECONDS} s"
        return Item("registry", "remote-tags", "warning", f"'{_REMOTE}' cannot be asked: {why}", fix=look)
    there = {line.rpartition("refs/tags/")[2] for line in answered.out.splitlines()}
    lacking = [tag for tag in wanted if tag not in there]
    if lacking:
        fix = f"lockgate release --publish {_REMOTE} makes them again"
        what = f"'{_REMOTE}' has no tag {named(lacking)}"
        return Item("registry", "remote-tags", "warning", what, fix=fix)
    return Item("registry", "remote-tags", "ok", f"'{_REMOTE}' has the tag of every record")
