"""Git as the registry needs it: objects, references, remotes. The one module of the registry that runs `git`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_IDENTITY = {"NAME": "Lockgate", "EMAIL": "noreply@lockgate.dev"}


class GitError(Exception):
    """Git refused; `complaint` is the last line of what it said."""

    def __init__(self, command: str, complaint: str) -> None:
        super().__init__(f"git {command} failed: {complaint}")
        self.command = command
        self.complaint = complaint


class PushError(GitError):
    """The remote has moved on, cannot be reached, or does not take it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Git:
    """The repository around a project; paths are relative to the project's root."""

    root: Path

    def run(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
        """What Git printed; GitError where it failed."""
        done = self._run(arguments, stdin, environment or {})
        if done.returncode != 0:
            raise GitError(arguments[0], _complaint(done))
        return done.stdout

    def line(self, *arguments: str) -> str | None:
        """The one line that Git printed; None where it failed."""
        done = self._run(arguments, b"", {})
        return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else None

    def succeeds(self, *arguments: str) -> bool:
        return self._run(arguments, b"", {}).returncode == 0

    @property
    def prefix(self) -> str:
        """The project's folder inside the repository: empty, or with a slash at its end."""
        return self.run("rev-parse", "--show-prefix").decode().rstrip("\n")

    @property
    def is_shallow(self) -> bool:
        return self.line("rev-parse", "--is-shallow-repository") == "true"

    def commit(self, reference: str) -> str | None:
        """The commit that the reference names; None where Git knows none."""
        return self.line("rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether the one is, or leads to, the other; a commit that the clone lacks leads nowhere."""
        return self.succeeds("merge-base", "--is-ancestor", older, newer)

    def registry_at(self, commit: str) -> dict[str, bytes]:
        """The registry's files in that commit."""
        listing = self.run("ls-tree", "-r", "-z", commit, "--", "registry/").decode(errors="replace")
        entries = [entry.partition("\t") for entry in listing.split("\0") if entry]
        blobs = {path: head.split()[2] for head, _, path in entries if head.split()[1] == "blob"}
        contents = self.contents(tuple(blobs.values()))
        return {path: data for path, data in zip(blobs, contents, strict=True) if data is not None}

    def contents(self, names: Sequence[str]) -> list[bytes | None]:
        """The bytes of objects in their order, from one process; None for what is not there."""
        rest = self.run("cat-file", "--batch", stdin="".join(f"{name}\n" for name in names).encode())
        found: list[bytes | None] = []
        start = 0
        for _ in names:
            end = rest.index(b"\n", start)
            head = rest[start:end].rsplit(b" ", 2)
            if len(head) != 3 or not head[2].isdigit():
                found.append(None)
                start = end + 1
                continue
            size = int(head[2])
            found.append(rest[end + 1 : end + 1 + size])
            start = end + 1 + size + 1
        return found

    def commit_files(self, parent: str, files: Mapping[str, bytes | None], message: str) -> str:
        """A commit on top of another with these files; None deletes one. Work tree and index stay as they are."""
        from tempfile import TemporaryDirectory

        prefix = self.prefix
        with TemporaryDirectory() as directory:
            index = {"GIT_INDEX_FILE": str(Path(directory) / "index")}
            self.run("read-tree", parent, environment=index)
            lines = [f"{self._entry(data)}\t{prefix}{path}\n" for path, data in files.items()]
            self.run(
                "update-index", "--add", "--index-info", stdin="".join(lines).encode(), environment=index
            )
            tree = self.run("write-tree", environment=index).decode().strip()
        arguments = ("commit-tree", "-p", parent, "-F", "-", tree)
        made = self.run(*arguments, stdin=message.encode(), environment=self._identity())
        return made.decode().strip()

    def make_tag(self, tag: bytes) -> str:
        """The object of an annotated tag, not yet under any name."""
        return self.run("mktag", stdin=tag).decode().strip()

    def remote_tags(self, remote: str) -> dict[str, tuple[str, str]]:
        """The remote's release tags: by name the tag's object and the commit it leads to."""
        listing = self.run("ls-remote", "--tags", remote, "refs/tags/*@v*").decode(errors="replace")
        lines = (line.partition("\t") for line in listing.splitlines())
        named = {name: hash_ for hash_, _, name in lines}
        return {
            name.removeprefix("refs/tags/"): (hash_, named.get(f"{name}^{{}}", hash_))
            for name, hash_ in named.items()
            if not name.endswith("^{}")
        }

    def fetch_branch(self, remote: str, branch: str) -> str:
        """The commit at which the remote's branch is now."""
        reference = f"refs/remotes/{remote}/{branch}"
        self.run("fetch", "--quiet", "--no-tags", remote, f"+refs/heads/{branch}:{reference}")
        found = self.commit(reference)
        assert found is not None, "it was just fetched"
        return found

    def push(self, remote: str, *references: str) -> None:
        """PushError where the remote does not take them all."""
        try:
            self.run("push", "--quiet", remote, *references)
        except GitError as error:
            raise PushError(error.command, error.complaint) from error

    def _entry(self, data: bytes | None) -> str:
        """As `update-index --index-info` reads it."""
        if data is None:
            return f"0 {'0' * 40}"
        return f"100644 {self.run('hash-object', '-w', '--stdin', stdin=data).decode().strip()}"

    def _identity(self) -> dict[str, str]:
        """Lockgate's own where Git has not been told who commits, as on a runner."""
        if os.environ.get("GIT_COMMITTER_EMAIL") or self.line("config", "--get", "user.email"):
            return {}
        return {
            f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _IDENTITY.items()
        }

    def _run(
        self, arguments: Sequence[str], stdin: bytes, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", "-C", str(self.root), *arguments],
                input=stdin,
                env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **environment},
                capture_output=True,
                check=False,
            )
        except FileNotFoundError as error:
            raise GitError(arguments[0], "found no 'git' on the PATH") from error


def _complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    telling = [line for line in lines if line.startswith((" ! ", "error:", "fatal:"))]
    return (telling or lines or [f"exit code {done.returncode}"])[0].strip()
