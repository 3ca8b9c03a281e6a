"""Plans of whole specs with environments, for the workflows of what was merged."""

from __future__ import annotations

from lockgate import plan, spec
from lockgate.plan.model import Plan

APP = "{client_id_variable: APP_CLIENT, private_key_secret: APP_KEY}"
PUSH = "{mode: push, steps: [{name: Log in to the cluster, run: make kubeconfig}]}"
_SPEC = """\
apiVersion: lockgate.dev/v1
project:
  repository: github.com/acme/flights
models:
  delay:
    owner: ops
    task: classification
    data: {source: models.delay.data:load, target: late}
    train: {estimator: models.delay.model:build}
    serve: {replicas: {min: 2, max: 4}}
environments:
  staging: {namespace: ml-staging, promote: automatic}
  production: {namespace: ml, requires: [staging]}
"""


def served(
    *,
    registry: str | None = "ghcr.io/acme",
    app: bool = True,
    soak: str | None = None,
    delivery: str = "",
    oidc: bool = False,
) -> Plan:
    """Two environments, one model, a step of the user's own."""
    text = _SPEC
    if registry:
        text = text.replace("acme/flights\n", f"acme/flights\n  image_registry: {registry}\n")
    if soak:
        text = text.replace("requires: [staging]", f"requires: [staging], soak: {soak}")
    text += "ci:\n  steps: {before: [{name: Log in to storage, run: make login}]}\n"
    text += f"  app: {APP}\n" if app else ""
    text += "  oidc: true\n" if oidc else ""
    text += f"delivery: {delivery}\n" if delivery else ""
    reading = spec.read(text.encode())
    assert reading.spec is not None, reading.diagnostics
    planned, findings = plan.make(reading.spec, {})
    assert findings == ()
    return planned
