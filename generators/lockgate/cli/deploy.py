"""`lockgate deploy`: an environment's manifests → its cluster; waits until each service runs as it is asked to."""

from __future__ import annotations

import re
import time
from argparse import Namespace
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from lockgate.cli.check import file_diagnostics
from lockgate.cli.cluster.applying import Done, apply_all, preview_all, prune_all, to_prune
from lockgate.cli.cluster.deployment import Job, say_count, say_json, shown
from lockgate.cli.cluster.looking import cluster_failures
from lockgate.cli.cluster.newest import newer_commit, newer_commit_if_known, require_committed
from lockgate.cli.cluster.waiting import Clock, Waited, say_seen, wait
from lockgate.cli.failure import Exit, Failure
from lockgate.cli.findings import show_diagnostics
from lockgate.cli.names import require_environment
from lockgate.cli.project import Compiled, compile_project, find_root, require_plan
from lockgate.cli.terminal import Terminal, plural, printable
from lockgate.cluster.client import Cluster, connect
from lockgate.cluster.delivery import in_order, of_model
from lockgate.cluster.manifests import read_objects
from lockgate.cluster.rollouts import Seen, look
from lockgate.output.findings import STALE_RULES
from lockgate.plan.delivery import live_fields, manifests_path
from lockgate.plan.model import Plan, Service
from lockgate.plan.patience import patience_seconds
from lockgate.registry.git import GitError
from lockgate.spec import units

