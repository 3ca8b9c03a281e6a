"""From a fitted scikit-learn estimator to ONNX bytes: one input a column, one output, equal bytes for equal models."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType

from lockgate_runtime.stages.onnx_trees import sum_binary_trees
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockgate.contract import Feature, Kind

_LONGEST_REASON = 300


def to_onnx(estimator: Any, inputs: Sequence[Feature], kind: Kind) -> bytes:  # noqa: ANN401 - any estimator
    """The model's bytes; numbers come in as float32 (n, 1), categories as text (n, 1), probabilities go out (n, k).

    Raises `StageError` with the converter's reason where ONNX cannot express the estimator.
    """
    types = [(it["name"], _tensor_type(it)) for it in inputs]
    options = None if kind == "regression" else {id(estimator): {"zipmap": False}}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = convert_sklearn(estimator, name="model", initial_types=types, options=options)
    except Exception as error:  # Converters, some of them third parties', raise anything.
        reason = " ".join(str(error).split())[:_LONGEST_REASON]
        raise StageError(
            f"the estimator cannot be converted to ONNX: {type(error).__name__}: {reason}",
            "use 'export.format: skops', or parts that ONNX knows",
        ) from error
    _keep_last_output(model)
    sum_binary_trees(model)
    _sort_domains(model)
    model.doc_string = model.graph.doc_string = ""
    return bytes(model.SerializeToString(deterministic=True))


def _tensor_type(feature: Feature) -> Any:  # noqa: ANN401 - the library has no types
    return StringTensorType([None, 1]) if feature["type"] == "category" else FloatTensorType([None, 1])


def _keep_last_output(model: Any) -> None:  # noqa: ANN401 - the library has no types
    """A classifier's outputs are label and probabilities. Labels are left out: they know nothing of the threshold."""
    del model.graph.output[:-1]


def _sort_domains(model: Any) -> None:  # noqa: ANN401 - the library has no types
    """The converter lists them in the order of a set of text, which differs from one process to the next."""
    domains = sorted(model.opset_import, key=lambda it: str(it.domain))
    del model.opset_import[:]
    model.opset_import.extend(domains)
