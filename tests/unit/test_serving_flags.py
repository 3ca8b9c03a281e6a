"""Every flag that the compiler gives a server is one that the server takes, with the same meaning."""

from __future__ import annotations

from pathlib import Path

from tests.replacing import replace
from tests.targets.kubernetes_plans import EQUIPPED, SLO, contents, plan, service

from lockgate.targets.kubernetes import emit
from lockgate_runtime.server import command


def test_the_server_understands_every_flag_of_a_deployment() -> None:
    serve = replace(EQUIPPED, slo=SLO)
    planned = service(serve)
    files = contents(emit(plan(planned)))
    container = files[f"{planned.directory}/deployment.yaml"]["spec"]["template"]["spec"]["containers"][0]

    options = command._parser().parse_args(container["args"])

    assert container["command"] == ["python", "-m", "lockgate_runtime", "serve"]
    assert (options.model, options.version, options.workers) == (Path("/model"), "$(LOCKGATE_VERSION)", 2)
    assert (options.artifact_sha256, options.slo_latency) == ("$(LOCKGATE_ARTIFACT_SHA256)", 0.05)
    assert (options.max_body, options.max_rows, options.max_queue, options.timeout) == (
        2**22,
        10_000,
        4096,
        10,
    )
    assert options.auth_file == Path("/etc/lockgate/auth/tokens")
    assert (options.tls_cert.name, options.tls_key.name) == ("tls.crt", "tls.key")
    assert (options.log_predictions, options.log_sample, options.log_keep_days) == ("s3://acme/log", 0.01, 30)
    assert (options.log_leave_out, options.trace_sample) == (["--name"], 0.01)
