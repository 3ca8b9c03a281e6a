"""Patches: what they change, what they leave alone, and what of them is refused."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.diagnostics import Finding
from lockgate.spec.model import Patch
from lockgate.targets.file import File
from lockgate.targets.patches import apply, matches

PATH = "manifests/production/a/deployment.yaml"
RENDER = "'lockgate render' shows the file as it is without patches"


def file(content: Mapping[str, Any], path: str = PATH) -> File:
    return File(path=path, content=content)


def patch(
    changes: Mapping[str, Any] | None = None,
    remove: tuple[str, ...] = (),
    *,
    target: str = PATH,
    name: str = "p",
) -> Patch:
    return Patch(name=name, target=target, reason="a test", set=changes or {}, remove=remove)


def after(content: Mapping[str, Any], *patches: Patch) -> Mapping[str, Any]:
    result = apply([file(content)], patches)
    assert result.findings == ()
    patched = result.files[0].content
    assert not isinstance(patched, str), "it was a document before"
    return patched


def test_a_value_is_set_and_missing_maps_on_the_way_are_made() -> None:
    assert after({"a": {"b": 1}}, patch({"/a/b": 2, "/x/y/z": [3]})) == {
        "a": {"b": 2},
        "x": {"y": {"z": [3]}},
    }


def test_a_value_is_removed() -> None:
    assert after({"a": {"b": 1, "c": 2}}, patch(remove=("/a/b",))) == {"a": {"c": 2}}


def test_an_item_of_a_list_is_set_and_a_dash_appends() -> None:
    assert after({"l": [{"a": 1}, 2]}, patch({"/l/0/a": 9, "/l/1": 8, "/l/-": 7})) == {"l": [{"a": 9}, 8, 7]}


def test_indexes_to_remove_mean_the_list_as_it_was() -> None:
    content = {"l": list(range(12))}
    assert after(content, patch(remove=("/l/0", "/l/2", "/l/10"))) == {"l": [1, 3, 4, 5, 6, 7, 8, 9, 11]}


def test_escaped_slashes_and_tildes_are_part_of_the_key() -> None:
    assert after({}, patch({"/a~1b/c~0d~01": 1})) == {"a/b": {"c~d~1": 1}}


def test_files_and_patches_are_left_as_they_were() -> None:
    before, changes = {"a": {"b": [1]}}, {"/a/b/-": {"c": 2}, "/d": [3]}
    kept, kept_changes = copy.deepcopy(before), copy.deepcopy(changes)
    result = apply([file(before)], [patch(changes), patch({"/d/-": 4}, name="q")])
    assert (before, changes) == (kept, kept_changes)
    assert result.files[0].content == {"a": {"b": [1, {"c": 2}]}, "d": [3, 4]}


def test_what_a_patch_touches_is_told_and_other_files_are_the_same_objects() -> None:
    files = [file({}, f"manifests/{env}/{model}/x.yaml") for env in ("p", "s") for model in ("a", "b")]
    result = apply(files, [patch({"/k": 1}, target="manifests/p/*/x.yaml")])
    assert result.touched == {"p": ("manifests/p/a/x.yaml", "manifests/p/b/x.yaml")}
    assert [made.content for made in result.files] == [{"k": 1}, {"k": 1}, {}, {}]
    assert result.files[2:] == tuple(files[2:])


@pytest.mark.parametrize(
    ("target", "path", "is_match"),
    [
        ("a/*/c.yaml", "a/b/c.yaml", True),
        ("a/*/c.yaml", "a/b/b/c.yaml", False),
        ("a/**/c.yaml", "a/b/b/c.yaml", False),
        ("*", "a/b", False),
        ("a/b*e/*.yaml", "a/bcde/x.yaml", True),
        ("a/b", "A/b", False),
        ("a.b", "axb", False),
    ],
)
def test_a_star_stands_for_any_part_of_one_name(target: str, path: str, *, is_match: bool) -> None:
    assert matches(target, path) is is_match


def test_a_target_of_many_stars_takes_no_time() -> None:
    assert not matches("*a" * 99 + "b", "a" * 5000)


def test_a_patch_that_matches_no_file_names_the_nearest() -> None:
    wrong = "manifests/production/a/deploymnt.yaml"
    assert apply([file({})], [patch({"/a": 1}, target=wrong)]).findings == (
        Finding(
            rule="patch-target",
            location=("patches", "p", "target"),
            message=f"{wrong!r} matches no generated file",
            help=f"did you mean {PATH!r}?",
        ),
    )


def test_a_patch_that_changes_nothing_is_refused() -> None:
    assert apply([file({})], [patch()]).findings == (
        Finding(
            rule="patch-empty",
            location=("patches", "p"),
            at_key=True,
            message="the patch 'p' changes nothing",
            help="add 'set' or 'remove', or take the patch out",
        ),
    )


@pytest.mark.parametrize(
    ("pointer", "reason"),
    [
        ("/scalar/x", "/scalar is 5, neither a map nor a list"),
        ("/list/3", "the list at /list has 2 items, and none at 3"),
        ("/list/2", "the list at /list has 2 items, and none at 2"),
        ("/list/x", "/list is a list, and 'x' is no index of one"),
        ("/list/01", "/list is a list, and '01' is no index of one"),
        ("/list/-1", "/list is a list, and '-1' is no index of one"),
        ("/list/²", "/list is a list, and '²' is no index of one"),
        ("/list/-/x", "/list is a list, and '-' is no index of one"),
        ("/list/9/x", "the list at /list has 2 items, and none at 9"),
    ],
)
def test_a_pointer_that_leads_nowhere_is_refused(pointer: str, reason: str) -> None:
    content = {"scalar": 5, "list": [1, 2]}
    result = apply([file(content)], [patch({pointer: 1})])
    assert result.findings == (
        Finding(
            rule="patch-pointer",
            location=("patches", "p", "set", pointer),
            at_key=True,
            message=f"{pointer!r} cannot be set in {PATH!r}: {reason}",
            help=RENDER,
        ),
    )
    assert result.files[0].content == content


@pytest.mark.parametrize(
    ("pointer", "reason"),
    [
        ("/labels", "there is no 'labels' at its top, did you mean 'label'?"),
        ("/label/x", "there is no 'x' at /label"),
        ("/list/-", "/list is a list, and '-' is no index of one"),
        ("/none/x/y", "there is no 'none' at its top"),
    ],
)
def test_what_is_not_there_cannot_be_removed(pointer: str, reason: str) -> None:
    result = apply([file({"label": {}, "list": [1]})], [patch(remove=("/list/0", pointer))])
    assert result.findings == (
        Finding(
            rule="patch-pointer",
            location=("patches", "p", "remove", 1),
            message=f"{pointer!r} cannot be removed in {PATH!r}: {reason}",
            help=RENDER,
        ),
    )


def test_a_pointer_that_fails_in_many_files_is_refused_once() -> None:
    files = [file({}, f"manifests/p/{model}/x.yaml") for model in "abc"]
    result = apply(files, [patch(remove=("/k",), target="manifests/p/*/x.yaml")])
    assert [finding.message for finding in result.findings] == [
        "'/k' cannot be removed in 'manifests/p/a/x.yaml': there is no 'k' at its top"
    ]


def test_two_patches_that_set_one_place_to_different_values_are_refused() -> None:
    result = apply(
        [file({})], [patch({"/a/b": 1}), patch({"/a/b": 2}, name="q", target="manifests/*/a/*.yaml")]
    )
    assert result.findings == (
        Finding(
            rule="patch-conflict",
            location=("patches", "q", "set", "/a/b"),
            at_key=True,
            message=f"'/a/b' of {PATH!r} is changed by the patch 'p', too",
            help="make them one patch, or let their targets be different files",
        ),
    )


def test_setting_what_another_patch_removes_is_refused() -> None:
    result = apply([file({"a": 1})], [patch(remove=("/a",)), patch({"/a": 2}, name="q")])
    assert [(finding.rule, finding.location) for finding in result.findings] == [
        ("patch-conflict", ("patches", "q", "set", "/a"))
    ]


def test_replacing_the_map_that_another_patch_changed_is_refused() -> None:
    result = apply([file({"a": {}})], [patch({"/a/b": 1}), patch({"/a": {"c": 2}}, name="q")])
    assert [finding.rule for finding in result.findings] == ["patch-conflict"]


@pytest.mark.parametrize(
    ("first", "second", "content"),
    [
        ({"/a": 1}, {"/a": 1}, {"a": 1, "l": []}),
        ({"/a": {}}, {"/a/b": 1}, {"a": {"b": 1}, "l": []}),
        ({"/l/-": 1}, {"/l/-": 2}, {"l": [1, 2]}),
    ],
)
def test_patches_that_do_not_undo_each_other_go_together(
    first: dict[str, Any], second: dict[str, Any], content: dict[str, Any]
) -> None:
    assert after({"l": []}, patch(first), patch(second, name="q")) == content


def test_true_and_one_are_different_values() -> None:
    result = apply([file({})], [patch({"/a": True}), patch({"/a": 1}, name="q")])
    assert [finding.rule for finding in result.findings] == ["patch-conflict"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
pointers = st.lists(
    st.text(min_size=1, max_size=4).map(lambda key: key.replace("~", "~0").replace("/", "~1"))
    | st.sampled_from(["0", "1", "-", "a"]),
    min_size=1,
    max_size=4,
).map(lambda parts: "/" + "/".join(parts))


@given(
    content=st.dictionaries(st.sampled_from("ab01"), json_values, max_size=4),
    changes=st.dictionaries(pointers, json_values, max_size=4),
    remove=st.lists(pointers, max_size=4, unique=True).map(tuple),
)
def test_any_patch_is_done_or_is_a_finding_and_never_changes_its_input(
    content: dict[str, Any], changes: dict[str, Any], remove: tuple[str, ...]
) -> None:
    kept = copy.deepcopy(content)
    result = apply([file(content)], [patch(changes, remove)])
    assert content == kept
    assert {finding.rule for finding in result.findings} <= {"patch-empty", "patch-pointer"}
    if not changes and not remove:
        assert result.files[0].content == content


@given(pointer=pointers, value=json_values)
def test_what_was_set_in_an_empty_file_can_be_removed(pointer: str, value: object) -> None:
    first = apply([file({})], [patch({pointer: value})])
    assert first.findings == ()
    again = apply(first.files, [patch(remove=(pointer,))])
    assert again.findings == ()
