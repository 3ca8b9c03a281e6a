"""Real printed diagnostics → the examples in `docs/diagnostics.md`.

`python docs/examples.py` rewrites them; with `--check` it writes nothing and fails where one is not current. Examples
come from `tests/errors`, and, for findings about finished Kubernetes objects, from the patches below. Other
sections, about files on a disk, keep what they have.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from lockgate import plan, spec, targets
from lockgate.diagnostics import Diagnostic
from lockgate.diagnostics.text import render_text
from lockgate.plan.model import Record

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "diagnostics.md"
CASES = ROOT / "tests" / "errors"

_SECTION = re.compile(r"(?m)^## (?P<rule>[a-z0-9-]+)\n\n.*?^```text\n(?P<example>.*?)^```$", re.DOTALL)
_SUMMARY = re.compile(r"\n+\d+ errors?(, \d+ warnings?)?\n*\Z")
_DIGEST = "1f" * 32
_RELEASE = Record(
    model="delay",
    version="1.0.0",
    image=f"ghcr.io/acme/delay@sha256:{_DIGEST}",
    artifact_sha256=_DIGEST,
    metrics={},
)
_SPEC = """\
apiVersion: lockgate.dev/v1
project:
  repository: github.com/acme/flights
models:
  delay:
    owner: ops
    task: classification
    data: {source: models.m.data:load, target: y}
    train: {estimator: models.m.model:build}
    serve: {}
environments:
  production: {namespace: ml}
deployments:
  production: {delay: 1.0.0}
"""
_CONTAINER = "/spec/template/spec/containers/0"
_PATCHES = {
    "k8s-container": ("deployment", f"remove: [{_CONTAINER}/image]"),
    "k8s-field": ("deployment", f"set: {{{_CONTAINER}/imagePulPolicy: Always}}"),
    "k8s-image-digest": ("deployment", f"set: {{{_CONTAINER}/image: 'ghcr.io/acme/delay:latest'}}"),
    "k8s-label": ("deployment", "set: {/metadata/labels/team: 'ops & data'}"),
    "k8s-name": ("service", "set: {/metadata/name: Delay}"),
    "k8s-object": ("service", "remove: [/kind]"),
    "k8s-port": ("deployment", f"set: {{{_CONTAINER}/ports/0/containerPort: 70000}}"),
    "k8s-probe": ("deployment", f"set: {{{_CONTAINER}/livenessProbe/httpGet/port: web}}"),
    "k8s-quantity": ("deployment", f"set: {{{_CONTAINER}/resources/limits/memory: 1 GB}}"),
    "k8s-reference": ("horizontal-pod-autoscaler", "set: {/spec/scaleTargetRef/name: dealy}"),
    "k8s-replicas": ("horizontal-pod-autoscaler", "set: {/spec/minReplicas: -1}"),
    "k8s-resources": ("deployment", f"set: {{{_CONTAINER}/resources/requests/cpu: '4'}}"),
    "k8s-restricted": ("deployment", f"set: {{{_CONTAINER}/securityContext/privileged: true}}"),
    "k8s-selector": ("service", "set: {/spec/selector: {app: other}}"),
    "k8s-strategy": ("deployment", "set: {/spec/strategy/rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}"),
    "k8s-volume-mount": ("deployment", "remove: [/spec/template/spec/volumes]"),
}


def main(arguments: list[str]) -> int:
    page = PAGE.read_text(encoding="utf-8")
    current = _SECTION.sub(_with_example, page)
    if arguments == ["--check"]:
        return 0 if page == current else 1
    PAGE.write_text(current, encoding="utf-8")
    return 0


def _with_example(section: re.Match[str]) -> str:
    start, end = (place - section.start() for place in section.span("example"))
    example = _example(section["rule"]) or section["example"]
    return section[0][:start] + example + section[0][end:]


def _example(rule: str) -> str:
    """What is printed of the rule's case; empty where it has none here."""
    printed = CASES / f"{rule}.txt"
    if printed.is_file():
        text = printed.read_text(encoding="utf-8")
    elif rule in _PATCHES:
        text = _printed_of_patch(rule)
    else:
        return ""
    return _SUMMARY.sub("", text) + "\n"


def _printed_of_patch(rule: str) -> str:
    target, change = _PATCHES[rule]
    patch = f"  wide:\n    target: manifests/production/delay/{target}.yaml\n    reason: an example\n    {change}\n"
    text = f"{_SPEC}patches:\n{patch}"
    found = [diagnostic for diagnostic in _diagnose(text) if diagnostic.rule == rule]
    return render_text(found[:1], {"mlops.yaml": text}, colour=False)


def _diagnose(text: str) -> tuple[Diagnostic, ...]:
    reading = spec.read(text.encode())
    assert reading.spec is not None, f"the example is wrong: {reading.diagnostics}"
    planned, findings = plan.make(reading.spec, {("delay", "1.0.0"): _RELEASE})
    return spec.locate((*findings, *targets.render(planned).findings), reading.text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
