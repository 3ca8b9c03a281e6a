"""After a run: the gates of a model in short, and what to do with the result."""

from __future__ import annotations

from pathlib import Path

from lockgate.cli.terminal import Terminal, printable
from lockgate.contract import MODEL_DIRECTORY, GateResult, Outcome, artifact_path
from lockgate.plan.model import Plan
from lockgate.report import ModelReport, Report
from lockgate.report.numbers import show_metric, show_quantity

_MARKS: dict[Outcome, str] = {"pass": "✓", "fail": "✗", "warn": "!", "observed": "·", "skipped": "·"}


def show_verdict(terminal: Terminal, model: ModelReport) -> None:
    """A line a gate, then the verdict, then what the report could not read."""
    terminal.say()
    rows = [_gate_row(gate) for gate in model.gates]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for gate, row in zip(model.gates, rows, strict=True):
        text = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        terminal.say(f"  {_mark(terminal, gate['outcome'])} {text}")
        if gate["outcome"] in {"fail", "warn"}:
            terminal.say(f"      {printable(gate['reason'])}")
    for problem in model.problems:
        terminal.say(f"  {terminal.red('✗')} {printable(f'{problem.file} {problem.message}')}")
    paint = {"pass": terminal.green, "warn": terminal.yellow, "fail": terminal.red}[model.verdict]
    terminal.say(f"{model.name}: {paint(_WORDS[model.verdict])}")


_WORDS = {"pass": "every gate holds", "warn": "passes, with warnings", "fail": "blocked"}


def show_next_steps(terminal: Terminal, root: Path, plan: Plan, report: Report) -> None:
    """Where things are, and what a person would do now."""
    terminal.say()
    for model in report.models:
        terminal.say(f"report     reports/{model.name}/report.html")
        terminal.say(f"model      {artifact_path(model.name, MODEL_DIRECTORY)}/")
    for directory in sorted({service.directory.rpartition("/")[0] for service in plan.services}):
        terminal.say(f"manifests  {directory}/")
    terminal.say(f"next       {_next(root, report)}")
    model = report.models[0]
    terminal.say(
        f"try        change models.{model.name}.train.params in mlops.yaml and run `lockgate run` again"
    )


def _next(root: Path, report: Report) -> str:
    blocked = [model.name for model in report.models if model.verdict == "fail"]
    if blocked:
        return f"improve {', '.join(blocked)} until nothing blocks: a pull request would stay red"
    locks = [f"pipelines/{model.name}/dvc.lock" for model in report.models]
    existing = [lock for lock in locks if (root / lock).is_file()]
    return f"git add {' '.join(existing)} && git commit, then open a pull request"


def _gate_row(gate: GateResult) -> tuple[str, str, str]:
    if gate["rule"] == "scan":
        return "scan", "clean" if gate["outcome"] == "pass" else "not clean", ""
    value = show_metric(gate["value"], gate["low"], gate["high"], gate["unit"])
    return printable(gate["metric"]), value, f"{gate['rule']} {show_quantity(gate['limit'], gate['unit'])}"


def _mark(terminal: Terminal, outcome: Outcome) -> str:
    paint = {"pass": terminal.green, "fail": terminal.red, "warn": terminal.yellow}.get(outcome, terminal.dim)
    return paint(_MARKS[outcome])
