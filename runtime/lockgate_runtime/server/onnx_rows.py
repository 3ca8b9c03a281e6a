"""An ONNX model of one input a column → the same model with one input, rows of numbers, where each text has its number.

ONNX Runtime takes longer over fifteen inputs of one value each, and over text, than over hundreds of trees. What a
model makes of a text before it looks at anything else is asked of it once, for every text that it tells from others.
Operators: https://onnx.ai/onnx/operators/
"""

from __future__ import annotations

from itertools import chain, count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from google.protobuf.message import DecodeError

from lockgate_runtime.server.onnx_messages import (
    FLOAT,
    INT64,
    STRING,
    Message,
    attribute,
    new_constant,
    new_graph,
    new_model,
    new_node,
    new_rows,
    read_model,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

Evaluate: TypeAlias = "Callable[[bytes, Mapping[str, NDArray[Any]]], list[NDArray[Any]]]"
"""A model's outputs for its inputs; raises any `Exception` where it has none for them."""

_LARGEST_BYTES = 64 * 2**20
"""To take a model apart needs several times its size."""
_ROW_BY_ROW = {
    "Cast", "Flatten", "Gather", "Identity", "LabelEncoder", "OneHotEncoder", "Reshape", "Squeeze", "Unsqueeze",
}  # fmt: skip
"""Operators that, as converters use them on one column, make each row of the result from the same row of it."""
_KEYS = {"keys_strings", "cats_strings"}
_UNHEARD = "\0 unheard of"
_KINDS = {"float32": FLOAT, "int64": INT64}


class Codes(dict["str | None", float]):
    """The number of each text that the model tells from others, and that of all it does not, if it takes those."""

    def __init__(self, numbers: Mapping[str, float], unknown: float | None) -> None:
        super().__init__()
        self.update(numbers)
        self._unknown = unknown
        if unknown is not None or "" in numbers:
            self[None] = self[""]

    def __missing__(self, text: str | None) -> float:
        if self._unknown is None:
            raise ValueError("the model takes no category that it has not seen")
        return self._unknown


class RowModel(NamedTuple):
    """`data` is a model whose only input is float32 (n, m), for the m inputs it had.

    `order` has the place, among those, of what is in each column, and `codes` what stands there for a text.
    """

    data: bytes
    input: str
    order: tuple[int, ...]
    codes: tuple[Codes | None, ...]


def to_rows(data: bytes, evaluate: Evaluate) -> RowModel | None:
    """None where the model's inputs cannot be brought together."""
    if len(data) > _LARGEST_BYTES:
        return None
    try:
        return _Rewriting(read_model(data), evaluate).result()
    except (_Unfit, DecodeError, UnicodeDecodeError):
        return None


class _Unfit(Exception):  # noqa: N818 - there is nothing wrong, only nothing to gain
    pass


class _Part(NamedTuple):
    """A tensor (n, k) that holds the columns of these inputs and nothing else, as numbers of `kind`."""

    kind: int
    places: tuple[int, ...]


class _Lookup(NamedTuple):
    """A tensor (n, …) whose rows are rows of `table`, by the number that stands for the text at `place`."""

    name: str
    place: int
    table: NDArray[Any]


class _Rewriting:
    """Of one model, in place."""

    def __init__(self, model: Message, evaluate: Evaluate) -> None:
        self._model, self._graph, self._evaluate = model, model.graph, evaluate
        self._constants = {it.name for it in self._graph.initializer}
        self._inputs = [it for it in self._graph.input if it.name not in self._constants]
        self._nodes = list(self._graph.node)
        self._codes: list[Codes | None] = [None] * len(self._inputs)
        self._parts: dict[str, _Part] = {}
        self._lookups: list[_Lookup] = []

    def result(self) -> RowModel:
        _demand(bool(self._inputs))
        _demand(not any(it.HasField("g") or it.graphs for node in self._nodes for it in node.attribute))
        for place, it in enumerate(self._inputs):
            self._take(place, it)
        self._nodes = [node for node in self._nodes if not self._is_part(node)]
        name, order = next(self._unused_names()), self._order()
        nodes, graph = [*self._taken_out(name, order), *self._nodes], self._graph
        rows = [new_rows(name, len(order))]
        for field, values in ((graph.node, nodes), (graph.input, rows), (graph.value_info, [])):
            del field[:]
            field.extend(values)
        codes = tuple(self._codes[place] for place in order)
        return RowModel(self._model.SerializeToString(), name, order, codes)

    def _take(self, place: int, given: Message) -> None:
        """Make a column of an input, and of a text all that is made of it alone."""
        kind = given.type.tensor_type.elem_type
        if kind == FLOAT:
            self._parts[given.name] = _Part(kind, (place,))
            return
        _demand(kind == STRING)
        own, self._nodes = self._split(given.name)
        read = self._read()
        _demand(given.name not in read)
        results = [name for node in own for name in node.output if name in read]
        if results:
            self._look_up(place, given, own, results)
        else:
            self._codes[place] = Codes({}, 0.0)  # The model does not look at it.

    def _split(self, name: str) -> tuple[list[Message], list[Message]]:
        """The nodes that read nothing but this input, and the others."""
        reached, own, others = {name}, [], []
        for node in self._nodes:
            needed = set(node.input) - self._constants - {""}
            if needed and needed <= reached and node.op_type in _ROW_BY_ROW:
                own.append(node)
                reached.update(node.output)
            else:
                others.append(node)
        return own, others

    def _read(self) -> set[str]:
        """What the nodes that are left read, and what the model gives."""
        return {name for node in self._nodes for name in node.input} | {it.name for it in self._graph.output}

    def _look_up(self, place: int, given: Message, nodes: Sequence[Message], results: Sequence[str]) -> None:
        """Ask the nodes what they make of each text that they know, and of one that nobody does."""
        texts, tables = self._tables(self._model_of(given, nodes, results), given.name, _known(nodes))
        _demand(bool(texts))
        for table in tables:
            _demand(table.ndim >= 2 and len(table) == len(texts) and table.dtype.name in _KINDS)
        numbers = np.arange(len(texts), dtype=np.float32)
        if len(tables) == 1 and _is_exact(tables[0]):
            numbers = tables[0][:, 0].astype(np.float32)
            self._parts[results[0]] = _Part(_KINDS[tables[0].dtype.name], (place,))
        else:
            self._lookups.extend(map(_Lookup, results, [place] * len(results), tables))
        by_text = dict(zip(texts, numbers.tolist(), strict=True))
        self._codes[place] = Codes(by_text, by_text.pop(_UNHEARD, None))

    def _model_of(self, given: Message, nodes: Sequence[Message], results: Sequence[str]) -> bytes:
        """The nodes alone, from the input to their results."""
        read = {name for node in nodes for name in node.input}
        constants = [it for it in self._graph.initializer if it.name in read]
        graph = new_graph(nodes, [given], results, constants)
        return bytes(new_model(self._model, graph).SerializeToString())

    def _tables(self, part: bytes, name: str, known: Sequence[str]) -> tuple[list[str], list[NDArray[Any]]]:
        """Texts, and for each result a row for each of them; without an unknown one where the part refuses it."""
        for texts in ([*known, *({""} - {*known}), _UNHEARD], [*known]):
            try:
                return texts, self._evaluate(part, {name: np.array(texts, object)[:, None]})
            except Exception:  # noqa: BLE001, S112 - the types that the library raises share no base
                continue
        raise _Unfit

    def _is_part(self, node: Message) -> bool:
        """Whether a node only puts columns side by side, in which case it is no longer needed."""
        parts = [self._parts[name] for name in node.input if name in self._parts]
        kinds = {part.kind for part in parts}
        joins = node.op_type == "Concat" and attribute(node, "axis") in {1, -1}
        casts = node.op_type == "Cast" and attribute(node, "to") == FLOAT
        if len(kinds) != 1 or len(parts) < len(node.input):
            return False
        if not (joins or casts or node.op_type == "Identity"):
            return False
        kind = FLOAT if casts else kinds.pop()
        self._parts[node.output[0]] = _Part(kind, tuple(chain.from_iterable(it.places for it in parts)))
        return True

    def _order(self) -> tuple[int, ...]:
        """As the widest tensor that is read has its columns, so that mostly this is the rows as they are."""
        read = self._read()
        parts = [it.places for name, it in self._parts.items() if name in read]
        widest = max((it for it in parts if len(set(it)) == len(it)), key=len, default=())
        return tuple(dict.fromkeys((*widest, *range(len(self._inputs)))))

    def _taken_out(self, rows: str, order: Sequence[int]) -> Iterator[Message]:
        """The nodes that take what the others read out of the rows."""
        read = self._read()
        for name, part in self._parts.items():
            if name in read:
                floats = name if part.kind == FLOAT else f"{rows}_{name}"
                yield self._columns(rows, [order.index(place) for place in part.places], len(order), floats)
                if floats != name:
                    yield new_node("Cast", [floats], name, to=part.kind)
        for it in self._lookups:
            number, index, table = (f"{rows}_{it.name}_{role}" for role in ("number", "index", "table"))
            yield self._columns(rows, order.index(it.place), len(order), number)
            yield new_node("Cast", [number], index, to=INT64)
            self._graph.initializer.append(new_constant(table, it.table))
            yield new_node("Gather", [table, index], it.name, axis=0)

    def _columns(self, rows: str, places: int | list[int], width: int, result: str) -> Message:
        """Takes columns (n, k) of the rows, or a single place of them (n)."""
        if places == list(range(width)):
            return new_node("Identity", [rows], result)
        indices = f"{rows}_{result}_places"
        self._graph.initializer.append(new_constant(indices, np.array(places, np.int64)))
        return new_node("Gather", [rows, indices], result, axis=1)

    def _unused_names(self) -> Iterator[str]:
        """For the rows; other new names begin with it."""
        nodes = self._graph.node
        names = {*self._constants, *chain.from_iterable((*node.input, *node.output) for node in nodes)}
        tried = ("rows" + "_" * length for length in count())
        return (it for it in tried if not any(name.startswith(it) for name in names))


def _known(nodes: Sequence[Message]) -> list[str]:
    """The texts that they tell from others."""
    found = {key for node in nodes for it in node.attribute if it.name in _KEYS for key in it.strings}
    return sorted(key.decode() for key in found)


def _is_exact(table: NDArray[Any]) -> bool:
    """Whether it is one column of numbers that 32 bits can hold."""
    floats = table.astype(np.float32)
    return table.shape[1:] == (1,) and np.array_equal(floats.astype(table.dtype), table, equal_nan=True)


def _demand(fits: bool) -> None:  # noqa: FBT001 - what it is about
    if not fits:
        raise _Unfit
