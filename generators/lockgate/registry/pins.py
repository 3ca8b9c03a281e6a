"""`deployments:` of a spec's text, without reading the rest of it: a history has hundreds of specs. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeAlias

from lockgate.yaml import YamlError
from lockgate.yaml.parse import read_text
from lockgate.yaml.values import read_values

Pins: TypeAlias = Mapping[str, Mapping[str, str]]
"""The pinned version by environment and model."""

_BLOCK = re.compile(r"""(?m)^["']?deployments["']?[ \t]*:.*(?:\n(?:[ \t#}\]\r].*)?)*""")


def pins_in(data: bytes) -> Pins | None:
    """What the spec pins; None where that cannot be read, as in a commit whose spec was broken."""
    text = data.decode(errors="replace")
    blocks = _BLOCK.findall(text)
    if not blocks and "deployments" not in text:
        return {}
    found = _pins(blocks[0].rstrip() + "\n") if len(blocks) == 1 else None
    return found if found is not None else _pins(text)


@lru_cache(maxsize=4096)
def _pins(text: str) -> Pins | None:
    try:
        document = read_values(read_text(text.encode()))
    except YamlError:
        return None
    if not isinstance(document, Mapping):
        return None
    pinned = document.get("deployments") or {}
    if not isinstance(pinned, Mapping):
        return None
    return {
        str(environment): {str(model): str(version) for model, version in models.items()}
        for environment, models in pinned.items()
        if isinstance(models, Mapping) and models
    }
