"""Releases → a commit on the remote's branch, then their tags. Every step can be repeated after any failure.

The record comes first and decides: whoever pushes first has the version, whoever comes second fetches again and takes
the next one. A tag is made of its record alone, so it is never another for the same release.
"""

from __future__ import annotations

from collections.abc import Sequence

from lockgate.registry import shelf
from lockgate.registry.git import Git, GitError, PushError
from lockgate.registry.past import Past, read_past
from lockgate.registry.release import Asked, Candidate, Release, Unreleased, released
from lockgate.registry.shelf import Files
from lockgate.registry.tags import object_name, tag_name, tag_object, vouched_sha256
from lockgate.tuples import NamedTuple

_MOST_ATTEMPTS = 10


class PublishError(Exception):
    """It cannot be released; `help` is the next step."""

    def __init__(self, message: str, help: str) -> None:  # noqa: A002 - as in Diagnostic
        super().__init__(message)
        self.message = message
        self.help = help


class Remote(NamedTuple):
    name: str
    branch: str


class Published(NamedTuple):
    """`commit` holds the records; None where there was nothing to record. `tags` are those that were missing."""

    outcomes: tuple[Release | Unreleased, ...]
    commit: str | None
    tags: tuple[str, ...]


def publish(git: Git, remote: Remote, candidates: Sequence[tuple[Candidate, Asked]]) -> Published:
    """Record what is to be released on top of the remote's branch, and give every record its tag.

    Only models among the candidates get tags. The work tree is not touched.
    """
    commit, outcomes, files = _record(git, remote, candidates)
    models = tuple(candidate.model for candidate, _ in candidates)
    return Published(outcomes=outcomes, commit=commit, tags=_tag(git, remote.name, files, models))


def outcomes_for(
    git: Git, candidates: Sequence[tuple[Candidate, Asked]], files: Files
) -> tuple[Release | Unreleased, ...]:
    """What is released of each candidate given the registry as it is."""
    return tuple(_outcome(git, candidate, asked, files) for candidate, asked in candidates)


def _record(
    git: Git, remote: Remote, candidates: Sequence[tuple[Candidate, Asked]]
) -> tuple[str | None, tuple[Release | Unreleased, ...], Files]:
    head = _fetched(git, remote)
    for _ in range(_MOST_ATTEMPTS):
        for candidate, _asked in candidates:
            _require_merged(git, candidate, head, remote)
        files = git.registry_at(head)
        outcomes = outcomes_for(git, candidates, files)
        new = [it for it in outcomes if isinstance(it, Release)]
        if not new:
            return None, outcomes, files
        written = {path: data for release in new for path, data in release.files.items()}
        commit = git.commit_files(head, written, _message(new))
        try:
            git.push(remote.name, f"{commit}:refs/heads/{remote.branch}")
        except PushError as refusal:
            before, head = head, _fetched(git, remote)
            if head == before:
                raise PublishError(
                    f"'{remote.name}' does not take the records: {refusal.complaint}",
                    "let this job push to the branch, then run it again: nothing has been released",
                ) from refusal
            continue
        return commit, outcomes, {**files, **written}
    raise PublishError(
        f"'{remote.name}/{remote.branch}' moved {_MOST_ATTEMPTS} times while this was being released",
        "run it again: nothing has been released",
    )


def _fetched(git: Git, remote: Remote) -> str:
    try:
        return git.fetch_branch(remote.name, remote.branch)
    except GitError as error:
        raise PublishError(
            f"cannot fetch '{remote.branch}' from '{remote.name}': {error.complaint}",
            "see to it that the remote can be reached, then run it again",
        ) from error


def _require_merged(git: Git, candidate: Candidate, head: str, remote: Remote) -> None:
    if git.is_ancestor(candidate.commit, head):
        return
    if git.is_shallow:
        raise PublishError(
            "this clone is shallow: what was merged before what cannot be told",
            "fetch the whole history (`git fetch --unshallow`, or `fetch-depth: 0`)",
        )
    raise PublishError(
        f"commit {candidate.commit[:7]} is not on '{remote.name}/{remote.branch}'",
        "only what was merged is released; the branch may have been force-pushed since",
    )


def _outcome(git: Git, candidate: Candidate, asked: Asked, files: Files) -> Release | Unreleased:
    outcome = released(candidate, asked, files)
    version = shelf.newest(files, candidate.model)
    if isinstance(outcome, Release) and version is not None:
        newest = read_past(candidate.model, version, files)
        if git.is_ancestor(candidate.commit, newest.commit):
            reason = f"{version} was released from a later commit, {newest.commit[:7]}"
            return Unreleased(candidate.model, reason, version)
    return outcome


def _message(releases: Sequence[Release]) -> str:
    names = ", ".join(f"{it.model} {it.version}" for it in releases)
    lines = [f"{it.model} {it.version}: {it.bump}, {it.reason}" for it in releases]
    return f"Release {names}\n\n" + "\n".join(lines) + "\n"


def _tag(git: Git, remote: str, files: Files, models: Sequence[str]) -> tuple[str, ...]:
    try:
        there = git.remote_tags(remote)
        recorded = shelf.recorded(files)
        pasts = [read_past(model, version, files) for model in models for version in recorded.get(model, ())]
        missing = [past for past in pasts if not _is_tagged(git, remote, past, there)]
        # One at a time: GitHub starts no workflow for more than three tags in one push.
        for past in missing:
            git.push(remote, f"{_made(git, past)}:refs/tags/{tag_name(past.model, past.version)}")
    except GitError as error:
        raise PublishError(
            f"the records are there, a tag is not: {error.complaint}",
            "run it again: it goes on where it stopped",
        ) from error
    return tuple(tag_name(past.model, past.version) for past in missing)


def _is_tagged(git: Git, remote: str, past: Past, there: dict[str, tuple[str, str]]) -> bool:
    """Whether the remote has the tag; PublishError where it is another one of that name."""
    name = tag_name(past.model, past.version)
    if name not in there:
        return False
    found, commit = there[name]
    if found == object_name(_object(past), len(found)):
        return True
    git.run("fetch", "--quiet", "--no-tags", remote, f"refs/tags/{name}")
    message = git.run("cat-file", "-p", "FETCH_HEAD").decode(errors="replace")
    if commit != past.commit or vouched_sha256(message) != past.record_sha256:
        record = shelf.record_path(past.model, past.version)
        raise PublishError(
            f"the tag '{name}' of '{remote}' is not the one that {record} asks for",
            f"find out who made it, then delete it (`git push {remote} :refs/tags/{name}`) and run this again",
        )
    return True


def _made(git: Git, past: Past) -> str:
    """The tag's object; in this clone it gets its name, too, unless something else has it."""
    made = git.make_tag(_object(past))
    git.succeeds("update-ref", f"refs/tags/{tag_name(past.model, past.version)}", made, "0" * len(made))
    return made


def _object(past: Past) -> bytes:
    return tag_object(past.model, past.version, past.commit, past.released, past.record_sha256)
