"""The final objects, after every patch → what is wrong with them that no schema sees, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lockgate.spec.validate import quote
from lockgate.targets.file import File
from lockgate.targets.kubernetes.check_labels import check_labels, check_name
from lockgate.targets.kubernetes.check_references import check_references
from lockgate.targets.kubernetes.check_scale import (
    check_analysis,
    check_autoscaler,
    check_rollout,
    check_scaled_object,
)
from lockgate.targets.kubernetes.check_workloads import check_inference_service, check_service, check_workload
from lockgate.targets.kubernetes.fields import object_fields
from lockgate.targets.kubernetes.problem import Problem, Rule, under
from lockgate.targets.kubernetes.shape import as_map, as_text
from lockgate.tuples import NamedTuple

_ROOT = "manifests/"
_CHECKS = {
    "Deployment": (check_workload,),
    "Rollout": (check_workload, check_rollout),
    "Service": (check_service,),
    "HorizontalPodAutoscaler": (check_autoscaler,),
    "ScaledObject": (check_scaled_object,),
    "AnalysisTemplate": (check_analysis,),
    "InferenceService": (check_inference_service,),
}


class ObjectProblem(NamedTuple):
    """A problem of one file under `manifests/`; `pointer` is a JSON pointer into it."""

    path: str
    pointer: str
    rule: Rule
    message: str
    help: str


def check_objects(files: Sequence[File]) -> tuple[ObjectProblem, ...]:
    """All problems of the files under `manifests/`, file by file; files elsewhere are not looked at."""
    objects = {
        file.path: file.content
        for file in files
        if file.path.startswith(_ROOT) and not isinstance(file.content, str)
    }
    problems = [(path, problem) for path, content in objects.items() for problem in _check(content)]
    problems += check_references(objects)
    return tuple(
        ObjectProblem(
            path=path,
            pointer=as_text(problem.pointer),
            rule=problem.rule,
            message=problem.message,
            help=problem.help,
        )
        for path, problem in problems
    )


def _check(content: Mapping[str, Any]) -> Iterator[Problem]:
    for key in ("apiVersion", "kind"):
        if not isinstance(content.get(key), str):
            message = f"{key} is {quote(content.get(key))}, and every object has one"
            yield Problem(rule="k8s-object", pointer=(key,), message=message)
    if content.get("kind") == "Kustomization":
        return
    yield from _metadata(content)
    for field in object_fields(content):
        yield Problem(rule="k8s-field", pointer=field.pointer, message=field.message, help=field.help)
    for check in _CHECKS.get(str(content.get("kind")), ()):
        yield from check(content)


def _metadata(content: Mapping[str, Any]) -> Iterator[Problem]:
    metadata = as_map(content.get("metadata"))
    for problem in check_name(metadata.get("name"), "the object's name"):
        yield under(("metadata",), problem)
    if content.get("kind") != "Namespace" and metadata.get("namespace") in (None, "default"):
        message = f"the namespace is {quote(metadata.get('namespace'))}, expected the environment's"
        yield Problem(rule="k8s-object", pointer=("metadata", "namespace"), message=message)
    yield from check_labels(metadata.get("labels"), ("metadata", "labels"))
