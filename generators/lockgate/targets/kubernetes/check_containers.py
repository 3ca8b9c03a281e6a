"""Checks of one container: its image, ports, probes, resources and mounts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from lockgate.spec.validate import quote
from lockgate.targets.kubernetes.fields import container_fields
from lockgate.targets.kubernetes.problem import Problem
from lockgate.targets.kubernetes.quantity import quantity
from lockgate.targets.kubernetes.shape import Pointer, as_map, dig, is_integer, maps

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_HANDLERS = ("exec", "grpc", "httpGet", "tcpSocket")
_PORT_NAME = re.compile(r"(?!.*--)(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?")
_BY_DIGEST = re.compile(r"[a-z0-9][A-Za-z0-9._:/-]*@sha256:[0-9a-f]{64}")


def check_container(container: Mapping[str, Any], volumes: set[str]) -> Iterator[Problem]:
    """All that is wrong with a container in a pod that has those volumes; pointers start at the container."""
    for field in container_fields(container):
        yield Problem(rule="k8s-field", pointer=field.pointer, message=field.message, help=field.help)
    yield from _image(container)
    yield from _ports(container)
    for probe in _PROBES:
        if probe in container:
            yield from _probe(container, as_map(container[probe]), (probe,))
    yield from _resources(as_map(container.get("resources")))
    yield from _mounts(container, volumes)


def is_port(value: object) -> bool:
    return is_integer(value) and 1 <= value <= 65535


def _image(container: Mapping[str, Any]) -> Iterator[Problem]:
    image = container.get("image")
    if not image:
        yield Problem(rule="k8s-container", pointer=("image",), message="the container has no image")
    elif not isinstance(image, str) or not _BY_DIGEST.fullmatch(image):
        yield Problem(
            rule="k8s-image-digest",
            pointer=("image",),
            message=f"the image {quote(image)} is not named by its digest",
            help="end it in '@sha256:' and the digest: a tag can come to mean something else",
        )


def _ports(container: Mapping[str, Any]) -> Iterator[Problem]:
    names = Counter(port["name"] for _, port in maps(container, "ports") if isinstance(port.get("name"), str))
    for index, port in maps(container, "ports"):
        at: Pointer = ("ports", index)
        if not is_port(port.get("containerPort")):
            yield _port_range(port.get("containerPort"), (*at, "containerPort"))
        name = port.get("name")
        if name is not None and (not isinstance(name, str) or not _PORT_NAME.fullmatch(name)):
            help_ = "take at most 15 lower-case letters, digits and single dashes, with one letter or more"
            message = f"the port's name is {quote(name)}"
            yield Problem(rule="k8s-port", pointer=(*at, "name"), message=message, help=help_)
        elif name is not None and names[name] > 1:
            message = f"more than one port is named {quote(name)}"
            yield Problem(rule="k8s-port", pointer=(*at, "name"), message=message)


def _probe(container: Mapping[str, Any], probe: Mapping[str, Any], at: Pointer) -> Iterator[Problem]:
    handlers = [key for key in _HANDLERS if key in probe]
    if len(handlers) != 1:
        found = " and ".join(handlers) or "none"
        message = f"the {at[0]} has {found}, expected one of {', '.join(_HANDLERS)}"
        yield Problem(rule="k8s-probe", pointer=at, message=message)
    ports = [port.get("name") for _, port in maps(container, "ports")]
    for handler in handlers:
        port = dig(probe, handler, "port")
        pointer = (*at, handler, "port")
        if isinstance(port, str):
            if port not in ports:
                named = ", ".join(quote(name) for name in ports if isinstance(name, str)) or "none"
                message = f"the {at[0]} asks port {quote(port)}, and the container's ports are: {named}"
                yield Problem(rule="k8s-probe", pointer=pointer, message=message)
        elif handler != "exec" and not is_port(port):
            yield _port_range(port, pointer)


def _resources(resources: Mapping[str, Any]) -> Iterator[Problem]:
    for part in ("requests", "limits"):
        for name, value in as_map(resources.get(part)).items():
            amount = quantity(value)
            if amount is None or amount < 0:
                message = f"{part} of {name} are {quote(value)}"
                help_ = "take a number with a unit, such as 500m or 512Mi"
                yield Problem(
                    rule="k8s-quantity", pointer=("resources", part, name), message=message, help=help_
                )
    limits = as_map(resources.get("limits"))
    for name, value in as_map(resources.get("requests")).items():
        request, limit = quantity(value), quantity(limits.get(name))
        if request is not None and limit is not None and request > limit:
            message = f"the pod asks for {quote(value)} of {name} and may use {quote(limits[name])}"
            yield Problem(
                rule="k8s-resources",
                pointer=("resources", "requests", name),
                message=message,
                help="lower the request or raise the limit",
            )


def _mounts(container: Mapping[str, Any], volumes: set[str]) -> Iterator[Problem]:
    for index, mount in maps(container, "volumeMounts"):
        name = mount.get("name")
        if not isinstance(name, str) or name not in volumes:
            yield Problem(
                rule="k8s-volume-mount",
                pointer=("volumeMounts", index, "name"),
                message=f"the volume {quote(name)} is mounted, and the pod has no volume of that name",
                help=f"the pod's volumes are: {', '.join(sorted(volumes)) or 'none'}; a list replaces the one before",
            )


def _port_range(value: object, pointer: Pointer) -> Problem:
    return Problem(rule="k8s-port", pointer=pointer, message=f"a port is {quote(value)}, expected 1 to 65535")
