"""GitHub's API by way of `gh api`: questions of any kind, and pull requests of one branch each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lockgate.cli.asking import Answered, ask
from lockgate.cli.failure import Failure
from lockgate.cli.terminal import printable
from lockgate.spec.model import Spec
from lockgate.tuples import NamedTuple

_PATIENCE_SECONDS = 60.0
_AUTOMATIC = (
    "mutation($pull: ID!) { enablePullRequestAutoMerge(input: {pullRequestId: $pull, mergeMethod: SQUASH}) "
    "{ clientMutationId } }"
)


class PullRequest(NamedTuple):
    """`state` is `open`, `closed` or `merged`; `node` is its id where GitHub speaks GraphQL."""

    number: int
    url: str
    state: str
    node: str


class GitHub(NamedTuple):
    """A repository on a host; `api` and `graphql` are addresses."""

    root: Path
    repository: str
    api: str
    graphql: str

    def pull_request_of(self, branch: str) -> PullRequest | None:
        """The last one that was opened for the branch, whatever became of it."""
        owner = self.repository.partition("/")[0]
        found = self._call("GET", f"{self._pulls}?head={owner}:{branch}&state=all")
        return _pull_request(max(found, key=lambda it: int(it["number"]))) if found else None

    def conflicts(self, pull: PullRequest) -> bool:
        """Whether it can no longer be merged; False where GitHub does not know yet."""
        return self._call("GET", f"{self._pulls}/{pull.number}").get("mergeable") is False

    def open(self, branch: str, base: str, title: str, body: str) -> PullRequest:
        document = {"head": branch, "base": base, "title": title, "body": body}
        return _pull_request(self._call("POST", self._pulls, document))

    def merge_when_green(self, pull: PullRequest) -> None:
        """Now, where nothing is waited for."""
        document = {"query": _AUTOMATIC, "variables": {"pull": pull.node}}
        errors = self._call("POST", self.graphql, document).get("errors")
        if errors and "clean status" in str(errors):
            self._call("PUT", f"{self._pulls}/{pull.number}/merge", {"merge_method": "squash"})
        elif errors:
            raise Failure(
                f"{pull.url} cannot merge itself: {printable(str(errors[0].get('message')))}",
                help="allow auto-merge in the repository's settings, or merge it",
            )

    @property
    def address(self) -> str:
        return f"{self.api}/repos/{self.repository}"

    def ask(
        self, method: str, address: str, *options: str, seconds: float, stdin: str = ""
    ) -> Answered | None:
        """What `gh` answered; None where it cannot be started, or did not answer in time."""
        return ask(["gh", "api", "--method", method, address, *options], self.root, seconds, stdin=stdin)

    @property
    def _pulls(self) -> str:
        return f"{self.address}/pulls"

    def _call(self, method: str, address: str, document: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401
        options = [] if document is None else ["--input", "-"]
        stdin = json.dumps(document) if document is not None else ""
        answered = self.ask(method, address, *options, seconds=_PATIENCE_SECONDS, stdin=stdin)
        if answered is None:
            raise Failure(
                f"GitHub did not answer {method} {address} within {_PATIENCE_SECONDS:g} seconds",
                help="run this again when it does: it goes on where it stopped",
            )
        try:
            answer = json.loads(answered.out)
        except ValueError:
            answer = None
        if answer is None or (answered.code != 0 and "errors" not in answer):
            raise Failure(
                f"gh could not {method} {address}: {answered.complaint}",
                help="see what the token may do, then run this again: it goes on where it stopped",
            )
        return answer


def github_of(root: Path, spec: Spec) -> GitHub:
    """The host that the spec names; on a runner, at the addresses that the runner says."""
    host, _, repository = spec.project.repository.partition("/")
    api = "https://api.github.com" if host == "github.com" else f"https://{host}/api/v3"
    graphql = f"{api}/graphql" if host == "github.com" else f"https://{host}/api/graphql"
    return GitHub(
        root=root,
        repository=repository,
        api=os.environ.get("GITHUB_API_URL", api),
        graphql=os.environ.get("GITHUB_GRAPHQL_URL", graphql),
    )


def _pull_request(block: Mapping[str, Any]) -> PullRequest:
    state = "merged" if block.get("merged_at") else str(block["state"])
    return PullRequest(
        number=int(block["number"]), url=str(block["html_url"]), state=state, node=str(block["node_id"])
    )
