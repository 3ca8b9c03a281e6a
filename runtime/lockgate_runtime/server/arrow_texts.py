"""Arrow's columns of text: which types these have, and how long the texts are, many of which may share their bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

# A view begins with the text's length, and is as long as this many numbers of 32 bits.
_VIEW = 4


def is_text(kind: Any) -> bool:  # noqa: ANN401 - the library has no types
    """Whether a column of this type holds texts, be it as a dictionary."""
    from pyarrow import types

    text = kind.value_type if types.is_dictionary(kind) else kind
    return any((types.is_string(text), types.is_large_string(text), types.is_string_view(text)))


def bytes_of_views(values: Any) -> int:  # noqa: ANN401 - the library has no types
    """Of the texts that a column, or its dictionary, has as views of bytes that they may share; 0 where it has none."""
    import pyarrow as pa

    texts = values.dictionary if pa.types.is_dictionary(values.type) else values
    return int(_view_lengths(texts).sum()) if pa.types.is_string_view(texts.type) else 0


def texts_of(values: Any, most_bytes: int) -> tuple[list[str | None], int]:  # noqa: ANN401 - the library has no types
    """The texts and their bytes; none where these are more than may be: many rows may share one long text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_null(values.type):
        return [None] * len(values), 0
    if not pa.types.is_dictionary(values.type):
        size = pc.sum(_lengths(values)).as_py() or 0
        return ([] if size > most_bytes else values.to_pylist()), size
    size = pc.sum(pc.take(_lengths(values.dictionary), values.indices)).as_py() or 0
    if size > most_bytes:
        return [], size
    distinct = values.dictionary.to_pylist()
    return [None if place is None else distinct[place] for place in values.indices.to_pylist()], size


def _lengths(texts: Any) -> Any:  # noqa: ANN401 - the library has no types
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string_view(texts.type):  # The library does not count these.
        return pa.array(_view_lengths(texts))
    return pc.binary_length(texts)


def _view_lengths(texts: Any) -> Any:  # noqa: ANN401 - the library has no types
    if not len(texts):
        return np.zeros(0, np.int64)
    numbers = np.frombuffer(
        texts.buffers()[1], np.int32, count=_VIEW * len(texts), offset=4 * _VIEW * texts.offset
    )
    # Where a text is missing its view may be anything.
    return np.where(texts.is_valid().to_numpy(zero_copy_only=False), numbers[::_VIEW], 0).astype(np.int64)
