"""Whom GitHub and clouds trust: the App, the environments of deployments, identities by OIDC, the image registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lockgate.cli.doctor.asking import Seen, Unseen
from lockgate.cli.doctor.github import judged
from lockgate.cli.doctor.item import Item
from lockgate.cli.doctor.rules import Verdict, chooses_branches, value
from lockgate.cli.doctor.seen import Settings, block, blocks
from lockgate.spec.model import App, Environment, Spec

_GITHUBS_REGISTRY = "ghcr.io"


def trust_items(spec: Spec, settings: Settings) -> Iterator[Item]:
    """An item for whoever acts in the project's name."""
    where = f"https://{spec.project.repository}/settings"
    if spec.ci.app is None:
        yield _no_app()
    else:
        yield from _app(spec, spec.ci.app, settings, where)
    if spec.delivery is not None and spec.delivery.mode == "push":
        for environment in spec.environments.values():
            if environment.serve:
                yield from _environment(spec, environment, settings, where)
                rest = f"environment:{environment.name}"
                yield _identity(spec, settings, rest, f"deploy to '{environment.name}'")
    if spec.delivery is not None and spec.delivery.steps:
        yield _identity(spec, settings, f"ref:refs/heads/{spec.project.branch}", "look at what runs")
    registry = spec.project.image_registry
    if registry is not None and any(it.serve for it in spec.models.values()):
        yield _registry(registry, where)


def _no_app() -> Item:
    what = (
        "without 'ci.app' the workflows push by their own token, whose pushes start no checks: "
        "a promotion's checks wait until somebody approves the run"
    )
    fix = "make a GitHub App and name it in ci.app: see 'Setting up GitHub' in the documentation"
    return Item("github", "app", "warning", what, "mlops.yaml", fix)


def _app(spec: Spec, app: App, settings: Settings, where: str) -> Iterator[Item]:
    repository = spec.project.repository
    names = (
        ("app-variable", "variable", app.client_id_variable, settings.variables),
        ("app-secret", "secret", app.private_key_secret, settings.secrets),
    )
    for check, kind, name, lists in names:
        yield judged(
            check,
            _listed(name, lists, settings.repository),
            (f"there is the {kind} '{name}'", f"there is no {kind} '{name}', which ci.app names"),
            f"{where}/{kind}s/actions",
            f"gh {kind} set {name} --repo {repository}",
        )
    what = "see that the App is installed in this repository alone, with Contents and Pull requests: read and write"
    yield Item("github", "app-installed", "by hand", what, f"{where}/installations", "no other permission")


def _listed(name: str, lists: tuple[Seen, Seen], repository: Seen) -> Verdict:
    """Whether one of the lists has it; a user's repository has no organisation to look at."""
    own, theirs = lists
    if any(not isinstance(it, Unseen) and name in it for it in lists):
        return True
    if isinstance(own, Unseen):
        return own
    is_organisation = value(repository, "owner", "type") == "Organization"
    return theirs if is_organisation and isinstance(theirs, Unseen) else False


def _environment(spec: Spec, environment: Environment, settings: Settings, where: str) -> Iterator[Item]:
    name, place = environment.name, f"{where}/environments"
    found = _found(name, settings.environments)
    if found is False:
        what = f"there is no environment '{name}': the first deployment makes one that nothing protects"
        fix = f"make it, for '{spec.project.branch}' alone{_and_reviewers(environment)}"
        yield Item("github", "environment", "failed", what, place, fix)
        return
    yield judged(
        "environment-branches",
        chooses_branches(settings, found),
        (
            f"only chosen branches deploy to '{name}'",
            f"a workflow on any branch can deploy to '{name}', and has its identity in the cloud",
        ),
        place,
        f"'{name}': deployment branches: selected branches, '{spec.project.branch}' alone",
    )
    if environment.promote == "pull-request":
        yield judged(
            "environment-reviewers",
            found if isinstance(found, Unseen) else _has_reviewers(found),
            (f"deployments to '{name}' wait for a reviewer", f"deployments to '{name}' wait for nobody"),
            place,
            f"'{name}': required reviewers; without them, the review of the promotion is the only one",
            "warning",
        )
    else:
        yield judged(
            "environment-reviewers",
            found if isinstance(found, Unseen) else not _has_reviewers(found),
            (
                f"deployments to '{name}' wait for nobody",
                f"deployments to '{name}' wait for a reviewer, and promotions there are automatic",
            ),
            place,
            f"'{name}': no required reviewers",
            "warning",
        )


def _found(name: str, environments: Seen) -> Any:  # noqa: ANN401 - GitHub's
    """The environment; False where there is none, or Unseen."""
    listed = value(environments, "environments")
    if isinstance(listed, Unseen):
        return listed
    return next((it for it in blocks(listed) if str(it.get("name")).lower() == name), False)


def _has_reviewers(environment: Any) -> bool:  # noqa: ANN401 - GitHub's
    rules = blocks(block(environment).get("protection_rules"))
    return any(it.get("type") == "required_reviewers" for it in rules)


def _and_reviewers(environment: Environment) -> str:
    return ", with required reviewers" if environment.promote == "pull-request" else ""


def _identity(spec: Spec, settings: Settings, rest: str, right: str) -> Item:
    """Whom the cloud has to trust: GitHub writes numbers, too, into the subjects of newer repositories."""
    owner, _, name = spec.project.repository.partition("/")[2].partition("/")
    numbers = (value(settings.repository, "owner", "id"), value(settings.repository, "id"))
    subjects = f"'repo:{owner}/{name}:{rest}'"
    if all(isinstance(it, int) for it in numbers):
        subjects += f" or, in a newer repository, 'repo:{owner}@{numbers[0]}/{name}@{numbers[1]}:{rest}'"
    what = f"see that the cluster's cloud lets {subjects} {right}, and do nothing else"
    fix = "compare the token's subject exactly, without a pattern"
    return Item("github", "identity", "by hand", what, "the cloud's trust in GitHub's OIDC", fix)


def _registry(registry: str, where: str) -> Item:
    host = registry.partition("/")[0]
    if host == _GITHUBS_REGISTRY:
        what = f"see that this repository may write the packages below '{registry}', and the cluster may read them"
        fix = "on each package's own page: Manage Actions access"
        return Item("github", "registry", "by hand", what, where, fix)
    what = f"see that the job 'image' can log in to '{host}' by OIDC, and the cluster may read from it"
    return Item("github", "registry", "by hand", what, "mlops.yaml", "a step in ci.steps.before that logs in")
