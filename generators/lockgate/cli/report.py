"""`lockgate report`: the report on what the last run of the pipelines left."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable
from pathlib import Path

from lockgate import report as reports
from lockgate.cli.failure import Exit
from lockgate.cli.merging.proposal import proposal_since
from lockgate.cli.names import chosen_models
from lockgate.cli.project import compile_project, find_root, require_plan
from lockgate.cli.terminal import Terminal
from lockgate.cli.text_file import append_line, write_text
from lockgate.report import Proposal, Report, verdict

_RENDERERS: dict[str, Callable[[Report], str]] = {
    "md": reports.render_markdown,
    "html": reports.render_html,
    "json": reports.render_json,
}
_PROVED = frozenset({"runs", "checked"})


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 0 whatever the verdict: the report has been written, and says it."""
    root = find_root(arguments.root)
    compiled = compile_project(root)
    plan = require_plan(compiled, terminal)
    chosen = chosen_models(plan.spec, arguments.models)
    proposal = None if arguments.base is None else proposal_since(root, compiled, plan, arguments.base)
    report = reports.load(root, plan.spec, _reported(chosen, proposal), proposal=proposal)
    text = _RENDERERS[arguments.format](report)
    if arguments.output is None:
        terminal.write(text)
    else:
        write_text(Path(arguments.output), text)
    if arguments.verdict_output is not None:
        append_line(Path(arguments.verdict_output), f"verdict={verdict(report)}")
    return Exit.OK


def _reported(chosen: Iterable[str], proposal: Proposal | None) -> tuple[str, ...]:
    """Of a change, the models that had to prove themselves again."""
    if proposal is None:
        return tuple(chosen)
    proved = {it.name for it in proposal.effects.models if it.change in _PROVED}
    return tuple(name for name in chosen if name in proved)
