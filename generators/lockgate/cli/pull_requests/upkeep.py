"""One pull request a branch, however often a job runs: opened, left as it is, or made anew where it conflicts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lockgate.cli.project import read_spec
from lockgate.cli.pull_requests.github import GitHub, PullRequest
from lockgate.cli.pull_requests.opening import push_branch
from lockgate.cli.releasing.moving import Move, apply
from lockgate.cli.terminal import Terminal, printable
from lockgate.spec.model import Spec
from lockgate.tuples import NamedTuple


class Wanted(NamedTuple):
    """A move, and what its commit and its pull request say of it."""

    move: Move
    message: str
    body: str


def keep_open(
    terminal: Terminal,
    spec: Spec,
    github: GitHub,
    branch: str,
    want: Callable[[], Wanted],
    *,
    is_automatic: bool,
) -> bool:
    """Whether it was opened just now. One that somebody has closed or merged is not opened again."""
    found = github.pull_request_of(branch)
    if found is not None and found.state != "open":
        terminal.say(printable(f"{found.url} was {found.state}: it is not opened again"))
        return False
    if found is None:
        pull = _opened(terminal, spec, github, branch, want())
    else:
        pull = _renewed(terminal, github, found, branch, want)
    if is_automatic:
        github.merge_when_green(pull)
        terminal.say(printable(f"{pull.url} merges itself when its checks pass"))
    return found is None


def _opened(terminal: Terminal, spec: Spec, github: GitHub, branch: str, wanted: Wanted) -> PullRequest:
    _push(terminal, github.root, branch, wanted)
    pull = github.open(branch, spec.project.branch, wanted.move.title, wanted.body)
    terminal.say(printable(f"{pull.url}: {wanted.move.title}"))
    return pull


def _renewed(
    terminal: Terminal, github: GitHub, found: PullRequest, branch: str, want: Callable[[], Wanted]
) -> PullRequest:
    if github.conflicts(found):
        _push(terminal, github.root, branch, want())
        terminal.say(printable(f"{found.url} is made anew: the branch that it goes to has moved on"))
    else:
        terminal.say(printable(f"{found.url} is open already"))
    return found


def _push(terminal: Terminal, root: Path, branch: str, wanted: Wanted) -> None:
    """The work tree is left as it was."""
    moved = apply(terminal, root, read_spec(root), wanted.move)
    push_branch(root, moved, branch, wanted.message)
