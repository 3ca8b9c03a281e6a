"""GitHub's settings as the spec needs them: what was seen is judged, what was not is left to do by hand."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Literal

from lockgate.cli.doctor.asking import Seen, Unseen
from lockgate.cli.doctor.item import Item, named
from lockgate.cli.doctor.rules import (
    REQUIRED_CHECK,
    Verdict,
    guards_the_old_way,
    is_,
    keeps_history,
    keeps_tags,
    lets_releases_in,
    needs_no_approval,
    requires_check,
    requires_code_owners,
    value,
)
from lockgate.cli.doctor.seen import Settings, blocks
from lockgate.spec.model import App, Spec
from lockgate.tuples import NamedTuple

_LONGEST_REASON = 200


class _Places(NamedTuple):
    """Where in GitHub's pages, and how its API is called."""

    settings: str
    repository: str
    api: str


def github_items(spec: Spec, settings: Settings) -> Iterator[Item]:
    """An item a setting, in the order in which they are made."""
    host, _, repository = spec.project.repository.partition("/")
    hostname = "" if host == "github.com" else f" --hostname {host}"
    places = _Places(
        settings=f"https://{spec.project.repository}/settings",
        repository=spec.project.repository,
        api=f"gh api{hostname} --method PUT repos/{repository}",
    )
    yield _whole(settings)
    yield from _actions(spec, settings, places)
    yield from _branch(spec, settings, places)
    yield from _merging(spec, settings, places)
    yield from _reviews(spec, settings, places)
    yield from _tags_and_releases(spec, settings, places)


def _whole(settings: Settings) -> Item:
    if isinstance(settings.repository, Unseen):
        what = (
            f"GitHub's settings could not be looked at ({settings.repository.why}): what follows is the list"
        )
        return Item("github", "github", "by hand", what, fix="gh auth login, then `lockgate doctor` again")
    return Item("github", "github", "ok", "GitHub shows the repository")


def judged(
    check: str,
    verdict: Verdict,
    says: tuple[str, str],
    where: str,
    fix: str,
    otherwise: Literal["failed", "warning"] = "failed",
) -> Item:
    """`says` is what holds where all is well, and what otherwise."""
    good, bad = says
    if isinstance(verdict, Unseen):
        reason = ": ".join(it for it in verdict if it)[:_LONGEST_REASON]
        what = f"see that {good} ({reason})" if reason else f"see that {good}"
        return Item("github", check, "by hand", what, where, fix)
    if verdict:
        return Item("github", check, "ok", good)
    return Item("github", check, otherwise, bad, where, fix)


def _of_repository(settings: Settings, key: str) -> Seen:
    """The repository's own setting. Why the repository is not seen has been said."""
    return Unseen("") if isinstance(settings.repository, Unseen) else value(settings.repository, key)


def _actions(spec: Spec, settings: Settings, places: _Places) -> Iterator[Item]:
    where = f"{places.settings}/actions"
    yield judged(
        "actions-enabled",
        is_(value(settings.actions, "enabled"), True),
        ("Actions are enabled", "Actions are disabled: nothing runs"),
        where,
        "allow actions and reusable workflows",
    )
    allowed = value(settings.actions, "allowed_actions")
    yield judged(
        "actions-allowed",
        Unseen("only selected actions are allowed") if allowed == "selected" else is_(allowed, "all"),
        ("the actions that the workflows use may run", "only actions of your own may run"),
        where,
        "allow those that `grep -h uses: .github/workflows/lockgate-*.yml` lists",
    )
    yield judged(
        "token-permissions",
        is_(value(settings.token, "default_workflow_permissions"), "read"),
        (
            "the workflows' own token may read, and write nothing but what a job asks for",
            "the workflows' own token may write everything where a workflow asks for nothing",
        ),
        where,
        f"{places.api}/actions/permissions/workflow -f default_workflow_permissions=read",
        "warning",
    )
    yield _opens_requests(spec, settings, places)


def _opens_requests(spec: Spec, settings: Settings, places: _Places) -> Item:
    """An App opens pull requests by itself; then nothing else needs to, and no job can approve one."""
    seen = value(settings.token, "can_approve_pull_request_reviews")
    command = f"{places.api}/actions/permissions/workflow -F can_approve_pull_request_reviews"
    has_app = spec.ci.app is not None
    return judged(
        "token-pull-requests",
        is_(seen, not has_app),
        (
            "workflows cannot open or approve pull requests by their own token"
            if has_app
            else "workflows may open pull requests by their own token",
            "any workflow may approve pull requests, and the App needs no such right"
            if has_app
            else "workflows may open no pull requests: promotions cannot be proposed",
        ),
        f"{places.settings}/actions",
        f"{command}={str(not has_app).lower()}",
        "warning" if has_app else "failed",
    )


