"""The estimator, unfitted. Lockgate fits it, judges it and exports it."""

from __future__ import annotations

from sklearn.compose import make_column_transformer
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def build(alpha: float) -> Pipeline:
    """Linear regression on standardised columns; a greater `alpha` pulls the coefficients more towards zero."""
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["sex"]),
        remainder=StandardScaler(),
    )
    return make_pipeline(columns, Ridge(alpha=alpha))
