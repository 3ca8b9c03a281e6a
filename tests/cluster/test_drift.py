"""Which fields count as changed by hand."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from lockgate.cluster.drift import differences

WANTED: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "iris", "labels": {"a/b": "c"}},
    "spec": {
        "paused": False,
        "containers": [
            {
                "name": "server",
                "image": "one",
                "args": ["--a", "--b"],
                "env": [{"name": "ONE", "value": "1"}],
                "ports": [{"name": "http", "containerPort": 8080}],
                "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}, {"name": "tmp", "mountPath": "/x"}],
            }
        ],
    },
}
SERVER = "/spec/containers/0"


def changed(*path: str | int, value: object) -> tuple[str, ...]:
    """The pointers that differ where the cluster has that value at the path, in Python's terms."""
    found: Any = copy.deepcopy(WANTED)
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return tuple(it.pointer for it in differences(WANTED, found, ()))


CONTAINERS = ("spec", "containers")
FIRST = (*CONTAINERS, 0)


@pytest.mark.parametrize(
    ("path", "value", "pointer"),
    [
        ((*FIRST, "image"), "two", f"{SERVER}/image"),
        ((*FIRST, "args"), ["--a"], f"{SERVER}/args"),
        ((*FIRST, "args", 1), "--c", f"{SERVER}/args/1"),
        ((*FIRST, "env", 0, "value"), "2", f"{SERVER}/env/0/value"),
        ((*FIRST, "env"), [], f"{SERVER}/env/0"),
        ((*FIRST, "ports", 0, "containerPort"), 9090, f"{SERVER}/ports/0/containerPort"),
        ((*FIRST, "resources", "limits", "cpu"), "501m", f"{SERVER}/resources/limits/cpu"),
        ((*FIRST, "volumeMounts", 1, "name"), "y", f"{SERVER}/volumeMounts/1/name"),
        (("metadata", "labels", "a/b"), "d", "/metadata/labels/a~1b"),
        (("spec", "paused"), True, "/spec/paused"),
        (("spec",), "text", "/spec"),
    ],
)
def test_another_value_is_a_difference(path: tuple[str | int, ...], value: object, pointer: str) -> None:
    assert changed(*path, value=value) == (pointer,)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*FIRST, "resources", "limits", "cpu"), "0.5"),
        ((*FIRST, "resources", "limits", "memory"), "1073741824"),
        ((*FIRST, "imagePullPolicy"), "Always"),
        (CONTAINERS, [{"name": "sidecar"}, *WANTED["spec"]["containers"]]),
        ((*FIRST, "env"), [{"name": "ZERO", "value": "0"}, {"name": "ONE", "value": "1"}]),
        (("status",), {"replicas": 3}),
        (("spec", "paused"), None),
    ],
)
def test_what_others_add_and_how_a_cluster_writes_it_is_none(
    path: tuple[str | int, ...], value: object
) -> None:
    assert changed(*path, value=value) == ()


def test_what_is_the_cluster_s_to_set_is_left_out() -> None:
    found = {**WANTED, "spec": {**WANTED["spec"], "paused": True}}
    assert differences(WANTED, found, ("/spec",)) == ()
    assert [str(it) for it in differences(WANTED, found, ("/spec/pau",))] == ["Deployment/iris /spec/paused"]


def test_an_object_that_is_not_there_is_one_difference() -> None:
    assert [str(it) for it in differences(WANTED, None, ())] == ["Deployment/iris is not there"]
