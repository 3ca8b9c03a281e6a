"""What the Pod Security Standard "restricted" forbids in a pod, and what it demands of one.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lockgate.spec.validate import quote
from lockgate.targets.kubernetes.shape import Pointer, as_map, dig, is_integer, maps
from lockgate.tuples import NamedTuple

CONTAINER_LISTS = ("containers", "initContainers", "ephemeralContainers")

_VOLUME_TYPES = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
_SAFE_SYSCTLS = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
)
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SECCOMP_TYPES = ("RuntimeDefault", "Localhost")


class Weakness(NamedTuple):
    """`what` goes on a sentence that starts with the value's place."""

    pointer: Pointer
    what: str


def weaknesses(pod: Mapping[str, Any]) -> Iterator[Weakness]:
    """What a pod's spec says that "restricted" forbids."""
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(key) is True:
            yield Weakness((key,), f"{key} puts the pod into a namespace of its node")
    for index, volume in maps(pod, "volumes"):
        for kind in (key for key in volume if key not in ("name", *_VOLUME_TYPES)):
            yield Weakness(("volumes", index, kind), f"a volume of the type {quote(kind)} is not allowed")
    yield from _context(as_map(pod.get("securityContext")), ("securityContext",))
    for key in CONTAINER_LISTS:
        for index, container in maps(pod, key):
            yield from _container(container, (key, index))


def lacks(pod: Mapping[str, Any]) -> Iterator[Weakness]:
    """What "restricted" demands and a pod's spec, or one of its containers, does not say."""
    for key in CONTAINER_LISTS:
        for index, container in maps(pod, key):
            yield from _lacks(pod, container, (key, index))


def _lacks(pod: Mapping[str, Any], container: Mapping[str, Any], at: Pointer) -> Iterator[Weakness]:
    own = as_map(container.get("securityContext"))
    context = {**as_map(pod.get("securityContext")), **own}
    if context.get("runAsNonRoot") is not True:
        yield Weakness(at, "runAsNonRoot is not true")
    if dig(context, "seccompProfile", "type") is None:
        yield Weakness(at, "seccompProfile has no type")
    if own.get("allowPrivilegeEscalation") is not False:
        yield Weakness(at, "allowPrivilegeEscalation is not false")
    if "ALL" not in _texts(dig(own, "capabilities", "drop")):
        yield Weakness(at, "capabilities.drop does not hold ALL")


def _context(context: Mapping[str, Any], at: Pointer) -> Iterator[Weakness]:
    """Of a pod or of a container."""
    if context.get("runAsNonRoot") is False:
        yield Weakness((*at, "runAsNonRoot"), "runAsNonRoot: false lets it run as root")
    for key in ("runAsUser", "runAsGroup"):
        if is_integer(context.get(key)) and context[key] == 0:
            yield Weakness((*at, key), f"{key}: 0 is root")
    seccomp = dig(context, "seccompProfile", "type")
    if seccomp is not None and seccomp not in _SECCOMP_TYPES:
        yield Weakness(
            (*at, "seccompProfile", "type"), f"the seccomp profile {quote(seccomp)} is not allowed"
        )
    if dig(context, "appArmorProfile", "type") == "Unconfined":
        yield Weakness((*at, "appArmorProfile", "type"), "AppArmor is turned off")
    if dig(context, "windowsOptions", "hostProcess") is True:
        yield Weakness((*at, "windowsOptions", "hostProcess"), "hostProcess runs it on its node")
    yield from _selinux(as_map(context.get("seLinuxOptions")), (*at, "seLinuxOptions"))
    for index, sysctl in maps(context, "sysctls"):
        if sysctl.get("name") not in _SAFE_SYSCTLS:
            yield Weakness(
                (*at, "sysctls", index), f"the sysctl {quote(sysctl.get('name'))} is not a safe one"
            )


def _selinux(options: Mapping[str, Any], at: Pointer) -> Iterator[Weakness]:
    if options.get("type", "") not in _SELINUX_TYPES:
        yield Weakness((*at, "type"), f"the SELinux type {quote(options['type'])} is not allowed")
    for key in ("user", "role"):
        if options.get(key):
            yield Weakness((*at, key), f"a SELinux {key} is not allowed")


def _container(container: Mapping[str, Any], at: Pointer) -> Iterator[Weakness]:
    context, inside = as_map(container.get("securityContext")), (*at, "securityContext")
    yield from _context(context, inside)
    for key in ("privileged", "allowPrivilegeEscalation"):
        if context.get(key) is True:
            yield Weakness((*inside, key), f"{key}: true is not allowed")
    if context.get("procMount", "Default") != "Default":
        yield Weakness((*inside, "procMount"), "a procMount other than Default is not allowed")
    added = set(_texts(dig(context, "capabilities", "add"))) - {"NET_BIND_SERVICE"}
    if added:
        listed = ", ".join(sorted(added))
        yield Weakness(
            (*inside, "capabilities", "add"), f"adding capabilities is not allowed: {quote(listed)}"
        )
    yield from _exposure(container, at)


def _exposure(container: Mapping[str, Any], at: Pointer) -> Iterator[Weakness]:
    for index, port in maps(container, "ports"):
        if port.get("hostPort"):
            yield Weakness((*at, "ports", index, "hostPort"), "hostPort takes a port of the node")
    hooks = as_map(container.get("lifecycle"))
    handlers: dict[Pointer, object] = {("lifecycle", key): hook for key, hook in hooks.items()}
    handlers |= {(key,): container.get(key) for key in ("startupProbe", "readinessProbe", "livenessProbe")}
    for path, handler in handlers.items():
        for kind in ("httpGet", "tcpSocket"):
            if dig(handler, kind, "host"):
                yield Weakness((*at, *path, kind, "host"), "a probe of another host is not allowed")


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
