"""`lockgate run`: runs the pipelines, judges the models, writes the reports, and says what to do next."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lockgate import report as reports
from lockgate.cli.check import exit_code, file_diagnostics
from lockgate.cli.dvc.process import require_dvc
from lockgate.cli.dvc.progress import Follower, Forecast, PassThrough, Progress
from lockgate.cli.dvc.repro import events, reproducing
from lockgate.cli.failure import Exit, Failure
from lockgate.cli.findings import show_diagnostics
from lockgate.cli.git import base_commit
from lockgate.cli.merging.proposal import proposal_since
from lockgate.cli.names import chosen_models
from lockgate.cli.project import Compiled, compile_project, find_root, require_plan
from lockgate.cli.proving.champion import Pins, pins_at
from lockgate.cli.proving.comparing import compare, forget_earlier, show_provenance
from lockgate.cli.proving.provenance import claimed, fetch_inputs, fetch_training, settle
from lockgate.cli.proving.verdicts import show_next_steps, show_verdict
from lockgate.cli.terminal import Terminal, printable
from lockgate.plan.model import Pipeline, Plan
from lockgate.report import Report, verdict

REPORTS = "reports"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Base:
    """What the candidates are held against: the commit that the change starts from, and what is live there."""

    commit: str
    pins: Pins


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 1 where a stage fails or, unless told otherwise, where a gate blocks; 2 for an unknown base."""
    root = find_root(arguments.root)
    compiled = compile_project(root)
    plan = _require_current_plan(compiled, terminal)
    chosen = chosen_models(plan.spec, arguments.models)
    pipelines = [pipeline for name in chosen for pipeline in plan.pipelines if pipeline.name == name]
    require_dvc(root)
    base = _base(root, plan, arguments.base)
    if arguments.dry_run:
        return _end(
            [_reproduce(terminal, root, it, Forecast(terminal, it), ("--dry",)) for it in pipelines], Exit.OK
        )
    stages: dict[str, Mapping[str, str]] = {}
    broken = []
    for pipeline in pipelines:
        follower = PassThrough(terminal) if arguments.verbose else Progress(terminal)
        broken.append(_prove(terminal, root, pipeline, follower, base))
        if broken[-1] is None:
            stages[pipeline.name] = follower.stages
    report = _report(root, compiled, plan, stages, base)
    return _end(broken, _judge(terminal, root, plan, report, may_fail=not arguments.no_gate_exit))


def _base(root: Path, plan: Plan, reference: str | None) -> _Base | None:
    if reference is None:
        return None
    commit = base_commit(root, reference)
    return _Base(commit=commit, pins=pins_at(root, commit, plan.spec))


def _require_current_plan(compiled: Compiled, terminal: Terminal) -> Plan:
    plan = require_plan(compiled, terminal)
    found = (*compiled.diagnostics, *file_diagnostics(compiled))
    show_diagnostics(terminal, found, compiled.sources)
    code = exit_code(found)
    if code != Exit.OK:
        raise Failure(
            "the generated files are not what the spec makes", help="run `lockgate render`", exit_code=code
        )
    return plan


def _prove(
    terminal: Terminal, root: Path, pipeline: Pipeline, follower: Follower, base: _Base | None
) -> str | None:
    """What kept the model from being judged; the other models run all the same."""
    try:
        forget_earlier(root, pipeline.name)
        fetch_inputs(root, pipeline)
        if base is None:
            return _reproduce(terminal, root, pipeline, follower)
        return _prove_against(terminal, root, pipeline, follower, base)
    except Failure as failure:
        terminal.say(f"  {terminal.red('✗')} {printable(failure.message)}: {printable(failure.help)}")
        return failure.message


def _prove_against(
    terminal: Terminal, root: Path, pipeline: Pipeline, follower: Follower, base: _Base
) -> str | None:
    """The pipeline, where its model came from, and how it compares with the champion."""
    claim = claimed(root, pipeline)
    if pipeline.model.job.prove == "reuse":
        fetch_training(root, pipeline, claim)
    broken = _reproduce(terminal, root, pipeline, follower)
    if broken is None:
        show_provenance(terminal, settle(root, pipeline, claim, follower.stages))
        compare(terminal, root, pipeline, base.commit, base.pins)
    return broken


def _reproduce(
    terminal: Terminal, root: Path, pipeline: Pipeline, follower: Follower, options: tuple[str, ...] = ()
) -> str | None:
    """What kept the pipeline from its end."""
    started = time.monotonic()
    terminal.say(pipeline.name)
    with reproducing(root, f"{pipeline.directory}/dvc.yaml", *options) as process:
        assert process.stdout is not None, "the output is read"
        follower.follow(events(process.stdout))
    if process.returncode != 0:
        return _failure(pipeline.name, follower.stages)
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


def _report(
    root: Path, compiled: Compiled, plan: Plan, stages: Mapping[str, Mapping[str, str]], base: _Base | None
) -> Report:
    """On the models whose pipelines came to their end; with a base, on what merging the change does, too."""
    for name, became in stages.items():
        reports.keep_stages(root, name, became)
    proposal = proposal_since(root, compiled, plan, base.commit) if base and stages else None
    return reports.load(root, plan.spec, tuple(stages), stages, proposal)


def _judge(terminal: Terminal, root: Path, plan: Plan, report: Report, *, may_fail: bool) -> Exit:
    if not report.models:
        return Exit.OK
    for model in report.models:
        _write_report(root, replace(report, models=(model,)), model.name)
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