def _branch(spec: Spec, settings: Settings, places: _Places) -> Iterator[Item]:
    branch, where = spec.project.branch, f"{places.settings}/rules"
    yield judged(
        "default-branch",
        is_(_of_repository(settings, "default_branch"), branch),
        (
            f"'{branch}' is the default branch",
            f"'{branch}' is not the default branch, whose schedules and reports on forks alone run",
        ),
        places.settings,
        f"gh repo edit {places.repository} --default-branch {shlex.quote(branch)}",
        "warning",
    )
    yield judged(
        "required-check",
        requires_check(settings),
        (
            f"'{branch}' requires the check '{REQUIRED_CHECK}'",
            f"'{branch}' does not require the check '{REQUIRED_CHECK}': what a gate blocks can be merged",
        ),
        where,
        f"a branch ruleset for '{branch}' that requires the status check '{REQUIRED_CHECK}'",
    )
    yield judged(
        "branch-history",
        keeps_history(settings),
        (
            f"nobody can rewrite or delete '{branch}'",
            f"'{branch}' can be rewritten or deleted, and with it what was live when",
        ),
        where,
        "in the same ruleset: block force pushes, restrict deletions",
        "warning",
    )


def _merging(spec: Spec, settings: Settings, places: _Places) -> Iterator[Item]:
    automatic = [it.name for it in spec.environments.values() if it.promote == "automatic"]
    if not automatic:
        return
    edit = f"gh repo edit {places.repository}"
    yield judged(
        "auto-merge",
        is_(_of_repository(settings, "allow_auto_merge"), True),
        (
            "pull requests may merge themselves",
            f"no pull request may merge itself, and promotions to {named(automatic)} should",
        ),
        places.settings,
        f"{edit} --enable-auto-merge",
    )
    yield judged(
        "auto-merge-approvals",
        needs_no_approval(settings),
        (
            f"promotions to {named(automatic)} wait for nobody",
            f"promotions to {named(automatic)} wait for an approval, and should merge themselves",
        ),
        f"{places.settings}/rules",
        "in the ruleset: no number of approvals; reviewers of other environments are code owners",
        "warning",
    )
    yield judged(
        "squash-merge",
        is_(_of_repository(settings, "allow_squash_merge"), True),
        (
            "pull requests may be squashed",
            "no pull request may be squashed, and promotions that merge themselves are",
        ),
        places.settings,
        f"{edit} --enable-squash-merge",
    )


def _reviews(spec: Spec, settings: Settings, places: _Places) -> Iterator[Item]:
    reviewed = [it.name for it in spec.environments.values() if it.reviewers]
    if not reviewed:
        return
    yield judged(
        "code-owners",
        requires_code_owners(settings),
        (
            f"the reviewers of {named(reviewed)} have to approve",
            f"the reviewers of {named(reviewed)} are asked, and anybody's approval will do",
        ),
        f"{places.settings}/rules",
        "in the same ruleset: require a pull request, and in it a review from code owners",
    )
    errors = value(settings.code_owner_errors, "errors")
    first = next((str(it.get("kind")) for it in blocks(errors)), "")
    yield judged(
        "code-owners-known",
        errors if isinstance(errors, Unseen) else not errors,
        ("GitHub knows the reviewers", f"GitHub passes over lines of CODEOWNERS: {first[:80]}"),
        ".github/CODEOWNERS",
        "correct environments.*.reviewers: each has to exist and to have write access",
    )


def _tags_and_releases(spec: Spec, settings: Settings, places: _Places) -> Iterator[Item]:
    where = f"{places.settings}/rules"
    yield judged(
        "tags",
        keeps_tags(settings, spec),
        ("nobody can move or delete the tag of a release", "tags of releases can be moved or deleted"),
        where,
        "a tag ruleset for '*@v*': restrict updates, restrict deletions",
        "warning",
    )
    if guards_the_old_way(settings):
        what = f"branch protection of '{spec.project.branch}' may keep out what the release workflow pushes"
        fix = "use a branch ruleset in its place, and let the App of ci.app bypass it"
        yield Item("github", "releases", "warning", what, f"{places.settings}/branches", fix)
        return
    yield judged(
        "releases",
        lets_releases_in(settings, spec),
        (
            "the release workflow may push records and tags",
            "a ruleset keeps out the records and tags that the release workflow pushes",
        ),
        where,
        _how_to_let_in(spec.ci.app),
    )


def _how_to_let_in(app: App | None) -> str:
    if app is None:
        return "name a GitHub App in ci.app, and let it always bypass: a workflow's own token cannot"
    return "add the App of ci.app to the bypass list of each ruleset, with 'always'"
