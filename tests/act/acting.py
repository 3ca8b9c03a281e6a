"""Runs a project's workflows with `act`: the real `lockgate`, DVC, Git and `gh`, and a stand-in for GitHub itself."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from tests.act.project import BIN, call, surroundings
from tests.posting.stand_in import GitHub

from lockgate.targets.github.pins import PINS

HERE = Path(__file__).parent
ACTIONS = {
    "actions/attest": "image",
    "actions/attest-build-provenance": "image",
    "actions/checkout": "checkout",
    "actions/create-github-app-token": "create-github-app-token",
    "actions/download-artifact": "download-artifact",
    "actions/setup-node": "setup",
    "actions/setup-python": "setup",
    "actions/upload-artifact": "upload-artifact",
    "anchore/sbom-action": "image",
    "aquasecurity/trivy-action": "image",
    "docker/build-push-action": "image",
    "docker/login-action": "image",
    "docker/setup-buildx-action": "image",
    "sigstore/cosign-installer": "image",
}
Event: TypeAlias = Literal["pull_request", "merge_group", "workflow_run", "push"]

BRANCH = "patch-1"
REMOTE = "remote.git"
"""A bare repository beside the project, where a test needs one to push to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What became of a run: each job's result, the steps that ran, the artifacts that there are, all that it said."""

    results: Mapping[str, str]
    steps: tuple[str, ...]
    artifacts: Path
    log: str

    def artifact_names(self) -> set[str]:
        return {path.name for path in self.artifacts.iterdir()}

    def report(self) -> str:
        return (self.artifacts / "lockgate-report/report.md").read_text(encoding="utf-8")


def pull_request(root: Path, *, of: str = "acme/flowers") -> dict[str, Any]:
    """The event of a push to pull request 7, of this repository's branch or of a fork's."""
    repository = {"full_name": "acme/flowers"}
    return {
        "pull_request": {
            "number": 7,
            "base": {"sha": _commit(root, "HEAD^"), "repo": repository},
            "head": {"sha": _commit(root, "HEAD"), "ref": BRANCH, "repo": {"full_name": of}},
        },
    }


def push(root: Path) -> dict[str, Any]:
    """The event of a merge into the main branch."""
    return {"ref": "refs/heads/main", "after": _commit(root, "HEAD")}


def merge_group(root: Path) -> dict[str, Any]:
    return {"merge_group": {"base_sha": _commit(root, "HEAD^")}}


def fork_run(root: Path, owner: str) -> dict[str, Any]:
    """The event of the end of a run that came from that owner's fork."""
    head = {"id": 9, "full_name": f"{owner}/flowers", "owner": {"login": owner}}
    return {
        "workflow_run": {
            "id": 42,
            "event": "pull_request",
            "conclusion": "success",
            "head_sha": _commit(root, "HEAD"),
            "head_branch": BRANCH,
            "head_repository": head,
        },
    }


def act(
    root: Path,
    github: GitHub,
    name: Event,
    event: Mapping[str, Any],
    workflow: str = "lockgate-pr",
) -> Run:
    """Run the workflow for the event as GitHub would. Artifacts are kept between the runs of one project."""
    artifacts, payload = root.parent / "artifacts", root.parent / "event.json"
    artifacts.mkdir(exist_ok=True)
    payload.write_text(json.dumps(event), encoding="utf-8")
    stand_ins = [
        f"--local-repository={action}@{PINS[action].sha}={HERE / folder}"
        for action, folder in ACTIONS.items()
    ]
    given = {
        **{key: os.environ[key] for key in ("PYTHONPATH",) if key in os.environ},
        # Else `act` takes the folder that stands in for the remote for the repository's name.
        "GITHUB_REPOSITORY": "acme/flowers",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "ACT_ARTIFACTS": str(artifacts),
        "ACT_CML": os.environ.get("LOCKGATE_CML", ""),
        "ACT_REMOTE": str(root.parent / REMOTE),
        "SSL_CERT_FILE": str(github.certificate),
        "NODE_EXTRA_CA_CERTS": str(github.certificate),
    }
    command = [
        *(str(BIN / "act"), name, "--json", "--no-cache-server", f"--eventpath={payload}"),
        f"--github-instance={github.url.removeprefix('https://')}",
        # DVC's cache is ignored by Git, and is to be copied all the same.
        "--use-gitignore=false",
        *(f"--workflows=.github/workflows/{workflow}.yml", "--platform=ubuntu-24.04=-self-hosted"),
        *("--secret=GITHUB_TOKEN=no-token", "--secret=APP_KEY=key-of-the-app", *stand_ins),
        "--var=APP_CLIENT=client-of-the-app",
        *(f"--env={key}={value}" for key, value in given.items()),
    ]
    done = subprocess.run(
        command, cwd=root, env=surroundings(root), capture_output=True, text=True, check=False
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return Run(
        # A job that is skipped says nothing.
        results={line["jobID"]: line["jobResult"] for line in lines if "jobResult" in line},
        steps=tuple(line["step"] for line in lines if line.get("stage") == "Main" and "stepResult" in line),
        artifacts=artifacts,
        log=done.stdout + done.stderr,
    )


def _commit(root: Path, revision: str) -> str:
    return call(root, "git", "rev-parse", revision).strip()
