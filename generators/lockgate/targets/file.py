"""A generated file before it is bytes: data that patches may change, or text that is finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lockgate.tuples import NamedTuple

BLOCK_BEGIN = "# >>> lockgate: made from mlops.yaml by `lockgate render`; edit that file, not these lines"
BLOCK_END = "# <<< lockgate"
BLOCK_PATHS = frozenset({".github/CODEOWNERS"})
"""Files of the team's in which only a block is generated, between those two lines."""


class File(NamedTuple):
    """`path` is relative to the repository's root, with forward slashes.

    `content` is one YAML document, or the text of a file of another format, whose comments start with `#`.
    Of a path in `BLOCK_PATHS` it is what stands between the block's first and last line.
    """

    path: str
    content: Mapping[str, Any] | str
