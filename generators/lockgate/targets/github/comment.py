"""Steps that post a report on a pull request through CML, or through `gh` where CML fails. None fails its job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.targets.github.pins import CML_PIN, CML_REPOSITORY, uses

if TYPE_CHECKING:
    from lockgate.targets.github.types import Step

_CML = (
    "node cml/bin/cml.js comment update --driver=github --publish=false --watermark-title=Lockgate"
    ' --repo="$REPOSITORY_URL" --target="pr/$NUMBER" report/report.md'
)
_GH = (
    'gh pr comment "$NUMBER" --repo "$REPOSITORY_URL"'
    " --body-file report/report.md --edit-last --create-if-none"
)
_REPOSITORY_URL = "${{ github.server_url }}/${{ github.repository }}"


def post_steps(number: str) -> list[Step]:
    """Post `report/report.md` on the pull request whose number the expression gives, replacing the last one."""
    return [_checkout_cml(), _set_up_node(), _install_cml(), _cml(number), _gh(number), _say_so()]


def _checkout_cml() -> Step:
    return {
        "name": "Check out CML",
        "id": "cml_source",
        "continue-on-error": True,
        "uses": uses("actions/checkout"),
        "with": {
            "repository": CML_REPOSITORY,
            "ref": CML_PIN.sha,
            "path": "cml",
            "persist-credentials": False,
        },
    }


def _set_up_node() -> Step:
    return {
        "name": "Set up Node.js",
        "id": "node",
        "continue-on-error": True,
        "uses": uses("actions/setup-node"),
        "with": {"node-version": "24", "package-manager-cache": False},
    }


def _install_cml() -> Step:
    return {
        "name": "Install CML",
        "id": "cml_install",
        "if": "${{ steps.cml_source.outcome == 'success' && steps.node.outcome == 'success' }}",
        "continue-on-error": True,
        "working-directory": "cml",
        "run": "npm ci --ignore-scripts --omit=dev",
    }


def _cml(number: str) -> Step:
    return {
        "name": "Post the report through CML",
        "id": "cml",
        "if": "${{ steps.cml_install.outcome == 'success' }}",
        "continue-on-error": True,
        # CML writes to the user's Git configuration: on a runner of one's own that would stay.
        "env": {
            "HOME": "${{ runner.temp }}",
            "ITERATIVE_DO_NOT_TRACK": "1",
            "REPO_TOKEN": "${{ github.token }}",
            "REPOSITORY_URL": _REPOSITORY_URL,
            "NUMBER": number,
        },
        "run": _CML,
    }


def _gh(number: str) -> Step:
    return {
        "name": "Post the report through gh",
        "id": "gh",
        "if": "${{ steps.cml.outcome != 'success' }}",
        "continue-on-error": True,
        "env": {"GH_TOKEN": "${{ github.token }}", "REPOSITORY_URL": _REPOSITORY_URL, "NUMBER": number},
        "run": _GH,
    }


def _say_so() -> Step:
    return {
        "name": "Say that the report is not posted",
        "id": "not_posted",
        "if": "${{ steps.cml.outcome != 'success' && steps.gh.outcome != 'success' }}",
        "run": 'echo "The report could not be posted as a comment; the gates are not changed by that."'
        ' >> "$GITHUB_STEP_SUMMARY"',
    }
