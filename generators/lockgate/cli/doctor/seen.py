"""What GitHub shows of a repository's settings, asked at once. Names of secrets and variables, never a value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Any
from urllib.parse import quote

from lockgate.cli.doctor.asking import Seen, Unseen, ask_github, ask_names
from lockgate.cli.pull_requests.github import GitHub
from lockgate.spec.model import Spec
from lockgate.tuples import NamedTuple

# What keeps a push away from a branch, whoever pushes.
GUARDS = frozenset(
    {"merge_queue", "pull_request", "required_deployments", "required_signatures", "required_status_checks"}
    | {"update", "workflows"}
)
_AT_ONCE = 6
_MOST_RULESETS = 20
_UNPROTECTED = "Branch not protected"
_SAID = Unseen("")


class Settings(NamedTuple):
    """Each is GitHub's document, or Unseen. `rules` and `protection` are the branch's, by rulesets and the old way.

    `rulesets` has those in full that guard the branch or tags. `variables` and `secrets` are names, of the
    repository and of its organisation. What the spec does not need is not asked.
    """

    repository: Seen
    actions: Seen = _SAID
    token: Seen = _SAID
    rules: Seen = _SAID
    protection: Seen = _SAID
    rulesets: Seen = _SAID
    environments: Seen = _SAID
    code_owner_errors: Seen = _SAID
    variables: tuple[Seen, Seen] = (_SAID, _SAID)
    secrets: tuple[Seen, Seen] = (_SAID, _SAID)


def nothing_seen(why: str) -> Settings:
    """Where GitHub is not asked, or does not answer: said once, of the repository."""
    return Settings(repository=Unseen(why))


def look(github: GitHub, spec: Spec) -> Settings:
    """All that the token may see. Where it does not even see the repository, nothing else is asked."""
    repository = ask_github(github, "")
    if isinstance(repository, Unseen):
        return nothing_seen(repository.why)
    questions = _questions(spec)
    lists = _LISTS if spec.ci.app is not None else ()
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        names = {
            kind: tuple(pool.submit(ask_names, github, f"/actions/{place}{kind}", kind) for place in _PLACES)
            for kind in lists
        }
        seen = dict(zip(questions, pool.map(partial(ask_github, github), questions.values()), strict=True))
        seen["rulesets"] = _in_full(github, pool, seen["rulesets"], seen["rules"])
        listed = {kind: tuple(it.result() for it in found) for kind, found in names.items()}
    if isinstance(seen["protection"], Unseen) and seen["protection"].message == _UNPROTECTED:
        seen["protection"] = {}
    return Settings(repository=repository, **seen, **listed)


_LISTS = ("variables", "secrets")
_PLACES = ("", "organization-")


def _questions(spec: Spec) -> Mapping[str, str]:
    """By the setting's name the path below the repository's address."""
    branch = quote(spec.project.branch, safe="")
    questions = {
        "actions": "/actions/permissions",
        "token": "/actions/permissions/workflow",
        "rules": f"/rules/branches/{branch}?per_page=100",
        "protection": f"/branches/{branch}/protection",
        "rulesets": "/rulesets?per_page=100",
    }
    if spec.delivery is not None and spec.delivery.mode == "push":
        questions["environments"] = "/environments?per_page=100"
    if any(it.reviewers for it in spec.environments.values()):
        questions["code_owner_errors"] = f"/codeowners/errors?ref={branch}"
    return questions


def _in_full(github: GitHub, pool: ThreadPoolExecutor, rulesets: Seen, rules: Seen) -> Seen:
    """The rulesets with their rules and with who may pass them, which lists leave out."""
    if isinstance(rulesets, Unseen):
        return rulesets
    ids = dict.fromkeys((*_of_tags(rulesets), *_guarding(rules)))
    found = list(pool.map(partial(_ruleset, github), islice(ids, _MOST_RULESETS)))
    return next((it for it in found if isinstance(it, Unseen)), found)


def _ruleset(github: GitHub, number: int) -> Seen:
    return ask_github(github, f"/rulesets/{number}")


def _of_tags(rulesets: Any) -> Iterator[int]:  # noqa: ANN401 - GitHub's
    for it in blocks(rulesets):
        if it.get("target") == "tag" and it.get("enforcement") == "active" and isinstance(it.get("id"), int):
            yield it["id"]


def _guarding(rules: Any) -> Iterator[int]:  # noqa: ANN401 - GitHub's
    for it in blocks(rules):
        if it.get("type") in GUARDS and isinstance(it.get("ruleset_id"), int):
            yield it["ruleset_id"]


def blocks(value: object) -> list[Mapping[str, Any]]:
    """The mappings in a list; none where it is no list."""
    return [it for it in value if isinstance(it, dict)] if isinstance(value, list) else []


def block(value: object) -> Mapping[str, Any]:
    """The mapping; an empty one where it is none."""
    return value if isinstance(value, dict) else {}
