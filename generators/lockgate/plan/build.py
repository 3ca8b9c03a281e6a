"""Spec and release records → Plan, or what keeps a valid spec from being one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lockgate.diagnostics import Finding
from lockgate.plan.inputs import inputs, pointers
from lockgate.plan.model import Pipeline, Plan, Record, Service
from lockgate.plan.stages import code_paths, stages
from lockgate.spec.model import Environment, Model, Spec

Records = Mapping[tuple[str, str], Record]


def make(spec: Spec, records: Records) -> tuple[Plan, tuple[Finding, ...]]:
    """The plan, and findings about pins.

    `records` are the released versions by model and version. A pin without a record is a finding, and its service
    is planned as unreleased.
    """
    plan = Plan(
        spec=spec,
        pipelines=tuple(_pipeline(spec, model) for model in spec.models.values()),
        services=tuple(_services(spec, records)),
    )
    return plan, tuple(_unrecorded_pins(spec, records))


def _pipeline(spec: Spec, model: Model) -> Pipeline:
    requirements = model.requirements or spec.project.requirements
    planned = stages(model)
    read, code = inputs(planned), code_paths(model)
    tracked = (pointer for path in read if path not in {*code, requirements} for pointer in pointers(path))
    own = (*read, *tracked, *code, requirements, f"pipelines/{model.name}")
    return Pipeline(
        model=model,
        stages=planned,
        watch=tuple(dict.fromkeys(own)),
        runner=model.job.runner or spec.ci.runner,
        timeout_minutes=model.job.timeout_minutes or spec.ci.timeout_minutes,
    )


def _services(spec: Spec, records: Records) -> Iterator[Service]:
    for environment in spec.environments.values():
        for name in environment.serve:
            yield _service(spec, environment, name, records)


def _service(spec: Spec, environment: Environment, name: str, records: Records) -> Service:
    version = spec.pins.get(environment.name, {}).get(name)
    return Service(
        model=spec.models[name],
        environment=environment.name,
        namespace=environment.namespace,
        serve=environment.serve[name],
        release=records.get((name, version)) if version is not None else None,
    )


def _unrecorded_pins(spec: Spec, records: Records) -> Iterator[Finding]:
    for environment, pins in spec.pins.items():
        for model, version in pins.items():
            if (model, version) not in records:
                yield Finding(
                    rule="pin-without-record",
                    location=("deployments", environment, model),
                    message=f"no release {version} of {model!r} is recorded",
                    help=_released(model, records),
                )


def _released(model: str, records: Records) -> str:
    versions = [version for name, version in records if name == model]
    versions.sort(key=lambda version: tuple(int(part) for part in version.split(".")))
    if not versions:
        return f"{model!r} has not been released yet: take the pin out until registry/{model}/ holds a record"
    return f"recorded versions: {', '.join(versions[-5:])}"
