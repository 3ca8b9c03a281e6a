"""Questions to GitHub that only read: what it answers, or why nobody here knows."""

from __future__ import annotations

import json
import re
from typing import Any, TypeAlias

from lockgate.cli.asking import Answered
from lockgate.cli.pull_requests.github import GitHub
from lockgate.tuples import NamedTuple

_GH_SECONDS = 20
_LOGGED_OUT = 4  # gh's exit code
_STATUS = re.compile(r"\(HTTP ([0-9]{3})\)")


class Unseen(NamedTuple):
    """Why nobody here knows. `message` is GitHub's own."""

    why: str
    message: str = ""


Seen: TypeAlias = Any
"""What GitHub answered, or Unseen."""


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
    done = github.ask("GET", f"{github.address}{path}", *options, seconds=_GH_SECONDS)
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
