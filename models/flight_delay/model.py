"""Boosted trees over numbered categories: nothing in it that ONNX cannot express."""

from __future__ import annotations

from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

CATEGORIES = ["carrier", "origin", "dest"]


def build(
    learning_rate: float = 0.05,
    max_iter: int = 300,
    max_leaf_nodes: int = 15,
    min_samples_leaf: int = 200,
    l2_regularization: float = 1.0,
) -> Pipeline:
    """The unfitted estimator; the defaults did best on May and June, learned from the months before each."""
    # The trees' own treatment of categories has no counterpart in ONNX. Numbers in the order of the alphabet cost
    # little, as a tree splits them as often as it must; an airport that training never saw becomes -1.
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = ColumnTransformer([("categories", encoder, CATEGORIES)], remainder="passthrough")
    trees = HistGradientBoostingClassifier(
        learning_rate=learning_rate,
        max_iter=max_iter,
        max_leaf_nodes=max_leaf_nodes,
        min_samples_leaf=min_samples_leaf,
        l2_regularization=l2_regularization,
        # A random tenth of a moving window would judge by days that training has seen.
        early_stopping=False,
    )
    return Pipeline([("columns", columns), ("trees", trees)])
