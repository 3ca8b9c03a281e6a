"""The page at `/`: what the model is, live numbers, and a form to try a row. One file that asks only this server.

`CONTENT_SECURITY_POLICY` is what the answer's header of that name says: this style, this script, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lockgate.contract.example import examples
from lockgate_runtime.server.page.card import card_html

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockgate.contract import Feature, Json, Reference, Signature

_FOLDER = Path(__file__).parent
_STYLE = (_FOLDER / "page.css").read_text(encoding="utf-8")
_SCRIPT = (_FOLDER / "page.js").read_text(encoding="utf-8")


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src {_source(_STYLE)}; script-src {_source(_SCRIPT)}; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _Field(NamedTuple):
    """A column as the form asks for it; `hint` says in words what it takes."""

    name: str
    control: Literal["number", "select", "text", "checkbox"]
    type: str
    value: Json
    nullable: bool
    options: Sequence[str]
    min: float | None
    max: float | None
    hint: str


def html(
    signature: Signature,
    reference: Reference,
    version: str,
    artifact_sha256: str,
    card_markdown: str,
) -> bytes:
    """The page as UTF-8."""
    features = reference["features"]
    text = (
        _environment()
        .get_template("page.html.j2")
        .render(
            signature=signature,
            version=version,
            sha256=artifact_sha256,
            card=card_html(card_markdown) if card_markdown.strip() else None,
            fields=[_field(it, examples(it, features.get(it["name"]))[0]) for it in signature["inputs"]],
            style=_STYLE,
            script=_SCRIPT,
        )
    )
    return text.encode("utf-8", "replace")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _field(feature: Feature, value: Json) -> _Field:
    return _Field(
        name=feature["name"],
        control=_control(feature),
        type=feature["type"],
        value=value,
        nullable=feature["nullable"],
        options=feature.get("values", []),
        min=feature.get("min"),
        max=feature.get("max"),
        hint=_hint(feature),
    )


def _control(feature: Feature) -> Literal["number", "select", "text", "checkbox"]:
    if feature["type"] == "boolean":
        return "select" if feature["nullable"] else "checkbox"
    if feature["type"] == "category":
        return "select" if feature.get("values") else "text"
    return "number"


_KINDS = {"number": "number", "integer": "whole number", "category": "", "boolean": "yes or no"}


def _hint(feature: Feature) -> str:
    parts = [part for part in (_KINDS[feature["type"]], _range(feature)) if part]
    if known := len(feature.get("values", [])):
        parts.append(f"{known:,} known")
    if feature["nullable"]:
        parts.append("may be missing")
    return ", ".join(parts)


def _range(feature: Feature) -> str:
    low, high = feature.get("min"), feature.get("max")
    if low is not None and high is not None:
        return f"{low:,g} to {high:,g}"
    if low is not None:
        return f"at least {low:,g}"
    return "" if high is None else f"at most {high:,g}"
