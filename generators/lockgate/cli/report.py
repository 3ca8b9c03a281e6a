"""`lockgate report`: the report on what the last run of the pipelines left."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from lockgate import report as reports
from lockgate.cli.affected import affected_since
from lockgate.cli.failure import Exit
from lockgate.cli.models import chosen_models
from lockgate.cli.project import compile_project, find_root, require_plan
from lockgate.cli.terminal import Terminal
from lockgate.cli.text_file import append_line, write_text
from lockgate.plan.model import Plan
from lockgate.report import Report, verdict

_RENDERERS: dict[str, Callable[[Report], str]] = {
    "md": reports.render_markdown,
    "html": reports.render_html,
    "json": reports.render_json,
}


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 0 whatever the verdict: the report has been written, and says it."""
    root = find_root(arguments.root)
    plan = require_plan(compile_project(root), terminal)
    report = reports.load(root, plan.spec, _reported(root, plan, arguments))
    text = _RENDERERS[arguments.format](report)
    if arguments.output is None:
        terminal.write(text)
    else:
        write_text(Path(arguments.output), text)
    if arguments.verdict_output is not None:
        append_line(Path(arguments.verdict_output), f"verdict={verdict(report)}")
    return Exit.OK


def _reported(root: Path, plan: Plan, arguments: Namespace) -> tuple[str, ...]:
    chosen = chosen_models(plan.spec, arguments.models)
    if arguments.base is None:
        return chosen
    touched = {it.pipeline.name for it in affected_since(root, plan, arguments.base)}
    return tuple(name for name in chosen if name in touched)
