"""Which commit of whose action is run, and the comments that generated workflows carry."""

from __future__ import annotations

import re

from lockgate.tuples import NamedTuple


class Pin(NamedTuple):
    """A full commit SHA and the tag that named it when it was reviewed. The tag is for people only."""

    sha: str
    tag: str


PINS = {
    "actions/attest": Pin(sha="1e69f48acb82d1966a394da916b4c1698aa569d6", tag="v4.2.2"),
    "actions/attest-build-provenance": Pin(sha="a2bbfa25375fe432b6a289bc6b6cd05ecd0c4c32", tag="v4.1.0"),
    "actions/checkout": Pin(sha="3d3c42e5aac5ba805825da76410c181273ba90b1", tag="v7.0.1"),
    "actions/create-github-app-token": Pin(sha="1b10c78c7865c340bc4f6099eb2f838309f1e8c3", tag="v3.1.1"),
    "actions/download-artifact": Pin(sha="3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c", tag="v8.0.1"),
    "actions/setup-node": Pin(sha="820762786026740c76f36085b0efc47a31fe5020", tag="v7.0.0"),
    "actions/setup-python": Pin(sha="5fda3b95a4ea91299a34e894583c3862153e4b97", tag="v7.0.0"),
    "actions/upload-artifact": Pin(sha="043fb46d1a93c77aae656e7c1c64a875d1fc6a0a", tag="v7.0.1"),
    "anchore/sbom-action": Pin(sha="e22c389904149dbc22b58101806040fa8d37a610", tag="v0.24.0"),
    "aquasecurity/trivy-action": Pin(sha="ed142fd0673e97e23eac54620cfb913e5ce36c25", tag="v0.36.0"),
    "azure/setup-kubectl": Pin(sha="829323503d1be3d00ca8346e5391ca0b07a9ab0d", tag="v5.1.0"),
    "docker/build-push-action": Pin(sha="53b7df96c91f9c12dcc8a07bcb9ccacbed38856a", tag="v7.3.0"),
    "docker/login-action": Pin(sha="dbcb813823bdd20940b903addbd779551569679f", tag="v4.6.0"),
    "docker/setup-buildx-action": Pin(sha="37fe631027851001ddb9b187196cc803df7f5f0e", tag="v4.3.0"),
    "sigstore/cosign-installer": Pin(sha="6f9f17788090df1f26f669e9d70d6ae9567deba6", tag="v4.1.2"),
}

# No action of CML's runs on today's Node: its repository is checked out instead.
CML_REPOSITORY = "iterative/cml"
CML_PIN = Pin(sha="a3a66c74b218b08710f42bf599b066e37cb4cba7", tag="v0.20.6")

_TAGS = {f"{action}@{pin.sha}": pin.tag for action, pin in PINS.items()}

# What a line says → why it is there. zizmor asks for a reason at each permission that is not plain reading.
_REASONS = {
    f"ref: {CML_PIN.sha}": CML_PIN.tag,
    "actions: read": "reads the report of the run that it follows",
    "attestations: write": "vouches for the image",
    "contents: write": "pushes what was released or moved",
    "id-token: write": "says who it is, without a secret",
    "packages: write": "pushes the image",
    "pull-requests: read": "finds the pull request",
    "pull-requests: write": "posts reports, opens promotions and rollbacks",
    "workflow_run:": "zizmor: ignore[dangerous-triggers] runs no code that is not merged",
}

_USES = re.compile(r"""uses: (?P<quote>["']?)(?P<uses>[^\s"']+)(?P=quote)""")
_KEY_COLUMN = re.compile(r" *(?:- )*")
_BLOCK_SCALAR = re.compile(r".*: [|>][0-9+-]*")


def uses(action: str) -> str:
    """The action as a step names it, pinned."""
    return f"{action}@{PINS[action].sha}"


def annotate(text: str) -> str:
    """The text of a dumped workflow with the tag behind each pinned action, and reasons where they are due."""
    lines: list[str] = []
    script_column: int | None = None
    for line in text.split("\n"):
        if script_column is not None and (not line or line.startswith(" " * (script_column + 1))):
            lines.append(line)
            continue
        script_column = _column(line) if _BLOCK_SCALAR.fullmatch(line) else None
        comment = _comment_for(line[_column(line) :])
        lines.append(f"{line} # {comment}" if comment else line)
    return "\n".join(lines)


def _column(line: str) -> int:
    found = _KEY_COLUMN.match(line)
    return found.end() if found else 0


def _comment_for(entry: str) -> str | None:
    if found := _USES.fullmatch(entry):
        return _TAGS.get(found["uses"])
    return _REASONS.get(entry)