_DEFAULT_TIMEOUT_SECONDS = 1800
_DURATION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?[smh]")
_CLOCK = Clock(now=time.monotonic, sleep=time.sleep)


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 1 where a rollout fails or takes too long, 3 where the manifests are not what the spec makes."""
    compiled = compile_project(find_root(arguments.root))
    plan = require_plan(compiled, terminal)
    require_environment(plan.spec, arguments.environment)
    _require_current(terminal, compiled, arguments.environment)
    with cluster_failures():
        job = _job(arguments, compiled.root, plan)
        newer = _newer(job)
        if newer is not None:
            return _leave(terminal, job, newer)
        cluster = connect(arguments.context)
        if arguments.dry_run:
            return _preview(terminal, job, cluster)
        applied = list(shown(terminal, job, apply_all(cluster, job.documents, plan, job.environment)))
        say_count(terminal, job, applied)
        if arguments.no_wait:
            return _without_waiting(terminal, job, cluster, applied)
        waited = _wait(terminal, job, cluster)
        pruned = list(_prune(terminal, job, cluster)) if waited.end == "deployed" else []
    return _tell(terminal, job, [*applied, *pruned], waited)


def _job(arguments: Namespace, root: Path, plan: Plan) -> Job:
    environment = arguments.environment
    return Job(
        root=root,
        plan=plan,
        environment=environment,
        documents=in_order(read_objects(root, environment)),
        newest=arguments.newest,
        seconds=_seconds(arguments.timeout, plan, environment),
        quiet=arguments.format == "json",
    )


def _seconds(timeout: str | None, plan: Plan, environment: str) -> float:
    if timeout is not None:
        if not _DURATION.fullmatch(timeout):
            raise Failure(
                f"found '{printable(timeout)}' for --timeout",
                help="expected a time such as 90s, 30m or 1h",
                exit_code=Exit.USAGE,
            )
        return units.seconds(timeout)
    delivery = plan.spec.delivery
    beyond = delivery.timeout_seconds if delivery is not None else _DEFAULT_TIMEOUT_SECONDS
    return patience_seconds(plan, environment, beyond)


def _require_current(terminal: Terminal, compiled: Compiled, environment: str) -> None:
    folder = f"{manifests_path(environment)}/"
    found = tuple(
        it
        for it in file_diagnostics(compiled)
        if it.rule in STALE_RULES and (it.file or "").startswith(folder)
    )
    if found:
        show_diagnostics(terminal, found, compiled.sources)
        raise Failure(
            f"{folder} is not what the spec makes", help="nothing was applied", exit_code=Exit.STALE
        )


def _newer(job: Job) -> str | None:
    """The commit that deploys the environment in place of this one; None where this one does."""
    if job.newest is None:
        return None
    path = manifests_path(job.environment)
    try:
        require_committed(job.root, path)
        return newer_commit(job.root, job.newest, job.plan.spec.project.branch, path)
    except GitError as error:
        raise Failure(
            f"cannot tell whether this is the newest commit: {error}", help="run it again"
        ) from error


def _leave(terminal: Terminal, job: Job, newer: str) -> Exit:
    if job.quiet:
        say_json(terminal, job, "superseded", [], {})
    else:
        terminal.say(
            f"commit {newer[:12]} is newer and deploys {job.environment}: nothing is left to do here"
        )
    return Exit.OK


def _preview(terminal: Terminal, job: Job, cluster: Cluster) -> Exit:
    keys = to_prune(cluster, job.documents, job.plan, job.environment)
    every = [
        *shown(terminal, job, preview_all(cluster, job.documents, job.plan, job.environment)),
        *shown(terminal, job, (Done(key, "to prune") for key in keys)),
    ]
    if job.quiet:
        say_json(terminal, job, "dry run", every, {})
    else:
        same = sum(it.what == "as it is" for it in every)
        terminal.say(f"{plural(same, 'object')} as asked; nothing was applied")
    return Exit.OK


def _without_waiting(terminal: Terminal, job: Job, cluster: Cluster, applied: Sequence[Done]) -> Exit:
    """What runs pods is not pruned while nobody knows whether others answer in their place."""
    keys = to_prune(cluster, job.documents, job.plan, job.environment)
    gone = [
        *shown(terminal, job, prune_all(cluster, [it for it in keys if not it.runs_pods])),
        *shown(terminal, job, (Done(it, "kept") for it in keys if it.runs_pods)),
    ]
    if job.quiet:
        say_json(terminal, job, "applied", [*applied, *gone], {})
    else:
        terminal.say("applied; nobody waits for what comes of it")
    return Exit.OK


def _wait(terminal: Terminal, job: Job, cluster: Cluster) -> Waited:
    if job.services and not job.quiet:
        terminal.say(f"waiting for {plural(len(job.services), 'service')}")
    return wait(
        job.services,
        partial(_look, cluster, job),
        clock=_CLOCK,
        seconds=job.seconds,
        is_superseded=partial(_is_superseded, job),
        say=partial(say_seen, terminal) if not job.quiet else lambda *_: None,
    )


def _look(cluster: Cluster, job: Job, service: Service) -> Seen:
    desired = of_model(job.documents, service.name)
    return look(cluster, service, desired, live_fields(job.plan, job.environment))


def _is_superseded(job: Job) -> bool:
    """Asked while a rollout goes on: a rollback that is merged then must not wait for its end."""
    if job.newest is None:
        return False
    branch, path = job.plan.spec.project.branch, manifests_path(job.environment)
    return newer_commit_if_known(job.root, job.newest, branch, path) is not None


def _prune(terminal: Terminal, job: Job, cluster: Cluster) -> Iterable[Done]:
    """Last, when what comes in its place answers."""
    keys = to_prune(cluster, job.documents, job.plan, job.environment)
    return shown(terminal, job, prune_all(cluster, keys))


_ENDS = {
    "deployed": "{environment} is deployed",
    "superseded": "a newer commit deploys {environment}: its run goes on from here",
    "failed": "a rollout in {environment} failed: Git still says otherwise until that is rolled back",
    "late": "the time is over, and {environment} is not there yet: the rollout goes on without being watched",
}


def _tell(terminal: Terminal, job: Job, done: Sequence[Done], waited: Waited) -> Exit:
    if job.quiet:
        say_json(terminal, job, waited.end, done, waited.seen)
    else:
        terminal.say(_ENDS[waited.end].format(environment=job.environment))
    return Exit.OK if waited.end in ("deployed", "superseded") else Exit.REFUSED
