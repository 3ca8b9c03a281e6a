"""Incidents → rollback pull requests, at most one for each, from the commit that is checked out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lockgate.cli.failure import Failure
from lockgate.cli.github import GitHub, PullRequest, github_of
from lockgate.cli.incident_body import commit_message, pull_request_body
from lockgate.cli.moving import Moved, apply, require_spec
from lockgate.cli.project import read_spec
from lockgate.cli.pull_request import has_changes, push_branch, require_ready
from lockgate.cli.rollback import Mark, move_back
from lockgate.cli.terminal import Terminal, printable
from lockgate.cluster.evidence import as_block
from lockgate.cluster.incidents import Incident
from lockgate.registry.git import Git
from lockgate.spec.model import Spec

_LONGEST_REASON = 300


def open_all(terminal: Terminal, root: Path, spec: Spec, incidents: Iterable[Incident]) -> bool:
    """Whether there was nothing to do. What goes wrong with one keeps no other from its pull request."""
    require_ready(root, spec)
    github, settled = github_of(root, spec), True
    for incident in incidents:
        try:
            settled &= _is_settled(terminal, root, spec, github, incident)
        except Failure as failure:
            # Files that could not be pushed would be taken for the commit's by the next.
            if has_changes(Git(root=root)):
                raise
            settled = False
            terminal.error(f"{terminal.alarm('error:')} {_place(incident)}: {failure.message}")
            terminal.error(f"  = help: {failure.help}")
    return settled


def _is_settled(terminal: Terminal, root: Path, spec: Spec, github: GitHub, incident: Incident) -> bool:
    """Whether it was before; False where its pull request was opened just now."""
    pinned = spec.pins.get(incident.environment, {}).get(incident.model)
    if pinned != incident.version:
        terminal.say(printable(f"{_place(incident)}: {pinned or 'nothing'} is pinned by now"))
        return True
    branch = f"lockgate/rollback/{incident.environment}/{incident.model}/{incident.id}"
    pull = github.pull_request_of(branch)
    if pull is not None and pull.state != "open":
        terminal.say(printable(f"{pull.url} was {pull.state}: it is not opened again"))
        return True
    if pull is None:
        opened = _opened(terminal, root, spec, github, incident, branch)
        _merge_if_automatic(terminal, spec, github, incident, opened)
        return False
    if github.conflicts(pull):
        _pushed(terminal, root, incident, branch)
        terminal.say(printable(f"{pull.url} is made anew: the branch that it goes to has moved on"))
    else:
        terminal.say(printable(f"{pull.url} is open already"))
    _merge_if_automatic(terminal, spec, github, incident, pull)
    return True


def _opened(
    terminal: Terminal, root: Path, spec: Spec, github: GitHub, incident: Incident, branch: str
) -> PullRequest:
    moved = _pushed(terminal, root, incident, branch)
    pull = github.open(branch, spec.project.branch, moved.move.title, pull_request_body(incident, moved.move))
    terminal.say(printable(f"{pull.url}: {moved.move.title}"))
    return pull


def _pushed(terminal: Terminal, root: Path, incident: Incident, branch: str) -> Moved:
    """The work tree is left as it was."""
    reading = read_spec(root)
    spec = require_spec(reading, terminal)
    move = move_back(root, spec, incident.environment, incident.model, mark=_mark(incident))
    moved = apply(terminal, root, reading, move)
    push_branch(root, moved, branch, commit_message(incident))
    return moved


def _mark(incident: Incident) -> Mark:
    reason = f"its rollout was {incident.state}: {incident.evidence.message or 'no reason is given'}"
    found = {"revision": incident.revision, "pod_hash": incident.pod_hash}
    told = {key: value for key, value in found.items() if value}
    return Mark(
        reason=reason[:_LONGEST_REASON],
        incident=incident.id,
        evidence={**told, **as_block(incident.evidence)},
    )


def _merge_if_automatic(
    terminal: Terminal, spec: Spec, github: GitHub, incident: Incident, pull: PullRequest
) -> None:
    if spec.environments[incident.environment].promote == "automatic":
        github.merge_when_green(pull)
        terminal.say(printable(f"{pull.url} merges itself when its checks pass"))


def _place(incident: Incident) -> str:
    return f"{incident.model} {incident.version} in {incident.environment}"
