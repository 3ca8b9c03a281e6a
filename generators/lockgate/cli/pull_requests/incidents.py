"""Incidents → rollback pull requests, at most one for each, from the commit that is checked out."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from lockgate.cli.failure import Failure
from lockgate.cli.pull_requests.github import GitHub, github_of
from lockgate.cli.pull_requests.incident_body import commit_message, pull_request_body
from lockgate.cli.pull_requests.opening import has_changes, require_ready
from lockgate.cli.pull_requests.upkeep import Wanted, keep_open
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
    is_automatic = spec.environments[incident.environment].promote == "automatic"
    want = partial(_wanted, root, spec, incident)
    return not keep_open(terminal, spec, github, branch, want, is_automatic=is_automatic)


def _wanted(root: Path, spec: Spec, incident: Incident) -> Wanted:
    move = move_back(root, spec, incident.environment, incident.model, mark=_mark(incident))
    return Wanted(move, commit_message(incident), pull_request_body(incident, move))


def _mark(incident: Incident) -> Mark:
    reason = f"its rollout was {incident.state}: {incident.evidence.message or 'no reason is given'}"
    found = {"revision": incident.revision, "pod_hash": incident.pod_hash}
    told = {key: value for key, value in found.items() if value}
    return Mark(
        reason=reason[:_LONGEST_REASON],
        incident=incident.id,
        evidence={**told, **as_block(incident.evidence)},
    )


def _place(incident: Incident) -> str:
    return f"{incident.model} {incident.version} in {incident.environment}"
