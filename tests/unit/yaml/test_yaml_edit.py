"""Edits of one value: exactly that value changes, and every other character stays."""

from __future__ import annotations

import copy
from typing import Any, TypeAlias

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lockgate.yaml.dump import dump
from lockgate.yaml.edit import insert_key, replace_scalar
from lockgate.yaml.nodes import Location, Mapping, Node, Scalar, YamlError, node_at, plain_value
from lockgate.yaml.parse import parse

Data: TypeAlias = Any
"""Plain data of any shape."""

SPEC = """\
# the flights   \r
project: {repository: 'github.com/acme/flights', tags: [a, "b" , c]}  # 🚀\r
\r
models:\r
    flight-delay:   # late\r
        as_of: '2013-07-01'\r
        note: |  # kept\r
            line\r
\r
            line\r
\r
        empty:\r
        params: {depth: , rate: 0.1, flag}\r
        list:\r
        - x\r
        -\r
deployments:\r
    production: {flight-delay: 1.2.0}   # live"""


@pytest.mark.parametrize(
    ("location", "value", "old", "new"),
    [
        (("project", "repository"), "it's", "'github.com/acme/flights'", "'it''s'"),
        (("project", "repository"), "a\tb", "'github.com/acme/flights'", '"a\\tb"'),
        (("project", "repository"), 3, "'github.com/acme/flights'", "3"),
        (("project", "tags", 0), "x, y", "[a,", '["x, y",'),
        (("project", "tags", 1), "z", '"b"', '"z"'),
        (("project", "tags", 2), "yes", ", c]", ', "yes"]'),
        (("models", "flight-delay", "as_of"), "2013-08-01", "'2013-07-01'", "'2013-08-01'"),
        (("models", "flight-delay", "note"), "one line",
         "|  # kept\r\n            line\r\n\r\n            line", "one line  # kept"),
        (("models", "flight-delay", "empty"), True, "empty:", "empty: true"),
        (("models", "flight-delay", "params", "depth"), 4, "depth: ,", "depth: 4,"),
        (("models", "flight-delay", "params", "flag"), None, "flag}", "flag}"),
        (("models", "flight-delay", "params", "flag"), 1.5, "flag}", "flag: 1.5}"),
        (("models", "flight-delay", "list", 0), "y\nz", "- x", '- "y\\nz"'),
        (("models", "flight-delay", "list", 1), "w", "-\r\ndep", "- w\r\ndep"),
        (("deployments", "production", "flight-delay"), "1.3.0", "1.2.0", "1.3.0"),
    ],
)  # fmt: skip
def test_only_the_scalar_changes(
    location: Location, value: str | float | bool | None, old: str, new: str
) -> None:
    assert SPEC.count(old) == 1
    if value is None:
        with_null = replace_scalar(SPEC, location, value)
        assert with_null == SPEC.replace(old, "flag: null}")
        return

    assert replace_scalar(SPEC, location, value) == SPEC.replace(old, new)


