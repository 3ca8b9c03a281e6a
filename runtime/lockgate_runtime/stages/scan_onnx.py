"""Findings of an ONNX model: operators of known domains only, and all of its data inside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import onnx

if TYPE_CHECKING:
    from collections.abc import Iterator

_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
_MOST_NODES = 1_000_000


def onnx_findings(data: bytes) -> list[str]:
    """What is wrong with the model, in the order found."""
    model = onnx.load_model_from_string(data)
    findings = [*_foreign_operators(model), *_external_data(model)]
    # The checker opens external data, so it comes last, and only where there is none.
    if not findings:
        findings.extend(_checked(data))
    return findings


def _foreign_operators(model: Any) -> Iterator[str]:  # noqa: ANN401 - the library has no types
    imported = {it.domain for it in model.opset_import}
    used = {node.domain for node in _nodes(model)}
    own = {function.domain for function in model.functions}
    for domain in sorted((imported | used | own) - _DOMAINS):
        yield f"uses operators of the domain '{_clip(domain)}', expected those of ONNX itself"


def _external_data(model: Any) -> Iterator[str]:  # noqa: ANN401 - the library has no types
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            yield f"tensor '{_clip(tensor.name)}' lies in another file, expected all data inside the model"


def _checked(data: bytes) -> list[str]:
    try:
        onnx.checker.check_model(data)
    except Exception as error:  # noqa: BLE001 - the checker's error and protobuf's share no base
        return [f"is not a valid model: {_clip(str(error))}"]
    return []


def _graphs(model: Any) -> Iterator[Any]:  # noqa: ANN401 - the library has no types
    """The graph, functions, and the graphs inside their nodes, without recursion: nesting may be hostile."""
    waiting: list[Any] = [model.graph, *model.functions]
    while waiting:
        graph = waiting.pop()
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                waiting.extend(attribute.graphs)
                if attribute.HasField("g"):
                    waiting.append(attribute.g)


def _nodes(model: Any) -> Iterator[Any]:  # noqa: ANN401 - the library has no types
    for count, node in enumerate(node for graph in _graphs(model) for node in graph.node):
        if count > _MOST_NODES:
            raise ValueError(f"more than {_MOST_NODES:,} operators")
        yield node


def _tensors(model: Any) -> Iterator[Any]:  # noqa: ANN401 - the library has no types
    for graph in _graphs(model):
        if isinstance(graph, onnx.GraphProto):
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
    for node in _nodes(model):
        for attribute in node.attribute:
            yield from _attribute_tensors(attribute)


def _attribute_tensors(attribute: Any) -> Iterator[Any]:  # noqa: ANN401 - the library has no types
    yield from attribute.tensors
    if attribute.HasField("t"):
        yield attribute.t
    sparse = [*attribute.sparse_tensors]
    if attribute.HasField("sparse_tensor"):
        sparse.append(attribute.sparse_tensor)
    for tensor in sparse:
        yield from (tensor.values, tensor.indices)


def _clip(text: str) -> str:
    return " ".join(text.split())[:200]
