"""The model card: what the stages and the spec know of a model, as Markdown. All text in it is shown, none acts."""

from __future__ import annotations

import re
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from lockgate import contract
from lockgate.spec.markdown import escape_markdown
from lockgate.spec.metrics import METRICS
from lockgate_runtime.stages.files import read_json
from lockgate_runtime.stages.shown import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lockgate.contract import Interval, Slice
    from lockgate.spec.model import Model, Spec

_TEMPLATE = "card.md.j2"
_MOST_LISTED = 10
_PLAIN = re.compile(r"[A-Za-z0-9_.:/ -]{1,200}")
_FILES = {
    "ingest": contract.INGEST,
    "validation": contract.VALIDATION,
    "split": contract.SPLIT,
    "training": contract.TRAINING,
    "evaluation": contract.EVALUATION,
    "export": contract.EXPORT,
    "latency": contract.LATENCY,
    "scan": contract.SCAN,
}
_HEADLINE = {"binary": "roc_auc", "multiclass": "balanced_accuracy", "regression": "rmse"}


class _Markdown(str):
    """Text that is Markdown by our own hand; whatever else a template puts out is escaped."""

    __slots__ = ()


def card(spec: Spec, model: Model, root: Path, gates: contract.Gates) -> str:
    """The card, from the artifacts of the stages before."""
    artifacts = {
        key: read_json(root / contract.artifact_path(model.name, name)) for key, name in _FILES.items()
    }
    return render(spec, model, artifacts, gates)


def render(spec: Spec, model: Model, artifacts: Mapping[str, Any], gates: contract.Gates) -> str:
    """The card, from artifacts by the names of their stages."""
    evaluation: contract.Evaluation = artifacts["evaluation"]
    headline = _HEADLINE[evaluation["kind"]]
    # As in the catalogue, then the model's own.
    names = [name for name in (*METRICS, *evaluation["metrics"]) if name in evaluation["metrics"]]
    metrics = {name: evaluation["metrics"][name] for name in names}
    slices = {name: _worst_first(items, headline) for name, items in evaluation["slices"].items()}
    text = (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            spec=spec,
            model=model,
            gates=gates,
            headline=headline,
            metrics=metrics,
            slices=slices,
            **artifacts,
        )
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(  # noqa: S701 - Markdown: `finalize` escapes everything, for HTML too
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        finalize=_escaped,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(code=_code, shown=_shown, interval=_interval, listed=_listed, count=_count)
    return environment


def _escaped(value: object) -> str:
    if isinstance(value, jinja2.Undefined | _Markdown):
        return str(value)
    return escape_markdown(str(value))


def _code(value: object) -> _Markdown:
    """As code, where nothing in it could end the code; GitHub links neither mentions nor addresses there."""
    text = str(value)
    return _Markdown(f"`{text}`" if _PLAIN.fullmatch(text) else escape_markdown(text))


def _shown(value: float | None, unit: str = "") -> _Markdown:
    return _Markdown("-" if value is None else shown(value, unit))


def _interval(item: Interval, unit: str = "") -> _Markdown:
    low, high = item["low"], item["high"]
    return _Markdown("-" if low is None or high is None else f"{shown(low, unit)} to {shown(high, unit)}")


def _listed(values: Sequence[object]) -> str:
    texts = [str(value) or '""' for value in values[:_MOST_LISTED]]
    more = f" and {len(values) - _MOST_LISTED:,} more" if len(values) > _MOST_LISTED else ""
    return f"{', '.join(texts)}{more}"


def _count(value: int) -> _Markdown:
    return _Markdown(f"{value:,}")


def _worst_first(slices: Sequence[Slice], metric: str) -> list[Slice]:
    """By the metric; slices where it is undefined come last."""
    sign = 1 if METRICS[metric].better == "higher" else -1

    def badness(item: Slice) -> float:
        value = item["metrics"][metric]["value"]
        return inf if value is None else sign * value

    return sorted(slices, key=badness)
