"""What `lockgate doctor` makes of GitHub's settings: judged as plain data, and asked by the real `gh` of a stand-in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import SPEC, edit
from tests.posting.stand_in import GitHub, Refusal, serve

from lockgate.cli.doctor.asking import Unseen
from lockgate.cli.doctor.github import github_items
from lockgate.cli.doctor.item import Item
from lockgate.cli.doctor.seen import Settings, nothing_seen
from lockgate.cli.doctor.trust import trust_items
from lockgate.spec import read
from lockgate.spec.model import Spec

APP = "ci: {app: {client_id_variable: APP_CLIENT, private_key_secret: APP_KEY}}\n"
PUSH = "delivery: {mode: push, steps: [{name: Log in, run: make kubeconfig}]}\n"
TOKEN = "gho-of-the-user"


def spec_of(*more: str, environments: str = "production: {namespace: ml}") -> Spec:
    text = SPEC.replace("production: {namespace: ml}", environments) + "".join(more)
    spec = read(text.encode()).spec
    assert spec is not None
    return spec


def required(context: str = "lockgate", ruleset: int = 1) -> dict[str, Any]:
    parameters = {"required_status_checks": [{"context": context}]}
    return {"type": "required_status_checks", "ruleset_id": ruleset, "parameters": parameters}


def approvals(count: int) -> dict[str, Any]:
    return {"type": "pull_request", "parameters": {"required_approving_review_count": count}}


def passing(actor: str = "Integration", mode: str = "always") -> list[dict[str, Any]]:
    return [{"actor_type": actor, "actor_id": 5, "bypass_mode": mode}]


def ruleset(number: int, *, target: str = "branch", **more: Any) -> dict[str, Any]:
    return {"id": number, "target": target, "enforcement": "active", **more}


def tags(*types: str, include: str = "refs/tags/*@v*", **more: Any) -> dict[str, Any]:
    conditions = {"ref_name": {"include": [include], "exclude": []}}
    rules = [{"type": it} for it in types]
    return ruleset(2, target="tag", conditions=conditions, rules=rules, bypass_actors=passing(), **more)


WELL = Settings(
    repository={
        "id": 9,
        "owner": {"id": 4, "type": "Organization"},
        "default_branch": "main",
        "allow_auto_merge": True,
        "allow_squash_merge": True,
    },
    actions={"enabled": True, "allowed_actions": "all"},
    token={"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False},
    rules=[
        required(),
        {"type": "pull_request", "ruleset_id": 1, "parameters": {"require_code_owner_review": True}},
        {"type": "deletion"},
        {"type": "non_fast_forward"},
    ],
    protection={},
    rulesets=[ruleset(1, bypass_actors=passing()), tags("update", "deletion", "creation")],
    environments={
        "environments": [
            {
                "name": "production",
                "protection_rules": [{"type": "required_reviewers", "reviewers": [{}]}],
                "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
            }
        ]
    },
    code_owner_errors={"errors": []},
    variables=(frozenset({"APP_CLIENT"}), frozenset()),
    secrets=(frozenset(), frozenset({"APP_KEY"})),
)


def told(spec: Spec, settings: Settings) -> dict[str, Item]:
    return {it.check: it for it in (*github_items(spec, settings), *trust_items(spec, settings))}


def state(check: str, spec: Spec | None = None, **other: Any) -> str:
    return told(spec or spec_of(APP), WELL._replace(**other))[check].state


FULL = spec_of(
    APP,
    PUSH,
    environments='production: {namespace: ml, reviewers: ["@acme/ml"]}\n  staging: {namespace: st, promote: automatic}',
)


def test_where_all_is_set_up_nothing_fails_and_the_rest_is_a_list() -> None:
    spec = spec_of(APP, PUSH, environments='production: {namespace: ml, reviewers: ["@acme/ml"]}')
    states = {check: it.state for check, it in told(spec, WELL).items()}
    assert {check for check, it in states.items() if it == "by hand"} == {"app-installed", "identity"}
    assert set(states.values()) == {"ok", "by hand"}


def test_what_nobody_can_look_at_is_a_list_with_places_and_commands() -> None:
    items = told(FULL, nothing_seen("not asked: --offline"))
    assert {it.state for it in items.values()} == {"by hand"}
    assert all(it.fix for it in items.values())
    assert items["required-check"] == Item(
        "github",
        "required-check",
        "by hand",
        "see that 'main' requires the check 'lockgate'",
        "https://github.com/acme/flights/settings/rules",
        "a branch ruleset for 'main' that requires the status check 'lockgate'",
    )


@pytest.mark.parametrize(
    ("rules", "protection", "expected"),
    [
        ([required()], {}, "ok"),
        ([required("other")], {}, "failed"),
        ([], {"required_status_checks": {"contexts": ["lockgate"]}}, "ok"),
        ([], {"required_status_checks": {"checks": [{"context": "lockgate"}]}}, "ok"),
        ([], {}, "failed"),
        ([], Unseen("GitHub answered 403"), "by hand"),
        (Unseen("GitHub answered 403"), {}, "by hand"),
        ("no list", "no map", "failed"),
    ],
)
def test_the_verdict_is_required_by_a_ruleset_or_by_branch_protection(
    rules: Any, protection: Any, expected: str
) -> None:
    assert state("required-check", rules=rules, protection=protection) == expected


@pytest.mark.parametrize(
    ("text", "rulesets", "expected"),
    [
        (APP, [ruleset(1, bypass_actors=passing())], "ok"),
        (APP, [ruleset(1, bypass_actors=[])], "failed"),
        (APP, [ruleset(1, bypass_actors=passing("Team"))], "failed"),
        (APP, [ruleset(1, bypass_actors=passing(mode="pull_request"))], "failed"),
        (APP, [ruleset(1)], "by hand"),
        (APP, Unseen("GitHub answered 404"), "by hand"),
        (APP, [ruleset(1, bypass_actors=passing()), {**tags("creation"), "bypass_actors": []}], "failed"),
        ("", [ruleset(1, bypass_actors=passing())], "failed"),
    ],
)
def test_a_release_is_pushed_past_the_rules_by_an_app_alone(text: str, rulesets: Any, expected: str) -> None:
    assert state("releases", spec_of(text), rulesets=rulesets) == expected


def test_without_rules_a_release_needs_no_app() -> None:
    assert state("releases", spec_of(), rules=[], rulesets=[]) == "ok"


def test_branch_protection_knows_no_app_that_passes_a_check() -> None:
    assert state("releases", protection={"required_status_checks": {"contexts": ["lockgate"]}}) == "warning"


@pytest.mark.parametrize(
    ("ruleset", "expected"),
    [
        (tags("update", "deletion"), "ok"),
        (tags("update", "deletion", include="~ALL"), "ok"),
        (tags("update", "deletion", include="refs/tags/**/*"), "ok"),
        (tags("update", "deletion", include="refs/tags/v*"), "warning"),
        (tags("deletion"), "warning"),
        (ruleset(2, target="tag"), "warning"),
    ],
)
def test_tags_of_releases_are_to_stay_as_they_are(ruleset: dict[str, Any], expected: str) -> None:
    assert state("tags", rulesets=[ruleset]) == expected


def test_a_tag_that_a_ruleset_leaves_out_is_not_kept() -> None:
    left_out = tags("update", "deletion")
    left_out["conditions"]["ref_name"]["exclude"] = ["refs/tags/iris@*"]
    assert state("tags", rulesets=[left_out]) == "warning"


@pytest.mark.parametrize(
    ("check", "other", "expected"),
    [
        ("actions-enabled", {"actions": {"enabled": False}}, "failed"),
        ("actions-allowed", {"actions": {"allowed_actions": "local_only"}}, "failed"),
        ("actions-allowed", {"actions": {"allowed_actions": "selected"}}, "by hand"),
        ("token-permissions", {"token": {"default_workflow_permissions": "write"}}, "warning"),
        ("token-pull-requests", {"token": {"can_approve_pull_request_reviews": True}}, "warning"),
        ("default-branch", {"repository": {"default_branch": "develop"}}, "warning"),
        ("branch-history", {"rules": [{"type": "deletion"}]}, "warning"),
        ("auto-merge", {"repository": {"allow_auto_merge": False}}, "failed"),
        ("auto-merge", {"repository": {}}, "by hand"),
        ("auto-merge-approvals", {"rules": [approvals(1)]}, "warning"),
        ("auto-merge-approvals", {"rules": [approvals(0)]}, "ok"),
        ("squash-merge", {"repository": {"allow_squash_merge": False}}, "failed"),
        ("code-owners", {"rules": [required()]}, "failed"),
        ("code-owners-known", {"code_owner_errors": {"errors": [{"kind": "Unknown owner"}]}}, "failed"),
        ("app-variable", {"variables": (frozenset(), frozenset())}, "failed"),
        ("app-secret", {"secrets": (frozenset(), Unseen("GitHub answered 403"))}, "by hand"),
        ("environment", {"environments": {"environments": []}}, "failed"),
    ],
)
def test_what_is_set_otherwise_is_told(check: str, other: dict[str, Any], expected: str) -> None:
    assert state(check, FULL, **other) == expected


def test_the_right_to_open_pull_requests_is_needed_without_an_app_alone() -> None:
    allowed = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": True}
    assert state("token-pull-requests", spec_of(), token=allowed) == "ok"
    assert state("token-pull-requests", spec_of()) == "failed"


def test_a_user_s_repository_has_no_organisation_s_secrets() -> None:
    theirs = {"owner": {"type": "User"}}
    secrets: tuple[Any, Any] = (frozenset(), Unseen("GitHub answered 404"))
    assert state("app-secret", repository=theirs, secrets=secrets) == "failed"


@pytest.mark.parametrize(
    ("promote", "environment", "check", "expected"),
    [
        ("pull-request", {"deployment_branch_policy": None}, "environment-branches", "failed"),
        ("pull-request", {"protection_rules": []}, "environment-reviewers", "warning"),
        (
            "automatic",
            {"protection_rules": [{"type": "required_reviewers"}]},
            "environment-reviewers",
            "warning",
        ),
        ("automatic", {"protection_rules": []}, "environment-reviewers", "ok"),
    ],
)
def test_an_environment_is_protected_as_promotions_want_it(
    promote: str, environment: dict[str, Any], check: str, expected: str
) -> None:
    spec = spec_of(PUSH, environments=f"production: {{namespace: ml, promote: {promote}}}")
    listed = {"environments": [{"name": "Production", **environment}]}
    assert state(check, spec, environments=listed) == expected


@pytest.mark.parametrize(
    ("protection", "expected"),
    [({}, "failed"), ({"enforce_admins": {}}, "ok"), (Unseen("GitHub answered 404"), "by hand")],
)
def test_protected_branches_are_all_where_none_is_protected_the_old_way(
    protection: Any, expected: str
) -> None:
    environment = {"name": "production", "deployment_branch_policy": {"protected_branches": True}}
    listed = {"environments": [environment]}
    assert (
        state("environment-branches", spec_of(PUSH), environments=listed, protection=protection) == expected
    )


def test_only_what_the_spec_needs_is_asked_for() -> None:
    assert not {"auto-merge", "code-owners", "environment", "app-secret", "identity"} & set(
        told(spec_of(), WELL)
    )


def test_the_cloud_s_trust_names_both_forms_of_the_subject() -> None:
    identity = next(it for it in trust_items(FULL, WELL) if it.check == "identity")
    assert "'repo:acme/flights:environment:production'" in identity.what
    assert "'repo:acme@4/flights@9:environment:production'" in identity.what


needs_gh = pytest.mark.skipif(shutil.which("gh") is None, reason="gh is missing: install Debian's gh")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with serve(tmp_path_factory.mktemp("github")) as github:
        yield github


@pytest.fixture
def github(host: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitHub:
    """A host at which the user of the command line is logged in."""
    for name in ("GH_TOKEN", "GITHUB_TOKEN", "GITHUB_ENTERPRISE_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", TOKEN)
    monkeypatch.setenv("GH_CONFIG_DIR", str(tmp_path / "gh"))
    monkeypatch.setenv("GITHUB_API_URL", f"{host.url}/api/v3")
    monkeypatch.setenv("SSL_CERT_FILE", str(host.certificate))
    host.settings, host.requests = {}, []
    return host


def shown(settings: Settings) -> dict[str, Any]:
    """As the host has them, by path."""
    full = {f"/rulesets/{it['id']}": it for it in settings.rulesets}
    return {
        "": settings.repository,
        "/actions/permissions": settings.actions,
        "/actions/permissions/workflow": settings.token,
        "/rules/branches/main": settings.rules,
        "/branches/main/protection": Refusal(404, "Branch not protected"),
        "/rulesets": [ruleset(it["id"], target=it["target"]) for it in settings.rulesets],
        "/environments": settings.environments,
        "/codeowners/errors": settings.code_owner_errors,
        "/actions/variables": {"variables": [{"name": "APP_CLIENT", "value": "of-the-app"}]},
        "/actions/organization-variables": {"variables": []},
        "/actions/secrets": {"secrets": []},
        "/actions/organization-secrets": {"secrets": [{"name": "OTHER"}, {"name": "APP_KEY"}]},
        **full,
    }


def asked(lockgate: Lockgate) -> dict[str, tuple[str, str]]:
    done = lockgate("doctor", "--format", "json")
    assert TOKEN not in done.out + done.err
    items = json.loads(done.out)["items"]
    return {it["check"]: (it["state"], it["what"]) for it in items if it["area"] == "github"}


@needs_gh
@pytest.mark.slow
def test_gh_finds_what_is_set_up(project: Path, github: GitHub, lockgate: Lockgate) -> None:
    edit(project, "{namespace: ml}", '{namespace: ml, reviewers: ["@acme/ml"]}')
    with (project / "mlops.yaml").open("a") as spec:
        spec.write(APP + PUSH)
    github.settings = shown(WELL)
    found = asked(lockgate)
    assert {check for check, (it, _) in found.items() if it == "by hand"} == {"app-installed", "identity"}
    assert {it for it, _ in found.values()} == {"ok", "by hand"}
    assert {it.partition(" ")[0] for it in github.requests} == {"GET"}


@needs_gh
@pytest.mark.slow
def test_what_the_token_may_not_see_is_left_to_do_by_hand(
    project: Path, github: GitHub, lockgate: Lockgate
) -> None:
    github.settings = {"": WELL.repository, "/rules/branches/main": Refusal(403, "Upgrade to GitHub Pro")}
    found = asked(lockgate)
    assert found["default-branch"][0] == "ok"
    assert found["required-check"] == (
        "by hand",
        "see that 'main' requires the check 'lockgate' (GitHub answered 403: Upgrade to GitHub Pro)",
    )
    assert found["token-permissions"][0] == "by hand"


@needs_gh
@pytest.mark.slow
def test_a_repository_that_the_token_does_not_see_is_asked_for_once(
    project: Path, github: GitHub, lockgate: Lockgate
) -> None:
    assert asked(lockgate)["github"] == (
        "by hand",
        "GitHub's settings could not be looked at (GitHub answered 404): what follows is the list",
    )
    assert github.requests == ["GET /api/v3/repos/acme/flights"]


@needs_gh
@pytest.mark.slow
def test_who_is_not_logged_in_gets_the_list(
    project: Path, github: GitHub, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GH_ENTERPRISE_TOKEN")
    assert "(`gh` is not logged in)" in asked(lockgate)["github"][1]
    assert github.requests == []


@needs_gh
@pytest.mark.slow
def test_a_host_that_is_not_there_is_told(
    project: Path, github: GitHub, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_API_URL", "https://127.0.0.1:9/api/v3")
    assert "GitHub cannot be asked: " in asked(lockgate)["github"][1]
