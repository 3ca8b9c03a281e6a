"""Programs that ask somebody else, a remote or GitHub: bounded in time, without a terminal, and only reading."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from lockgate.cli.github import GitHub
from lockgate.cli.terminal import printable
from lockgate.tuples import NamedTuple

_GH_SECONDS = 20
_LONGEST_REASON = 200
_LOGGED_OUT = 4  # gh's exit code
_STATUS = re.compile(r"\(HTTP ([0-9]{3})\)")
# Addresses may hold a password before the @, or a signature behind the ?.
_SECRETS = (re.compile(r"(?<=//)[^/@\s]+@"), re.compile(r"(?<=\S)\?\S+"))


class Answered(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The last line of what it complained of, short and without what may be a secret."""
        lines = self.err.strip().splitlines() or [f"exit code {self.code}"]
        line = lines[-1].strip()
        for secret in _SECRETS:
            line = secret.sub("…", line)
        return printable(line)[:_LONGEST_REASON]


class Unseen(NamedTuple):
    """Why nobody here knows. `message` is GitHub's own."""

    why: str
    message: str = ""


Seen: TypeAlias = Any
"""What GitHub answered, or Unseen."""


def ask(
    command: Sequence[str],
    root: Path,
    seconds: float,
    *,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
) -> Answered | None:
    """What the program said; None where it cannot be started, or had not answered in time and was ended."""
    try:
        process = subprocess.Popen(
            command,
            cwd=root,
            env={**(os.environ if environment is None else environment), "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Without a terminal nothing can ask for a password, and what it starts ends with it.
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError:
        return None
    with process:
        try:
            out, err = process.communicate(stdin, seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return None
        except BaseException:
            _end(process)
            raise
    return Answered(process.returncode, out, err)


def ask_github(github: GitHub, path: str) -> Seen:
    """The document at the path below the repository's address."""
    done = _gh(github, path)
    if isinstance(done, Unseen):
        return done
    try:
        return json.loads(done.out)
    except ValueError:
        return Unseen("GitHub's answer cannot be read")


def ask_names(github: GitHub, path: str, key: str) -> Seen:
    """The names of all in a list such as that of the secrets. What else it holds, `gh` throws away."""
    done = _gh(github, path, "--paginate", "--jq", f".{key}[].name")
    return done if isinstance(done, Unseen) else frozenset(done.out.split())


def _gh(github: GitHub, path: str, *options: str) -> Answered | Unseen:
    address = f"{github.api}/repos/{github.repository}{path}"
    done = ask(["gh", "api", "--method", "GET", address, *options], github.root, _GH_SECONDS)
    if done is None:
        return Unseen(f"`gh` did not answer within {_GH_SECONDS} s")
    if done.code == 0:
        return done
    if done.code == _LOGGED_OUT:
        return Unseen("`gh` is not logged in")
    status = _STATUS.search(done.err)
    if status is None:
        return Unseen(f"GitHub cannot be asked: {done.complaint}")
    return Unseen(f"GitHub answered {status[1]}", _message(done.out))


def _message(body: str) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    return str(document.get("message", "")) if isinstance(document, dict) else ""


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
