r"""Data → data of which DVC replaces nothing. Of every string in dvc.yaml it replaces `${x}`, but not `\${x}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def literal(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    r"""The value with every `${` as `\${`, which DVC turns back; nothing else is special, not even `\\`."""
    if isinstance(value, str):
        return value.replace("${", r"\${") if "$" in value else value
    if isinstance(value, (dict, Mapping)):
        return {literal(key): literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [literal(item) for item in value]
    return value
