"""Steps that post a report on a pull request: one comment however often it is pushed. None fails its job.

CML posts it. CML looks for its last comment among the first 30 of the pull request only, and takes anybody's that has
its mark: where that would make a second comment, or write into somebody else's, `gh` posts it, and where CML fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from lockgate.targets.github.pins import CML_PIN, CML_REPOSITORY, uses
from lockgate.targets.github.steps import API, GH_TOKENS

if TYPE_CHECKING:
    from lockgate.targets.github.types import Step

_CML = (
    "node cml/bin/cml.js comment update --driver=github --publish=false --watermark-title=Lockgate"
    ' --repo="$REPOSITORY_URL" --target="pr/$NUMBER" report/report.md'
)
_REPOSITORY_URL = "${{ github.server_url }}/${{ github.repository }}"

# What CML appends to what it posts, up to the commit and behind it.
_MARK = ' "CML watermark Lockgate")'
_WHOLE_MARK = f"![](https://cml.dev/watermark.png#${{{{ github.sha }}}}{_MARK}"
_AUTHOR = "github-actions[bot]"

# A line for every 30 comments: the address of the last of ours, and whether somebody else's has the mark.
_PAGES = (
    'map(select(.body // "" | contains(env.MARK))) | (map(select(.user.login == env.AUTHOR).url) | last // "none")'
    ' + if any(.user.login != env.AUTHOR) then " planted" else "" end'
)
_OURS = '.[] | select(.user.login == env.AUTHOR and (.body // "" | contains(env.MARK))).url'

# Without ours anywhere, or with ours on the first page, CML makes no second comment.
_FIND = """\
pages="$(gh api --paginate "$COMMENTS?per_page=30" --jq "$PAGES")"
case "$pages" in *planted*) by=gh ;; http*) by=cml ;; *http*) by=gh ;; *) by=cml ;; esac
printf 'by=%s\\n' "$by" >> "$GITHUB_OUTPUT"
"""

# It looks again: CML may have posted before it failed.
_GH = """\
ours="$(gh api --paginate "$COMMENTS?per_page=100" --jq "$OURS")"
printf '\\n\\n%s\\n' "$WHOLE_MARK" >> report/report.md
gh api --silent ${ours:+--method PATCH} "$(tail -n 1 <<< "${ours:-$COMMENTS}")" --field body=@report/report.md
"""


def post_steps(number: str) -> list[Step]:
    """Post `report/report.md` on the pull request whose number the expression gives, replacing the last one."""
    return [
        _find(number),
        _checkout_cml(),
        _set_up_node(),
        _install_cml(),
        _cml(number),
        _gh(number),
        _say_so(),
    ]


def _gh_environment(number: str) -> Mapping[str, str]:
    return {**GH_TOKENS, "COMMENTS": f"{API}/issues/{number}/comments", "MARK": _MARK, "AUTHOR": _AUTHOR}


def _find(number: str) -> Step:
    return {
        "name": "Find the last report",
        "id": "find",
        "continue-on-error": True,
        "env": {**_gh_environment(number), "PAGES": _PAGES},
        "run": _FIND,
    }


def _checkout_cml() -> Step:
    return {
        "name": "Check out CML",
        "id": "cml_source",
        "if": "${{ steps.find.outputs.by == 'cml' }}",
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
        "if": "${{ steps.cml_source.outcome == 'success' }}",
        "continue-on-error": True,
        "uses": uses("actions/setup-node"),
        "with": {"node-version": "24", "package-manager-cache": False},
    }


def _install_cml() -> Step:
    return {
        "name": "Install CML",
        "id": "cml_install",
        "if": "${{ steps.node.outcome == 'success' }}",
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
        # Without knowing what is there, posting could make a second comment.
        "if": "${{ steps.find.outcome == 'success' && steps.cml.outcome != 'success' }}",
        "continue-on-error": True,
        "env": {**_gh_environment(number), "OURS": _OURS, "WHOLE_MARK": _WHOLE_MARK},
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
