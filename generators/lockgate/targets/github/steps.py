"""Steps that several jobs take. A value reaches a script through `env` only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, cast

from lockgate.spec.model import App, Ci, Delivery, Project
from lockgate.spec.model import Step as UserStep
from lockgate.targets.github.pins import uses

if TYPE_CHECKING:
    from lockgate.targets.github.types import Permissions, Step

REPORT_ARTIFACT = "lockgate-report"
MODEL_ARTIFACT_PREFIX = "lockgate-model-"

RELEASE_ARTIFACT_PREFIX = "lockgate-release-"
IMAGE_ARTIFACT_PREFIX = "lockgate-image-"
INCIDENTS_ARTIFACT_PREFIX = "lockgate-incidents-"
MODEL = "${{ matrix.model }}"
ENVIRONMENT = "LOCKGATE_ENVIRONMENT"
"""The variable of a job that is about one environment."""

API = "${{ github.api_url }}/repos/${{ github.repository }}"
"""Whole addresses reach GitHub Enterprise too, for whose hosts `gh` takes the token of the second name."""
_GH_TOKEN_NAMES = ("GH_TOKEN", "GH_ENTERPRISE_TOKEN")
GH_TOKENS = dict.fromkeys(_GH_TOKEN_NAMES, "${{ github.token }}")

PIPES: Literal["bash"] = "bash"
"""Without the name of a shell, GitHub takes a pipe for done well where its last program did well."""

SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"
"""Whether the pull request is of this repository's branch, not of a fork."""

BASE_SHA = "${{ github.event.pull_request.base.sha || github.event.merge_group.base_sha }}"


# Where the requirements pin Lockgate, its version with no more extras than the job needs, and of the rest the versions
# alone. Where that cannot be had so, everything: pip wants the hashes of a file all installed, and takes no folder for
# a version.
_INSTALL_LIGHT = """\
light="$REQUIREMENTS.light"
sed -E 's/^([A-Za-z0-9._-]+) *\\[[^]]*\\]/\\1/' "$REQUIREMENTS" > "$light"
if grep -q -e --hash= "$light" || ! grep -Eq '^lockgate *==' "$light" \\
  || ! python -m pip install "$PACKAGE" --constraint "$light"; then
  python -m pip install --requirement "$REQUIREMENTS"
fi
rm "$light"
"""


def only_here(project: Project) -> str:
    """A condition: a fork's branch of the same name releases, deploys and watches nothing."""
    return f"${{{{ github.repository == '{project.repository.partition('/')[2]}' }}}}"


def reading(ci: Ci) -> Permissions:
    """The rights of a job that fetches data: to read the repository, and to say who it is where the spec lets it."""
    return {"contents": "read", "id-token": "write"} if ci.oidc else {"contents": "read"}


def prepare(project: Project) -> list[Step]:
    """The project at the commit that is checked, with its whole history, and what it needs installed."""
    return [
        check_out(),
        {
            "name": "Set up Python",
            "id": "python",
            "uses": uses("actions/setup-python"),
            "with": {
                "python-version": project.python,
                "cache": "pip",
                "cache-dependency-path": project.requirements,
            },
        },
        {
            "name": "Install the requirements",
            "id": "requirements",
            "env": {"REQUIREMENTS": project.requirements},
            "run": 'python -m pip install --requirement "$REQUIREMENTS"',
        },
    ]


def prepare_light(project: Project, package: str = "lockgate") -> list[Step]:
    """The same with Lockgate alone installed, for what reads and writes but runs no pipeline."""
    return [
        check_out(),
        {
            "name": "Set up Python",
            "id": "python",
            "uses": uses("actions/setup-python"),
            # No cache: there is one by these requirements, and it is of all that they install.
            "with": {"python-version": project.python},
        },
        {
            "name": "Install Lockgate",
            "id": "lockgate",
            "env": {"REQUIREMENTS": project.requirements, "PACKAGE": package},
            "run": _INSTALL_LIGHT,
        },
    ]


def prepare_for_cluster(project: Project) -> list[Step]:
    """The newest commit of the branch, and Lockgate with what it needs to talk to a cluster."""
    return newest(prepare_light(project, "lockgate[cluster]"), project.branch)


def prepare_uncached(project: Project) -> list[Step]:
    """All that the project needs, installed anew: what is released comes from no cache that others may write."""
    first, python, *_ = prepare_light(project)
    return [first, python, prepare(project)[-1]]


def newest(steps: Sequence[Step], branch: str) -> list[Step]:
    """The same at the branch's newest commit, which may be later than the one that started the run."""
    first, *rest = steps
    return [{**first, "with": {"ref": branch, **first["with"]}}, *rest]


def become_app(app: App, *permissions: str) -> Step:
    """A token that may write these and lives as long as the job."""
    return {
        "name": "Become the App",
        "id": "app",
        "uses": uses("actions/create-github-app-token"),
        "with": {
            "client-id": f"${{{{ vars.{app.client_id_variable} }}}}",
            "private-key": f"${{{{ secrets.{app.private_key_secret} }}}}",
            **{f"permission-{name}": "write" for name in permissions},
        },
    }


def token(app: App | None) -> dict[str, str]:
    """Variables with which `gh` speaks as the App, or else as the job."""
    return dict.fromkeys(_GH_TOKEN_NAMES, "${{ steps.app.outputs.token }}") if app else dict(GH_TOKENS)


def pushing(app: App | None) -> dict[str, str]:
    """The same for `git`, which gets the token of `gh`: it stands in no argument and in no file."""
    settings = (("credential.helper", ""), ("credential.helper", "!gh auth git-credential"))
    numbered = {
        f"GIT_CONFIG_{part}_{place}": text
        for place, setting in enumerate(settings)
        for part, text in zip(("KEY", "VALUE"), setting, strict=True)
    }
    return {**token(app), "GIT_CONFIG_COUNT": str(len(settings)), **numbered}


def check_out() -> Step:
    """The commit that the run is about, with its whole history and nobody's credentials."""
    return {
        "name": "Check out",
        "id": "checkout",
        "uses": uses("actions/checkout"),
        "with": {"fetch-depth": 0, "persist-credentials": False},
    }


def log_in(delivery: Delivery) -> list[Step]:
    """The user's steps that lead to a cluster; which one, they read from the job's LOCKGATE_ENVIRONMENT."""
    return [user_step(step, f"login_{place}") for place, step in enumerate(delivery.steps, start=1)]


def user_step(step: UserStep, step_id: str) -> Step:
    """The user's step as it stands in the spec; only its name is kept from being read as an expression."""
    keys = {
        "name": step.name.replace("${{", "${{ '${{' }}"),
        "id": step_id,
        "uses": step.uses,
        "with": dict(step.inputs),
        "env": dict(step.env),
        "run": step.run,
    }
    return cast("Step", {key: value for key, value in keys.items() if value not in (None, {})})
