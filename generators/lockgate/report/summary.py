"""The first lines of a report: the verdict in one sentence, and in a row a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lockgate.contract import Verdict
from lockgate.plan.promotion import PromotionEffect
from lockgate.report.champion import doubt, is_scored, where
from lockgate.report.document import Cell, Table, Tone, headings
from lockgate.report.model import ModelReport, Report, worst
from lockgate.report.numbers import scale_for, show_change, show_count, show_metric, show_quantity
from lockgate.report.promotions import approval, brought, promotion_title, remarks
from lockgate.report.sections.gates import ANSWERS, change_scale, count_holding
from lockgate.report.sections.metrics import primary_metric
from lockgate.report.text import clean, clip, plural

WORDS: Mapping[Verdict, str] = {"pass": "passes", "warn": "passes with warnings", "fail": "fails"}
TONES: Mapping[Verdict, Tone] = {"pass": "pass", "warn": "warn", "fail": "fail"}
_NAMED = 3
_HASH_SHOWN = 12


def headline(report: Report) -> tuple[str, str]:
    """The verdict, as `flight-delay fails`, and what it rests on."""
    moving = report.effects.promotions if report.effects else ()
    if not report.models:
        return (
            promotion_headline(moving) if moving else ("no model is affected", "There is nothing to judge.")
        )
    title, why = _on_models(report)
    return title, f"{why} It also moves {_moved(moving)}." if moving else why


def promotion_headline(moving: Sequence[PromotionEffect]) -> tuple[str, str]:
    """What pins that move do, and how the first of them compares with what is live."""
    if len(moving) > 1:
        return f"moves {plural(len(moving), 'pin')}", f"{_moved(moving)}."
    effect = moving[0]
    return promotion_title(effect), clip(" ".join(_promotion_reason(effect)), 400)


def _on_models(report: Report) -> tuple[str, str]:
    if len(report.models) == 1:
        model = report.models[0]
        return f"{model.name} {WORDS[model.verdict]}", reason(model)
    outcome = worst(*(model.verdict for model in report.models))
    failing = [model for model in report.models if model.verdict == outcome]
    if outcome == "pass":
        return f"all {len(report.models):,} models pass", "Every gate that blocks holds."
    verb = "fail" if outcome == "fail" else "have warnings"
    return (
        f"{len(failing):,} of {plural(len(report.models), 'model')} {verb}",
        f"{_some([model.name for model in failing])}.",
    )


def _moved(moving: Sequence[PromotionEffect]) -> str:
    named = [
        f"{it.model} in {it.environment} from {it.old or 'nothing'} to {it.new or 'nothing'}" for it in moving
    ]
    return clip(clean(_some(named)), 300)


def _promotion_reason(effect: PromotionEffect) -> Iterator[str]:
    told = remarks(effect)
    if told[0].weight:
        yield told[0].text
    compared = next((it for it in effect.metrics if it.answer is not None), None)
    if compared is not None:
        scale = scale_for((compared.difference,), compared.after.unit if compared.after else "")
        shown = show_change(compared.difference, scale)
        yield f"{clean(compared.name)} against what is live: {compared.answer} ({shown})."
    if brought(effect):
        yield f"It {brought(effect)}."
    yield approval(effect)


def reason(model: ModelReport) -> str:
    """Why the verdict is what it is, in a sentence or two."""
    sentences = [f"{count_holding(model)}." if model.gates else "No gate was judged."]
    for outcome, word in (("fail", "Failing"), ("warn", "Warned about")):
        metrics = tuple(dict.fromkeys(gate["metric"] for gate in model.gates if gate["outcome"] == outcome))
        if metrics:
            sentences.append(f"{word}: {_some(metrics)}.")
    sentences += _against_champion(model)
    if model.provenance is not None and model.provenance["outcome"] != "pass":
        sentences.append(f"Against the author's dvc.lock: {model.provenance['answer']}.")
    if model.problems:
        first = model.problems[0]
        more = f" ({len(model.problems) - 1:,} more)" if len(model.problems) > 1 else ""
        sentences.append(f"{first.file} {first.message}{more}.")
    return clip(" ".join(sentences), 400)


def _against_champion(model: ModelReport) -> list[str]:
    """What the metric that stands for the model says of the champion, or why nothing does."""
    comparison, name = model.comparison, primary_metric(model)
    if comparison is None:
        return []
    if not is_scored(comparison):
        why = doubt(comparison)
        return [f"Not compared: {why.rstrip('.')}."] if why else ["Nothing is live yet to compare with."]
    change = next((it for it in comparison["metrics"] if it["metric"] == name), None)
    if change is None or change["answer"] is None:
        return []
    shown = show_change(change["difference"], change_scale(change))
    return [f"{name} against {where(comparison['champion'])}: {ANSWERS[change['answer']]} ({shown})."]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"


def facts(model: ModelReport) -> tuple[tuple[str, str], ...]:
    """The few numbers that a reader looks for first, each under its name."""
    found: list[tuple[str, str]] = []
    name, evaluation = primary_metric(model), model.evaluation
    if evaluation is not None and name is not None:
        metric = evaluation["metrics"][name]
        found.append((name, show_metric(metric["value"], metric["low"], metric["high"], metric["unit"])))
        found.append(("holdout", f"{show_count(evaluation['rows'])} rows"))
    if model.comparison is not None and model.comparison["champion"]["found"]:
        found.append(("champion", where(model.comparison["champion"])))
    if model.latency is not None:
        found.append(("latency, 99th percentile", show_quantity(model.latency["p99"], "s")))
    if model.export is not None:
        kind = {"onnx": "ONNX", "skops": "skops"}[model.export["format"]]
        found.append(("exported model", f"{kind}, {show_quantity(model.export['size_bytes'], 'bytes')}"))
    judged = _judged_sha256(model)
    if judged is not None:
        found.append(("judged artifact", f"{judged[:_HASH_SHOWN]}…"))
    return tuple(found)


def _judged_sha256(model: ModelReport) -> str | None:
    """Of the artifact that was scored; without a comparison, of the one that the pipeline exported."""
    if model.comparison is not None:
        return model.comparison["candidate_sha256"]
    return model.export["artifact_sha256"] if model.export is not None else None


def overview_table(models: tuple[ModelReport, ...]) -> Table:
    """A row a model."""
    return Table(
        caption="Models",
        headings=headings(("Model", "Verdict", "Owner", "Why")),
        rows=tuple(
            (
                Cell(text=model.name, kind="code"),
                Cell(text=model.verdict, kind="badge", tone=TONES[model.verdict]),
                Cell(text=model.owner or ""),
                Cell(text=reason(model)),
            )
            for model in models
        ),
        shown=len(models),
    )
