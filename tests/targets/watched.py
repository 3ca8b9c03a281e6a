"""Plans of a service that is watched, made from specs as users write them."""

from __future__ import annotations

from typing import Any

from tests.spec.specs import with_model

from lockgate import plan, spec
from lockgate.plan.model import Plan, Record, Service
from lockgate.targets.file import File
from lockgate.yaml.dump import dump

MODEL = "delay"
VERSION = "1.2.3"
SLO = {"availability": 99.9, "latency_p99": "50ms"}


def document(**serve: object) -> dict[str, Any]:
    """A spec that serves its model in production, where a version is live."""
    return {
        **with_model(serve={"replicas": {"min": 4, "max": 8}, **serve}),
        "environments": {"production": {"namespace": "ml"}},
        "deployments": {"production": {MODEL: VERSION}},
    }


def planned(written: dict[str, Any]) -> Plan:
    reading = spec.read(dump(written).encode())
    assert reading.spec is not None, reading.diagnostics
    image = f"ghcr.io/acme/{MODEL}@sha256:{'ab' * 32}"
    record = Record(model=MODEL, version=VERSION, image=image, artifact_sha256="cd" * 32, metrics={})
    made, findings = plan.make(reading.spec, {(MODEL, VERSION): record})
    assert findings == ()
    return made


def content(file: File) -> Any:
    """What the file holds, as data to look into."""
    return file.content


def service(**serve: object) -> Service:
    return planned(document(**serve)).services[0]
