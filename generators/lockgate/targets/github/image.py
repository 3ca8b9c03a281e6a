"""The job that builds, scans, lists, attests and signs the image of a model, and says where it lies by digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lockgate.plan import image
from lockgate.plan.model import Plan
from lockgate.targets.github.pins import uses
from lockgate.targets.github.steps import (
    IMAGE_ARTIFACT_PREFIX,
    MODEL,
    RELEASE_ARTIFACT_PREFIX,
    prepare_light,
    user_step,
)

if TYPE_CHECKING:
    from lockgate.targets.github.types import Job, Permissions, Step

_GITHUBS = "ghcr.io"
_REFERENCE = "${{ matrix.image }}@${{ steps.build.outputs.digest }}"
_DIGEST = "${{ steps.build.outputs.digest }}"
_SBOM = "${{ runner.temp }}/sbom.spdx.json"
_RUN = "${{ github.server_url }}/${{ github.repository }}/actions/runs/${{ github.run_id }}"

# Where its files are not what was judged, the release refuses here already.
_JUDGED = """\
lockgate release "$MODEL" --dry-run --format json > "$RELEASE"
version="$(jq --raw-output '.releases[0].version // empty' "$RELEASE")"
artifact="$(sha256sum < "artifacts/$MODEL/model/SHA256SUMS" | cut --characters=1-64)"
printf 'version=%s\\nartifact=%s\\n' "$version" "$artifact" >> "$GITHUB_OUTPUT"
"""

_SAY = """\
printf '%s\\n' "--image=$MODEL=$REFERENCE" "--evidence=scan=$RUN" "--evidence=sbom=$SBOM" \\
  "--evidence=provenance=$PROVENANCE" "--evidence=signature=$SIGNATURE" > arguments.txt
"""


def image_job(plan: Plan, condition: str, matrix: str) -> Job:
    """One a model. It runs nothing of the user's but the build, and their steps where those log in to the registry."""
    is_githubs = (plan.spec.project.image_registry or "").partition("/")[0] == _GITHUBS
    permissions: Permissions = {
        "contents": "read",
        **({"packages": "write"} if is_githubs else {}),
        "id-token": "write",
        "attestations": "write",
    }
    steps = plan.spec.ci.steps_before
    return {
        "name": f"image {MODEL}",
        "needs": ["plan", "fetch"],
        "if": condition,
        "permissions": permissions,
        "runs-on": plan.spec.ci.runner,
        "timeout-minutes": 60,
        "strategy": {"fail-fast": False, "matrix": {"include": matrix}},
        "steps": [
            *prepare_light(plan.spec.project),
            *_judged(),
            *(
                [_log_in()]
                if is_githubs
                else [user_step(step, f"before_{place}") for place, step in enumerate(steps, start=1)]
            ),
            *_built(),
            *_described(),
            *_vouched(),
            *_said(),
        ],
    }


def _judged() -> list[Step]:
    return [
        {
            "name": "Download the artifact",
            "id": "artifact",
            "uses": uses("actions/download-artifact"),
            "with": {"name": f"{RELEASE_ARTIFACT_PREFIX}{MODEL}", "path": f"artifacts/{MODEL}"},
        },
        {
            "name": "Hold it to what was judged",
            "id": "judged",
            "env": {"MODEL": MODEL, "RELEASE": "${{ runner.temp }}/release.json"},
            "run": _JUDGED,
        },
    ]


def _log_in() -> Step:
    return {
        "name": "Log in to the registry",
        "id": "login",
        "uses": uses("docker/login-action"),
        "with": {
            "registry": _GITHUBS,
            "username": "${{ github.actor }}",
            "password": "${{ github.token }}",
        },
    }


def _built() -> list[Step]:
    arguments = {
        image.ARTIFACT_SHA256: "${{ steps.judged.outputs.artifact }}",
        image.REVISION: "${{ github.sha }}",
        image.VERSION: "${{ steps.judged.outputs.version }}",
    }
    return [
        {
            "name": "Set up Buildx",
            "id": "buildx",
            "uses": uses("docker/setup-buildx-action"),
            "with": {"cache-binary": False},
        },
        {
            "name": "Build and push the image",
            "id": "build",
            "uses": uses("docker/build-push-action"),
            # Times are not part of the image: the same inputs give the same layers.
            "env": {"SOURCE_DATE_EPOCH": "0"},
            "with": {
                "context": ".",
                "file": "${{ matrix.dockerfile }}",
                "build-args": "".join(f"{name}={value}\n" for name, value in arguments.items()),
                "outputs": "type=image,name=${{ matrix.image }}:${{ github.sha }},push=true,rewrite-timestamp=true",
                "no-cache": True,
                "provenance": False,
                "sbom": False,
            },
        },
    ]


def _described() -> list[Step]:
    return [
        {
            "name": "List what is in it",
            "id": "sbom",
            "uses": uses("anchore/sbom-action"),
            "with": {
                "image": _REFERENCE,
                "format": "spdx-json",
                "output-file": _SBOM,
                "upload-artifact": False,
                "upload-release-assets": False,
            },
        },
        {
            "name": "Look for known vulnerabilities",
            "id": "scan",
            "uses": uses("aquasecurity/trivy-action"),
            "with": {
                "image-ref": _REFERENCE,
                "severity": "CRITICAL",
                "ignore-unfixed": True,
                "exit-code": "1",
                "cache": False,
            },
        },
    ]


def _vouched() -> list[Step]:
    subject: dict[str, str | bool] = {
        "subject-name": "${{ matrix.image }}",
        "subject-digest": _DIGEST,
        "push-to-registry": True,
    }
    sbom = {"predicate-type": "https://spdx.dev/Document/v2.3", "predicate-path": _SBOM}
    return [
        {
            "name": "Attest where it was built",
            "id": "provenance",
            "uses": uses("actions/attest-build-provenance"),
            "with": subject,
        },
        {
            "name": "Attest what is in it",
            "id": "listed",
            "uses": uses("actions/attest"),
            "with": {**subject, **sbom},
        },
        {"name": "Install cosign", "id": "cosign", "uses": uses("sigstore/cosign-installer")},
        {
            "name": "Sign it",
            "id": "sign",
            "env": {"REFERENCE": _REFERENCE},
            "run": 'cosign sign --yes "$REFERENCE"',
        },
    ]


def _said() -> list[Step]:
    return [
        {
            "name": "Say where it lies",
            "id": "say",
            "env": {
                "MODEL": MODEL,
                "REFERENCE": _REFERENCE,
                "RUN": _RUN,
                "SBOM": "${{ steps.listed.outputs.attestation-url }}",
                "PROVENANCE": "${{ steps.provenance.outputs.attestation-url }}",
                "SIGNATURE": f"cosign:{_REFERENCE}",
            },
            "run": _SAY,
        },
        {
            "name": "Keep that for the record",
            "id": "keep",
            "uses": uses("actions/upload-artifact"),
            "with": {
                "name": f"{IMAGE_ARTIFACT_PREFIX}{MODEL}",
                "path": "arguments.txt",
                "if-no-files-found": "error",
                "overwrite": True,
            },
        },
    ]
