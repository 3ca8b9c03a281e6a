"""`schema/mlops.schema.json` → `docs/spec.md`: the reference of every key of the spec.

`python docs/reference.py` writes it; with `--check` it writes nothing and fails where the file is not current.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from lockgate.yaml.dump import dump

Schema: TypeAlias = Mapping[str, Any]

ROOT = Path(__file__).resolve().parents[1]
SCHEMA_FILE = ROOT / "schema" / "mlops.schema.json"
PAGE = ROOT / "docs" / "spec.md"
SCHEMA: Schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))

_INTRODUCTION = """\
# The spec: `mlops.yaml`

<!-- Made from schema/mlops.schema.json; edit that file, not this one. Made again by: python docs/reference.py -->

Every key that `mlops.yaml` may hold. An unknown key is an error; keys that begin with `x-` are your own, and allowed
in the blocks marked ✎. `lockgate explain PATH` says what holds in *your* spec and where it comes from.

- A **required** key has no default. *Not yet* marks a key that has its place in the format and that this version
  refuses ([`not-yet`](diagnostics.md#not-yet)).
- `<model>`, `<environment>`, `<column>` and so on stand for names that you choose.
- In `environments.<environment>.models`, maps merge over the model's own block; scalars and lists replace.
- For completion in an editor, begin the file with `# yaml-language-server: $schema=schema/mlops.schema.json`.
"""
_WORDS = {"string": "text", "number": "number", "integer": "whole number", "boolean": "`true` or `false`", "null": "`null`"}
_PLACEHOLDERS = {
    "models": "<model>",
    "environments": "<environment>",
    "deployments": "<environment>",
    "columns": "<column>",
    "gates": "<metric>",
    "metrics": "<metric>",
    "stages": "<stage>",
    "patches": "<patch>",
}
_FORM_NAMES = (
    "name", "environment_name", "namespace", "version", "date", "duration", "days", "function", "path", "column_name",
    "cpu", "memory", "limit", "metric_name", "runner", "built_in_stage", "strategy", "scalar", "parameter",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A block of the spec: where it stands and its schema, references followed."""

    path: str
    schema: Schema

    @property
    def title(self) -> str:
        return f"`{self.path}`" if self.path else "The file"


def main(arguments: list[str]) -> int:
    page = render()
    if arguments == ["--check"]:
        current = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page
        return 0 if current else 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


def render() -> str:
    """The whole page."""
    sections = tuple(_sections("", SCHEMA, {}))
    anchors = {section.path: anchor(section.title) for section in sections}
    contents = [f"- [{section.title}](#{anchors[section.path]})" for section in sections]
    parts = [_INTRODUCTION, "\n".join([*contents, "- [Forms of values](#forms-of-values)"]) + "\n"]
    parts += [_section(section, anchors) for section in sections]
    return "\n".join([*parts, _forms()])


def anchor(title: str) -> str:
    """The anchor that GitHub gives a heading: letters, digits, dashes and underscores of its text."""
    kept = "".join(char for char in title.lower() if char.isalnum() or char in " -_")
    return kept.replace(" ", "-")


def _sections(path: str, schema: Schema, seen: dict[int, str]) -> Iterator[Section]:
    """The block and all blocks below it; one that several places share stands once."""
    block = _block(schema)
    if block is None or id(block["properties"]) in seen:
        return
    seen[id(block["properties"])] = path
    yield Section(path=path, schema=block)
    for key, below in block["properties"].items():
        for place, inner in _inner(_join(path, key), _resolve(below)):
            yield from _sections(place, inner, seen)


def _inner(path: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The value itself, and what its map or list holds, each with its path."""
    yield path, schema
    for option in schema.get("anyOf", ()):
        yield from _inner(path, _resolve(option))
    other = schema.get("additionalProperties")
    if isinstance(other, Mapping):
        yield from _inner(f"{path}.{_placeholder(path)}", _resolve(other))
    if "items" in schema:
        yield from _inner(f"{path}[]", _resolve(schema["items"]))


def _block(schema: Schema) -> Schema | None:
    return schema if "properties" in schema else None


def _placeholder(path: str) -> str:
    return _PLACEHOLDERS.get(path.rpartition(".")[2], "<name>") if path != "deployments.<environment>" else "<model>"


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _section(section: Section, anchors: Mapping[str, str]) -> str:
    block = section.schema
    own = " ✎" if "^x-" in block.get("patternProperties", {}) else ""
    lines = [f"## {section.title}", "", f"{block['description']}{own}" if "description" in block else "", ""]
    lines += ["| Key | Value | Default | What it says |", "|---|---|---|---|"]
    for key, schema in block["properties"].items():
        lines.append(_row(section.path, key, schema, block, anchors))
    return "\n".join([*lines, "", *_example(section)])


def _row(path: str, key: str, schema: Schema, block: Schema, anchors: Mapping[str, str]) -> str:
    resolved = _resolve(schema)
    place = _join(path, key)
    planned = f" *Not yet: {resolved['x-planned']}.*" if "x-planned" in resolved else ""
    examples = [item for item in resolved.get("examples", ()) if not isinstance(item, Mapping | list)]
    shown = f" For example {' or '.join(_code(item) for item in examples)}." if examples and "enum" not in resolved else ""
    default = "**required**" if key in block.get("required", ()) else _default(resolved)
    says = f"{resolved.get('description', '')}{shown}{planned}"
    return f"| `{key}` | {_type(schema, place, anchors)} | {default} | {_cell(says)} |"


def _default(schema: Schema) -> str:
    if "default" not in schema:
        return ""
    return _code(schema["default"])


def _type(schema: Schema, path: str, anchors: Mapping[str, str]) -> str:
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    if name in _FORM_NAMES:
        return f"[{name.replace('_', ' ')}](#{anchor(_form_title(name))})"
    schema = _resolve(schema)
    if "anyOf" in schema:
        return " or ".join(_type(option, path, anchors) for option in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " or ".join(_code(value) for value in schema.get("enum", [schema.get("const")]))
    if "items" in schema:
        return f"list of {_type(schema['items'], f'{path}[]', anchors)}"
    if schema.get("type") == "object":
        return _map(schema, path, anchors)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(_WORDS[kind] for kind in types) + _range(schema)


def _map(schema: Schema, path: str, anchors: Mapping[str, str]) -> str:
    if "properties" in schema:
        shared = next((place for place in anchors if place.rpartition(".")[2] == path.rpartition(".")[2]), "")
        target = path if path in anchors else shared
        return f"[map](#{anchors[target]})" if target else "map"
    other = schema.get("additionalProperties")
    if not isinstance(other, Mapping):
        return "map"
    below = f"{path}.{_placeholder(path)}"
    return f"map from name to {_type(other, below, anchors)}"


def _range(schema: Schema) -> str:
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum", schema.get("exclusiveMaximum"))
    above = "above" if "exclusiveMinimum" in schema else "at least"
    below = "below" if "exclusiveMaximum" in schema else "at most"
    parts = [f"{above} {low}"] if low is not None else []
    parts += [f"{below} {high}"] if high is not None else []
    return f", {' and '.join(parts)}" if parts else ""


def _example(section: Section) -> list[str]:
    examples = section.schema.get("examples", ())
    if not section.path or not examples:
        return []
    key = section.path.removesuffix("[]").rpartition(".")[2]
    value: object = [examples[0]] if section.path.endswith("[]") else examples[0]
    document = {_names(key): value} if not isinstance(value, Mapping) or key else value
    return ["```yaml fragment", dump(document).rstrip("\n"), "```", ""]


def _names(key: str) -> str:
    """A name that could stand where the page shows a placeholder."""
    examples = {"<model>": "flight-delay", "<environment>": "production", "<column>": "distance", "<metric>": "roc_auc"}
    return examples.get(key, key.strip("<>"))


def _forms() -> str:
    lines = ["## Forms of values", ""]
    for name in _FORM_NAMES:
        schema = SCHEMA["$defs"][name]
        examples = ", ".join(_code(item) for item in schema.get("examples", ()))
        lines += [f"### {_form_title(name)}", "", f"{schema['description']} For example {examples}.", ""]
        if "pattern" in schema:
            lines += [f"Pattern: `{schema['pattern']}`", ""]
        if "enum" in schema:
            lines += [f"One of {', '.join(_code(item) for item in schema['enum'])}.", ""]
    return "\n".join(lines)


def _form_title(name: str) -> str:
    return f"A {name.replace('_', ' ')}" if name != "environment_name" else "An environment name"


def _resolve(schema: Schema) -> Schema:
    while "$ref" in schema:
        target = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _code(value: object) -> str:
    return f"`{json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
