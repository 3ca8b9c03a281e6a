"""A generated file before it is bytes: data that patches may change, or text that is finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class File(NamedTuple):
    """`path` is relative to the repository's root, with forward slashes.

    `content` is one YAML document, or the text of a file of another format, whose comments start with `#`.
    """

    path: str
    content: Mapping[str, Any] | str
