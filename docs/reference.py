"""`schema/mlops.schema.json` → `docs/spec.md`: the reference of every key of the spec.

`python docs/reference.py` writes it; with `--check` it writes nothing and fails where the page is not current.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

from lockgate.yaml.dump import dump

Schema: TypeAlias = Mapping[str, Any]

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "spec.md"
SCHEMA: Schema = json.loads((ROOT / "schema" / "mlops.schema.json").read_text(encoding="utf-8"))

_INTRODUCTION = """\
# The spec: `mlops.yaml`

<!-- Made from schema/mlops.schema.json; edit that file, not this one. Made again by: python docs/reference.py -->

Every key that `mlops.yaml` may hold. `lockgate explain PATH` says what holds in *your* spec and where it comes from.

- An unknown key is an error. In blocks marked ✎, keys that begin with `x-` are your own and never read.
- A **required** key has no default. *Not yet* marks what has its place in the format and is refused by this version
  ([`not-yet`](diagnostics.md#not-yet)).
- `<model>`, `<environment>`, `<column>` and so on stand for names that you choose.
- In `environments.<environment>.models`, maps merge over the model's own block; scalars and lists replace.
- Examples show where a block stands, not a whole spec.
- For completion in an editor, begin the file with `# yaml-language-server: $schema=schema/mlops.schema.json`.
"""
_WORDS = {
    "string": "text",
    "number": "number",
    "integer": "whole number",
    "boolean": "`true` or `false`",
    "null": "`null`",
}
_FORMS = {
    "name": "Name",
    "environment_name": "Environment name",
    "namespace": "Namespace",
    "version": "Version",
    "date": "Date",
    "object_name": "Object name",
    "address": "Address",
    "share": "Share",
    "promql": "PromQL",
    "duration": "Duration",
    "time_limit": "Time limit",
    "days": "Days",
    "function": "Function",
    "path": "Path",
    "column_name": "Column name",
    "cpu": "CPU",
    "memory": "Memory",
    "metric_name": "Metric name",
    "limit": "Limit",
    "built_in_stage": "Built-in stage",
    "strategy": "Strategy",
    "runner": "Runner",
    "scalar": "Scalar",
    "parameter": "Parameter",
}
_PLACEHOLDERS = {
    "models": "<model>",
    "environments": "<environment>",
    "deployments": "<environment>",
    "deployments.<environment>": "<model>",
    "columns": "<column>",
    "gates": "<metric>",
    "metrics": "<metric>",
    "fairness": "<fairness>",
    "stages": "<stage>",
    "queries": "<query>",
    "patches": "<patch>",
}
_EXAMPLE_NAMES = {
    "models.<model>": "flight-delay",
    "environments.<environment>": "production",
    "columns.<column>": "distance",
    "gates.<metric>": "roc_auc",
    "metrics.<metric>": "saved_minutes",
    "fairness.<fairness>": "recall_by_origin",
    "stages.<stage>": "weather",
    "queries.<query>": "bookings",
    "patches.<patch>": "arm-nodes",
}
# What the blocks around an example need beside it, where it is not the usual: by the example's own block.
_USUAL_COMPANIONS: Mapping[str, Mapping[str, object]] = {"rollout": {"strategy": "canary"}}
_COMPANIONS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "shadow": {
        "rollout": {"strategy": "cautious"},
        "serve": {
            "traffic": {
                "gateway": "public",
                "namespace": "gateways",
                "hostname": "flight-delay.acme.example",
                "router": "istio",
            }
        },
    }
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A block of the spec: where it stands, and its schema with references followed."""

    path: str
    schema: Schema
    planned: bool

    @property
    def title(self) -> str:
        return f"`{self.path}`" if self.path else "The file"


Places: TypeAlias = dict[int, Section]
"""The sections by the identity of their properties, which blocks that share a definition share."""


def main(arguments: list[str]) -> int:
    page = render()
    if arguments == ["--check"]:
        return 0 if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page else 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


def render() -> str:
    """The whole page."""
    places: Places = {}
    _collect("", SCHEMA, places, planned=False)
    contents = [f"- [{section.title}](#{anchor(section.title)})" for section in places.values()]
    contents.append("- [Forms of values](#forms-of-values)\n")
    parts = [_INTRODUCTION, "\n".join(contents), *(_section(it, places) for it in places.values()), _forms()]
    return "\n".join(parts)


def anchor(title: str) -> str:
    """The anchor that GitHub gives a heading."""
    kept = "".join(char for char in title.lower() if char.isalnum() or char in " -_")
    return kept.replace(" ", "-")


def _collect(path: str, schema: Schema, places: Places, *, planned: bool) -> None:
    """Adds the block and all blocks below it; one that several places share stands once."""
    if "properties" not in schema or id(schema["properties"]) in places:
        return
    planned = planned or "x-planned" in schema
    places[id(schema["properties"])] = Section(path=path, schema=schema, planned=planned)
    for key, below in schema["properties"].items():
        for place, inner in _within(f"{path}.{key}" if path else key, _resolve(below)):
            _collect(place, inner, places, planned=planned or "x-planned" in _resolve(below))


def _within(path: str, schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The value itself, and what its map or list holds, each with its path."""
    yield path, schema
    for option in schema.get("anyOf", ()):
        maps = [item for item in schema.get("examples", ()) if isinstance(item, Mapping)]
        yield from _within(path, {"description": schema["description"], "examples": maps, **_resolve(option)})
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _within(f"{path}.{_placeholder(path)}", _resolve(schema["additionalProperties"]))
    if "items" in schema:
        yield from _within(f"{path}[]", _resolve(schema["items"]))


def _placeholder(path: str) -> str:
    return _PLACEHOLDERS.get(path) or _PLACEHOLDERS.get(path.rpartition(".")[2], "<name>")


def _section(section: Section, places: Places) -> str:
    block = section.schema
    own = " ✎" if "^x-" in block.get("patternProperties", {}) else ""
    planned = "*Not yet: refused by this version.*\n\n" if section.planned else ""
    lines = [f"## {section.title}", "", f"{planned}{block['description']}{own}", ""]
    lines += ["| Key | Value | Default | What it says |", "|---|---|---|---|"]
    for key, schema in block["properties"].items():
        is_required = key in block.get("required", ())
        path = f"{section.path}.{key}" if section.path else key
        cells = (
            f"`{key}`",
            _type(schema, path, places),
            _default(schema, is_required=is_required),
            _says(schema),
        )
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join([*lines, "", *_example(section)])


def _says(schema: Schema) -> str:
    schema = _resolve(schema)
    shown = [item for item in schema.get("examples", ()) if not isinstance(item, Mapping | list)]
    shown = (
        [] if "enum" in schema or "const" in schema else [it for it in shown if it != schema.get("default")]
    )
    example = f" For example {' or '.join(_code(item) for item in shown)}." if shown else ""
    planned = f" *Not yet: {schema['x-planned']}.*" if "x-planned" in schema else ""
    return f"{schema['description']}{example}{planned}"


def _default(schema: Schema, *, is_required: bool) -> str:
    schema = _resolve(schema)
    if is_required:
        return "**required**"
    return _code(schema["default"]) if "default" in schema else ""


def _type(schema: Schema, path: str, places: Places) -> str:
    form = schema.get("$ref", "").removeprefix("#/$defs/")
    if form in _FORMS:
        return f"[{_FORMS[form].lower()}](#{anchor(_FORMS[form])})"
    schema = _resolve(schema)
    if "anyOf" in schema:
        return " or ".join(_type(option, path, places) for option in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return " or ".join(_code(value) for value in schema.get("enum", [schema.get("const")]))
    if "items" in schema:
        return f"list of {_type(schema['items'], f'{path}[]', places)}"
    if schema["type"] == "object":
        return _map(schema, path, places)
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return " or ".join(_WORDS[kind] for kind in types) + _range(schema)


def _map(schema: Schema, path: str, places: Places) -> str:
    if "properties" in schema:
        return f"[map](#{anchor(places[id(schema['properties'])].title)})"
    other = schema.get("additionalProperties")
    if not isinstance(other, Mapping):
        return "map"
    name = _placeholder(path)
    return f"`{name}` → {_type(other, f'{path}.{name}', places)}"


def _range(schema: Schema) -> str:
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "below"}
    parts = [f"{word} {schema[key]}" for key, word in words.items() if key in schema]
    return f" {' '.join(parts)}" if parts else ""


def _example(section: Section) -> list[str]:
    """The block's first example at its place in a spec; an item of a list is shown with its list."""
    examples = section.schema.get("examples", ())
    if not section.path or not examples or "[]" in section.path:
        return []
    document: object = examples[0]
    steps = section.path.split(".")
    companions = _COMPANIONS.get(steps[-1], _USUAL_COMPANIONS)
    for index in range(len(steps) - 1, -1, -1):
        place = ".".join(steps[max(0, index - 1) : index + 1])
        document = {_EXAMPLE_NAMES.get(place, steps[index]): document}
        if index and steps[index - 1] in companions:
            document = {**companions[steps[index - 1]], **document}
    kind = "planned" if section.planned else "fragment"
    return [f"```yaml {kind}", dump(cast("dict[str, Any]", document)).rstrip("\n"), "```", ""]


def _forms() -> str:
    lines = ["## Forms of values", ""]
    for name, title in _FORMS.items():
        schema = SCHEMA["$defs"][name]
        examples = ", ".join(_code(item) for item in schema["examples"])
        lines += [f"### {title}", "", f"{schema['description']} For example {examples}.", ""]
        if "pattern" in schema:
            lines += [f"Pattern: `{schema['pattern']}`", ""]
        if "enum" in schema:
            lines += [f"One of {', '.join(_code(item) for item in schema['enum'])}.", ""]
    return "\n".join(lines)


def _resolve(schema: Schema) -> Schema:
    while "$ref" in schema:
        target = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _code(value: object) -> str:
    if isinstance(value, str):
        return f"`{value}`"
    if isinstance(value, float):
        return f"`{value:.10f}".rstrip("0").rstrip(".") + "`"
    return f"`{json.dumps(value, ensure_ascii=False)}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