@pytest.mark.parametrize("start", ["", "\ufeff", "# 🚀é\n"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_places_are_right_behind_any_characters(start: str, line_end: str) -> None:
    text = f"{start}a: 🚀 # 漢{line_end}é: {{b: '🚀', c: x}}{line_end}"

    assert replace_scalar(text, ("é", "c"), "w") == text.replace("c: x", "c: w")


@pytest.mark.parametrize(
    "location", [("a",), ("a", "c"), ("a", "b", "c"), ("a", 0), ("z",), ("l", 2), ("l",)]
)
def test_a_place_without_a_scalar_is_a_key_error(location: Location) -> None:
    with pytest.raises(KeyError) as caught:
        replace_scalar("a: {b: 1}\nl: [1, 2]\n", location, "x")

    assert caught.value.args == (location,)


def test_text_that_is_not_yaml_is_a_yaml_error() -> None:
    with pytest.raises(YamlError):
        replace_scalar("a: [", ("a",), "x")


def test_a_number_that_yaml_readers_cannot_hold_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        replace_scalar("a: 1\n", ("a",), 10**18)


texts = st.one_of(
    st.sampled_from(
        [
            "",
            "yes",
            "1.2.0",
            "a, b",
            "a: b",
            "]",
            "#",
            " x",
            "x ",
            "a\nb",
            "'",
            '"',
            "\\",
            "12e4567",
            "- a",
            "🚀",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
values = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**17), 10**17), st.floats(allow_nan=False), texts
)
FORMS = [
    "plain",
    "'single'",
    '"double"',
    "|\n  literal\n",
    "|+\n  kept\n\n",
    ">-\n  folded\n  more\n",
    "~",
    "",
    "12",
    "two\n  lines",
]


@given(
    before=st.sampled_from(["", "# c\n", "\ufeff", "x: 1 # 🚀\n\n", "🚀: {é: [1]}\r\n"]),
    key=st.sampled_from(["key", "'key'", '"key"']),
    form=st.sampled_from(FORMS),
    after=st.sampled_from(["", "\n", " \n# end", "\n\n\nz: 1 # c\n", "\r\nz: [1, 2]\r\n", " # c\nz: 1"]),
    value=values,
)
def test_a_value_in_a_block_changes_alone(before: str, key: str, form: str, after: str, value: Data) -> None:
    text = f"{before}{key}: {form}{after}"
    assume(_is_yaml(text))

    _check_replaced(text, ("key",), value)


@given(
    form=st.sampled_from(["plain", "'single'", '"double"', "~", " ", "12"]),
    around=st.sampled_from(
        ["{key: %s}", "{a: 1, key: %s , b: 2}", "{\n  key: %s, # c\n  b: 1}", '{"key":%s}', "{key: %s,}"]
    ),
    value=values,
)
def test_a_value_in_a_flow_mapping_changes_alone(form: str, around: str, value: Data) -> None:
    text = f"top: {around % form} # 🚀\n"
    assume(_is_yaml(text))

    _check_replaced(text, ("top", "key"), value)


documents = st.recursive(
    st.dictionaries(texts, values, min_size=1, max_size=3),
    lambda inner: st.one_of(
        st.dictionaries(texts, st.one_of(values, inner), min_size=1, max_size=3),
        st.lists(st.one_of(values, inner), min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@given(documents, values, st.data())
def test_any_value_of_any_document_changes_alone(document: Data, value: Data, data: st.DataObject) -> None:
    text = dump(document)
    location = data.draw(st.sampled_from(_scalar_locations(parse(text))))

    _check_replaced(text, location, value)


@pytest.mark.parametrize(
    ("text", "location", "expected"),
    [
        ("a: 1\n", (), "a: 1\nkey: 1.2.0\n"),
        ("a: 1", (), "a: 1\nkey: 1.2.0"),
        ("a: 1\r\nb: 2 # c\r\n\r\n# end\r\n", (), "a: 1\r\nb: 2 # c\r\nkey: 1.2.0\r\n\r\n# end\r\n"),
        ("{}\n", (), "{key: 1.2.0}\n"),
        ("a: {b: 1}\n", ("a",), "a: {b: 1, key: 1.2.0}\n"),
        ("a: {b: 1, }\n", ("a",), "a: {b: 1, key: 1.2.0, }\n"),
        ("a: {b}\n", ("a",), "a: {b, key: 1.2.0}\n"),
        ("a: {}\nb: 1\n", ("a", "x"), "a: {x: {key: 1.2.0}}\nb: 1\n"),
        ("a:\n    b: 1   # c\n\nc: 2\n", ("a",), "a:\n    b: 1   # c\n    key: 1.2.0\n\nc: 2\n"),
        ("a:\n    b: 1\nc: 2\n", ("d", "e"), "a:\n    b: 1\nc: 2\nd:\n    e:\n        key: 1.2.0\n"),
        ("a:\n  b:\nc: 2\n", ("a", "b"), "a:\n  b:\n    key: 1.2.0\nc: 2\n"),
        ("a: null # none yet\nc: 2\n", ("a", "b"), "a: # none yet\n  b:\n    key: 1.2.0\nc: 2\n"),
        ("a: {b: , c: ~}\n", ("a", "b"), "a: {b: {key: 1.2.0}, c: ~}\n"),
        ("a: {b: , c: ~}\n", ("a", "c", "d"), "a: {b: , c: {d: {key: 1.2.0}}}\n"),
        ("a:\n  b: |+\n    x\n\nc: 1\n", ("a",), "a:\n  b: |+\n    x\n\n  key: 1.2.0\nc: 1\n"),
        ("a:\n  b: |\n    x\n\nc: 1\n", ("a",), "a:\n  b: |\n    x\n  key: 1.2.0\n\nc: 1\n"),
        ("a:\n- b: 1\n- c\n", ("a", 0), "a:\n- b: 1\n  key: 1.2.0\n- c\n"),
        ("a:\n-\n- c\n", ("a", 0), "a:\n-\n  key: 1.2.0\n- c\n"),
        ("\ufeffdeployments:\n  staging: {🚀: 1}\n", ("deployments", "production"),
         "\ufeffdeployments:\n  staging: {🚀: 1}\n  production:\n    key: 1.2.0\n"),
    ],
)  # fmt: skip
def test_a_key_is_added_as_the_last_of_its_mapping(text: str, location: Location, expected: str) -> None:
    assert insert_key(text, location, "key", "1.2.0") == expected


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("key: 1\n", ()),
        ("a: 1\n", ("a",)),
        ("a: [1]\n", ("a",)),
        ("a: [1]\n", ("a", 4)),
        ("[1]\n", ()),
        ("a: x\n", ("a", "b")),
    ],
)
def test_a_key_is_added_only_to_a_mapping_without_it(text: str, location: Location) -> None:
    with pytest.raises(KeyError) as caught:
        insert_key(text, location, "key", 1)

    assert caught.value.args == ((*location, "key"),)


@given(documents, texts, texts, values, st.data())
def test_an_added_key_changes_nothing_else(
    document: Data, key: str, parent: str, value: Data, data: st.DataObject
) -> None:
    text = f"# c\n{dump(document)}# end\n"
    locations = _mapping_locations(parse(text))
    assume(locations)
    location = data.draw(st.sampled_from(locations))
    before = plain_value(parse(text))
    expected = copy.deepcopy(before)
    mapping = _at(expected, location)
    assume(parent not in mapping)
    mapping[parent] = {key: value}

    after = insert_key(text, (*location, parent), key, value)

    assert repr(plain_value(parse(after))) == repr(expected)
    assert set(text.split("\n")) - set(after.split("\n")) <= {
        line for line in text.split("\n") if "{}" in line
    }


def _check_replaced(text: str, location: Location, value: Data) -> None:
    old = node_at(parse(text), location)
    assert old is not None
    start, end = old.span.start.offset, old.span.end.offset
    expected = plain_value(parse(text))
    _at(expected, location[:-1])[location[-1]] = value

    after = replace_scalar(text, location, value)

    assert repr(plain_value(parse(after))) == repr(expected)
    assert after.startswith(text[:start])
    assert after.endswith(text[end:])
    assert text.count("# c") == after.count("# c")


def _at(data: Data, location: Location) -> Data:
    for step in location:
        data = data[step]
    return data


def _is_yaml(text: str) -> bool:
    try:
        return isinstance(parse(text), Mapping)
    except YamlError:
        return False


def _scalar_locations(node: Node, place: Location = ()) -> list[Location]:
    return [it for it, found in _walk(node, place) if isinstance(found, Scalar)]


def _mapping_locations(node: Node, place: Location = ()) -> list[Location]:
    return [it for it, found in _walk(node, place) if isinstance(found, Mapping)]


def _walk(node: Node, place: Location) -> list[tuple[Location, Node]]:
    if isinstance(node, Scalar):
        return [(place, node)]
    if isinstance(node, Mapping):
        children: list[tuple[str | int, Node]] = [(it.key.text, it.value) for it in node.entries]
    else:
        children = list(enumerate(node.items))
    return [(place, node), *(it for step, child in children for it in _walk(child, (*place, step)))]
