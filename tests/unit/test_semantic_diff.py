"""Two sets of manifests → the objects and fields that differ, as whole values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.plan.merge import FieldChange, ObjectChange
from lockgate.report.semantic_diff import field_changes, object_changes
from lockgate.yaml.dump import dump


def diff(old: object, new: object) -> list[tuple[str, object, object]]:
    return [(it.pointer, it.old, it.new) for it in field_changes(old, new)]


def manifest(kind: str, name: str, **fields: Any) -> str:
    return dump({"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields})


CONTAINER = {"name": "server", "image": "a", "ports": [{"containerPort": 80}]}
SIDECAR = {"name": "proxy", "image": "p"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [("/a", 1, True)]),
        ({"a": "1"}, {"a": 1}, [("/a", "1", 1)]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [("/a/b", 1, 2)]),
        ({"a": {"b": 1}}, {}, [("/a", {"b": 1}, None)]),
        ({}, {"a": {"b": {"c": 1}}}, [("/a", None, {"b": {"c": 1}})]),
        ({"x/y~z": 1}, {"x/y~z": 2}, [("/x~1y~0z", 1, 2)]),
        ({"args": ["a", "b"]}, {"args": ["b", "a"]}, [("/args", ["a", "b"], ["b", "a"])]),
        ({"a": [{"b": 1}]}, {"a": {"b": 1}}, [("/a", [{"b": 1}], {"b": 1})]),
        ({"a": []}, {"a": [SIDECAR]}, [("/a[name=proxy]", None, SIDECAR)]),
    ],
)
def test_a_value_that_differs_is_told_where_it_stands(
    old: object, new: object, expected: list[tuple[str, object, object]]
) -> None:
    assert diff(old, new) == expected


def test_an_item_with_a_name_is_found_wherever_it_stands() -> None:
    old = {"containers": [CONTAINER]}
    new = {"containers": [SIDECAR, {**CONTAINER, "image": "b"}]}
    assert diff(old, new) == [
        ("/containers[name=proxy]", None, SIDECAR),
        ("/containers[name=server]/image", "a", "b"),
    ]


def test_another_order_of_named_items_is_told_once() -> None:
    assert diff({"c": [CONTAINER, SIDECAR]}, {"c": [SIDECAR, CONTAINER]}) == [
        ("/c", ["server", "proxy"], ["proxy", "server"])
    ]


def test_an_item_put_into_a_list_without_names_changes_none_of_the_others() -> None:
    old = {"steps": [{"setWeight": 50}, {"pause": {}}]}
    new = {"steps": [{"setWeight": 10}, {"setWeight": 50}, {"pause": {}}]}
    assert diff(old, new) == [("/steps/0", None, {"setWeight": 10})]
    assert diff(new, old) == [("/steps/0", {"setWeight": 10}, None)]


def test_items_whose_name_stands_twice_are_told_apart_by_their_place() -> None:
    old = {"e": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]}
    new = {"e": [{"name": "A", "value": "1"}, {"name": "A", "value": "3"}]}
    assert diff(old, new) == [("/e/1/value", "2", "3")]


def test_a_renamed_file_is_quiet() -> None:
    text = manifest("Service", "iris")
    before = {"manifests/production/iris/service.yaml": text}
    after = {"manifests/production/iris/svc.yaml": text + "# the same\n"}
    assert object_changes(before, after) == ()


def test_objects_are_told_by_environment_kind_and_name() -> None:
    before = {
        "manifests/production/iris/a.yaml": manifest("Service", "iris", spec={"port": 1}),
        "manifests/production/iris/b.yaml": manifest("Rollout", "iris"),
        "manifests/staging/iris/a.yaml": manifest("Service", "iris", spec={"port": 1}),
    }
    after = {
        "manifests/production/iris/a.yaml": manifest("Service", "iris", spec={"port": 2}),
        "manifests/production/iris/c.yaml": manifest("Deployment", "iris"),
        "manifests/staging/iris/a.yaml": manifest("Service", "iris", spec={"port": 1}),
    }
    changed = FieldChange(pointer="/spec/port", old=1, new=2)
    assert object_changes(before, after) == (
        change("a", "Service", "changed", (changed,)),
        change("b", "Rollout", "removed"),
        change("c", "Deployment", "added"),
    )


def change(file: str, kind: str, what: Any, fields: tuple[FieldChange, ...] = ()) -> ObjectChange:
    return ObjectChange(
        path=f"manifests/production/iris/{file}.yaml",
        kind=kind,
        name="iris",
        environment="production",
        change=what,
        fields=fields,
    )


def test_a_kustomization_tells_only_what_is_not_generated() -> None:
    def files(resources: list[str], *names: str) -> dict[str, str]:
        kustomization = dump({"kind": "Kustomization", "resources": resources})
        objects = {f"manifests/production/iris/{name}": manifest("Service", name) for name in names}
        return {"manifests/production/iris/kustomization.yaml": kustomization, **objects}

    before = files(["a.yaml"], "a.yaml")
    (added,) = object_changes(before, files(["a.yaml", "b.yaml"], "a.yaml", "b.yaml"))
    assert (added.kind, added.name, added.change) == ("Service", "b.yaml", "added")
    (patched,) = object_changes(before, files(["a.yaml", "../extra.yaml"], "a.yaml"))
    assert (patched.kind, patched.name) == ("Kustomization", "production/iris")
    assert patched.fields == (FieldChange(pointer="/resources", old=[], new=["../extra.yaml"]),)


def test_files_outside_of_the_manifests_are_not_looked_at() -> None:
    assert object_changes({"pipelines/iris/dvc.yaml": "a: 1\n"}, {".github/workflows/x.yml": "b: 2\n"}) == ()


NAMES = st.sampled_from(["name", "a/b", "~", "x", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a", "yes"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_nothing_differs_from_itself(value: object) -> None:
    assert diff(value, value) == []


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.dictionaries(NAMES, VALUES, max_size=4))
def test_a_difference_is_told_from_both_sides(old: dict[str, Any], new: dict[str, Any]) -> None:
    there, back = diff(old, new), diff(new, old)
    assert sorted((pointer, repr(a), repr(b)) for pointer, a, b in there) == sorted(
        (pointer, repr(b), repr(a)) for pointer, a, b in back
    )
    assert all(a is not None or b is not None for _, a, b in there)
