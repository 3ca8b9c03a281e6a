"""Questions to what GitHub showed of branch and tag rules. Pure; each answer is yes, no, or why nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeAlias

from lockgate.cli.doctor.asking import Seen, Unseen
from lockgate.cli.doctor.seen import GUARDS, Settings, block, blocks
from lockgate.spec.model import Spec

Verdict: TypeAlias = bool | Unseen

REQUIRED_CHECK = "lockgate"
_HIDDEN = Unseen("GitHub shows who may pass a ruleset only to those who may edit it")


def value(seen: Seen, *keys: str) -> Seen:
    """What stands at the keys; Unseen where the document is, or GitHub leaves it out for this token."""
    for key in keys:
        if isinstance(seen, Unseen):
            return seen
        seen = block(seen).get(key, Unseen("GitHub does not show it to this token"))
    return seen


def is_(seen: Seen, *wanted: object) -> Verdict:
    """Whether it is one of these."""
    return seen if isinstance(seen, Unseen) else seen in wanted


def requires_check(settings: Settings) -> Verdict:
    """Whether the branch takes nothing without the verdict, by a ruleset or the old way."""
    rules = _of_type(settings.rules, "required_status_checks")
    by_ruleset = [
        check.get("context")
        for rule in rules
        for check in blocks(block(rule.get("parameters")).get("required_status_checks"))
    ]
    old = block(block(settings.protection).get("required_status_checks"))
    checks = [*by_ruleset, *(it.get("context") for it in blocks(old.get("checks")))]
    contexts = old.get("contexts")
    found = REQUIRED_CHECK in [*checks, *(contexts if isinstance(contexts, list) else [])]
    return _either(settings, found)


def requires_code_owners(settings: Settings) -> Verdict:
    """Whether the branch waits for those whom CODEOWNERS names."""
    rules = _of_type(settings.rules, "pull_request")
    by_ruleset = any(block(it.get("parameters")).get("require_code_owner_review") is True for it in rules)
    old = block(block(settings.protection).get("required_pull_request_reviews"))
    return _either(settings, by_ruleset or old.get("require_code_owner_reviews") is True)


def needs_no_approval(settings: Settings) -> Verdict:
    """Whether the branch takes a pull request that nobody approved, unless CODEOWNERS says who has to."""
    rules = _of_type(settings.rules, "pull_request")
    asked = [block(it.get("parameters")).get("required_approving_review_count") for it in rules]
    old = block(block(settings.protection).get("required_pull_request_reviews"))
    if any([*asked, old.get("required_approving_review_count")]):
        return False
    return next((it for it in (settings.rules, settings.protection) if isinstance(it, Unseen)), True)


def keeps_history(settings: Settings) -> Verdict:
    """Whether nobody can rewrite or delete the branch."""
    types = {it.get("type") for it in blocks(settings.rules)}
    protection = block(settings.protection)
    old = bool(protection) and not any(
        block(protection.get(key)).get("enabled") for key in ("allow_force_pushes", "allow_deletions")
    )
    return _either(settings, old or {"non_fast_forward", "deletion"} <= types)


def keeps_tags(settings: Settings, spec: Spec) -> Verdict:
    """Whether nobody can move or delete the tag of a release."""
    if isinstance(settings.rulesets, Unseen):
        return settings.rulesets
    return all({"update", "deletion"} <= _tag_rules(settings, model) for model in spec.models)


def lets_releases_in(settings: Settings, spec: Spec) -> Verdict:
    """Whether the release workflow may push records to the branch and make tags, in spite of all rules.

    GitHub lets Apps pass a ruleset, and never a workflow's own token.
    """
    if isinstance(settings.rules, Unseen):
        return settings.rules
    if isinstance(settings.rulesets, Unseen):
        return settings.rulesets
    guarding = {it.get("ruleset_id") for it in blocks(settings.rules) if it.get("type") in GUARDS}
    found = [it for it in blocks(settings.rulesets) if it.get("id") in guarding or _forbids_tags(it, spec)]
    if not found:
        return True
    if spec.ci.app is None:
        return False
    if any("bypass_actors" not in it for it in found):
        return _HIDDEN
    return all(_lets_an_app_pass(it) for it in found)


def chooses_branches(settings: Settings, environment: Seen) -> Verdict:
    """Whether only some branches deploy. "Protected branches" are all, where branch protection protects none."""
    if isinstance(environment, Unseen):
        return environment
    policy = block(block(environment).get("deployment_branch_policy"))
    if policy.get("protected_branches") is not True:
        return policy.get("custom_branch_policies") is True
    return settings.protection if isinstance(settings.protection, Unseen) else bool(settings.protection)


def guards_the_old_way(settings: Settings) -> bool:
    """Whether branch protection, which knows no App that passes a check, keeps pushes away."""
    protection = block(settings.protection)
    return any(protection.get(key) for key in ("required_status_checks", "required_pull_request_reviews"))


def _either(settings: Settings, found: bool) -> Verdict:  # noqa: FBT001 - what was found
    """No, only where both ways of protecting a branch could be looked at."""
    if found:
        return True
    return next((it for it in (settings.rules, settings.protection) if isinstance(it, Unseen)), False)


def _of_type(rules: Seen, wanted: str) -> list[Mapping[str, Any]]:
    return [it for it in blocks(rules) if it.get("type") == wanted]


def _tag_rules(settings: Settings, model: str) -> set[object]:
    """The types of the rules that hold for the tags of the model's releases."""
    return {
        rule.get("type")
        for ruleset in blocks(settings.rulesets)
        if ruleset.get("target") == "tag" and _covers(ruleset, model)
        for rule in blocks(ruleset.get("rules"))
    }


def _forbids_tags(ruleset: Mapping[str, Any], spec: Spec) -> bool:
    types = {it.get("type") for it in blocks(ruleset.get("rules"))}
    is_theirs = ruleset.get("target") == "tag" and "creation" in types
    return is_theirs and any(_covers(ruleset, model) for model in spec.models)


def _covers(ruleset: Mapping[str, Any], model: str) -> bool:
    names = block(block(ruleset.get("conditions")).get("ref_name"))
    tag = f"refs/tags/{model}@v1.0.0"
    return _matches(tag, names.get("include")) and not _matches(tag, names.get("exclude"))


def _matches(tag: str, patterns: object) -> bool:
    return any(it == "~ALL" or fnmatchcase(tag, it.replace("**/", "")) for it in _texts(patterns))


def _texts(value: object) -> Iterator[str]:
    found: Iterable[object] = value if isinstance(value, list) else ()
    return (it for it in found if isinstance(it, str))


def _lets_an_app_pass(ruleset: Mapping[str, Any]) -> bool:
    return any(
        it.get("actor_type") == "Integration" and it.get("bypass_mode") in ("always", "exempt")
        for it in blocks(ruleset.get("bypass_actors"))
    )
