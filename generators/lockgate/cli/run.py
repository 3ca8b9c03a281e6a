"""`lockgate run`: runs the pipelines, judges the models, writes the reports, and says what to do next."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from lockgate import report as reports
from lockgate.cli.check import exit_code, file_diagnostics
from lockgate.cli.dvc import events, reproducing, require_dvc
from lockgate.cli.failure import Exit, Failure
from lockgate.cli.findings import show_diagnostics
from lockgate.cli.models import chosen_models
from lockgate.cli.progress import Follower, Forecast, PassThrough, Progress
from lockgate.cli.project import compile_project, find_root, require_plan
from lockgate.cli.terminal import Terminal
from lockgate.cli.verdicts import show_next_steps, show_verdict
from lockgate.plan.model import Plan
from lockgate.report import Report, verdict

REPORTS = "reports"


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 1 where a stage fails or, unless told otherwise, where a gate blocks."""
    root = find_root(arguments.root)
    plan = _require_current_plan(root, terminal)
    models = chosen_models(plan.spec, arguments.models)
    require_dvc(root)
    if arguments.dry_run:
        broken = [_reproduce(terminal, root, plan, model, Forecast(terminal), ("--dry",)) for model in models]
        return _end(broken, Exit.OK)
    stages: dict[str, Mapping[str, str]] = {}
    broken = []
    for model in models:
        follower = PassThrough(terminal) if arguments.verbose else Progress(terminal)
        broken.append(_reproduce(terminal, root, plan, model, follower))
        if broken[-1] is None:
            stages[model] = follower.stages
    return _end(broken, _judge(terminal, root, plan, stages, may_fail=not arguments.no_gate_exit))


def _require_current_plan(root: Path, terminal: Terminal) -> Plan:
    compiled = compile_project(root)
    plan = require_plan(compiled, terminal)
    found = (*compiled.diagnostics, *file_diagnostics(compiled))
    show_diagnostics(terminal, found, compiled.sources)
    code = exit_code(found)
    if code != Exit.OK:
        raise Failure(
            "the generated files are not what the spec makes", help="run `lockgate render`", exit_code=code
        )
    return plan


def _reproduce(
    terminal: Terminal, root: Path, plan: Plan, model: str, follower: Follower, options: tuple[str, ...] = ()
) -> str | None:
    """What kept the pipeline from its end; the other models run all the same."""
    pipeline = next(it for it in plan.pipelines if it.name == model)
    started = time.monotonic()
    terminal.say(model)
    with reproducing(root, f"{pipeline.directory}/dvc.yaml", *options) as process:
        assert process.stdout is not None, "the output is read"
        follower.follow(events(process.stdout))
    if process.returncode != 0:
        return _failure(model, follower.stages)
    terminal.say(terminal.dim(f"  {time.monotonic() - started:.1f} s in all"))
    return None


def _failure(model: str, stages: Mapping[str, str]) -> str:
    failed = next((stage for stage, became in stages.items() if became == "failed"), None)
    return (
        f"stage '{failed}' of '{model}' failed" if failed else f"DVC could not run the pipeline of '{model}'"
    )


def _end(broken: Sequence[str | None], verdict_code: Exit) -> Exit:
    """What kept pipelines from their end is said once every model has had its turn."""
    failures = [failure for failure in broken if failure is not None]
    if failures:
        help_text = "correct what is said above, then run this again: finished stages are kept"
        raise Failure("; ".join(failures), help=help_text)
    return verdict_code


def _judge(
    terminal: Terminal, root: Path, plan: Plan, stages: Mapping[str, Mapping[str, str]], *, may_fail: bool
) -> Exit:
    if not stages:
        return Exit.OK
    report = reports.load(root, plan.spec, tuple(stages), stages)
    for model in report.models:
        _write_report(root, Report(models=(model,), patches=report.patches), model.name)
        show_verdict(terminal, model)
    show_next_steps(terminal, root, plan, report)
    return Exit.REFUSED if may_fail and verdict(report) == "fail" else Exit.OK


def _write_report(root: Path, report: Report, model: str) -> None:
    directory = root / REPORTS / model
    try:
        reports.write(report, directory)
    except OSError as error:
        raise Failure(
            f"cannot write the report to '{directory}': {(error.strerror or '').lower()}",
            help="check its permissions and the free space of the disk",
        ) from error
