"""ONNX Runtime's sessions, opened and called as the server needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lockgate_runtime.server.artifact import ArtifactError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lockgate_runtime.server.engine import Outputs


def open_session(data: bytes) -> Any:  # noqa: ANN401 - the library has no types
    """A session on one thread. Raises `ArtifactError` where the model is refused."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # What goes wrong is raised.
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # The library raises types of its own that share no base.
        raise ArtifactError(f"ONNX Runtime refuses the model: {error}", "export the model again") from error


def bare_run(session: Any) -> Callable[..., list[Any]]:  # noqa: ANN401 - the library has no types
    """Of the class below: the one around it looks for the inputs' names at each run."""
    run: Callable[..., list[Any]] = getattr(session, "_sess", session).run
    return run


def bound_run(session: Any, binding: Any) -> Callable[[], None]:  # noqa: ANN401 - the library has no types
    """As `bare_run`, for inputs and outputs that are bound: no annotation of graphs is looked for at each run."""
    inner, memory = getattr(session, "_sess", session), getattr(binding, "_iobinding", binding)
    return lambda: inner.run_with_iobinding(memory, None)


def output_name(session: Any) -> str:  # noqa: ANN401 - the library has no types
    """Of its only output. Raises `ArtifactError` where it has several."""
    names = [str(it.name) for it in session.get_outputs()]
    if len(names) != 1:
        raise ArtifactError(
            f"the ONNX model has {len(names)} outputs, expected one", "export the model again"
        )
    return names[0]


def checked(outputs: Outputs, rows: int, width: int) -> Outputs:
    """The outputs as `Outputs` has them; `width` is the number of classes, or 0. Raises `RuntimeError` for others."""
    if not width:
        outputs = outputs.ravel()
    expected = (rows, width) if width else (rows,)
    if outputs.shape != expected:
        raise RuntimeError(f"the model's outputs have the shape {outputs.shape}, expected {expected}")
    return outputs
