"""`lockgate release`: records the next version of every model whose artifact is new; publishes and tags where asked."""

from __future__ import annotations

import json
import re
from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.names import chosen_models
from lockgate.cli.project import compile_project, find_root, require_plan
from lockgate.cli.releasing.candidates import candidate
from lockgate.cli.terminal import Terminal, printable
from lockgate.plan.model import Plan
from lockgate.registry import shelf
from lockgate.registry.git import Git, GitError
from lockgate.registry.past import RecordError
from lockgate.registry.publish import Published, PublishError, Remote, outcomes_for, publish
from lockgate.registry.release import Asked, Candidate, Release, Unreleased
from lockgate.registry.tags import tag_name
from lockgate.registry.versions import labelled_bump

_IMAGE = re.compile(r"[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}")
_REMOTE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_EVIDENCE = ("scan", "sbom", "provenance", "signature")


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 0 where there is nothing to release, too."""
    root = find_root(arguments.root)
    plan = require_plan(compile_project(root), terminal)
    names = chosen_models(plan.spec, arguments.models)
    git = Git(root=root)
    now = datetime.now(UTC).replace(microsecond=0)
    asked = {name: _asked(arguments, plan, name, names, now) for name in names}
    candidates = [
        (candidate(root, plan, pipeline, git), asked[pipeline.name])
        for name in names
        for pipeline in plan.pipelines
        if pipeline.name == name
    ]
    try:
        done = _release(arguments, root, git, plan, candidates)
    except PublishError as error:
        raise Failure(error.message, help=error.help) from error
    except RecordError as error:
        help_text = "records are written at release and never edited: restore the file from Git"
        raise Failure(f"{error.path}: {error.message}", help=help_text) from error
    except GitError as error:
        raise Failure(str(error), help="correct it, then run this again") from error
    _show(terminal, arguments, done)
    return Exit.OK


def _asked(arguments: Namespace, plan: Plan, model: str, names: Sequence[str], now: datetime) -> Asked:
    labelled, said = labelled_bump(arguments.label), plan.spec.models[model].release.bump
    bump, origin = (
        (arguments.bump, "--bump")
        if arguments.bump
        else (labelled, "a label")
        if labelled
        else (None, "")
        if said == "auto"
        else (said, "the spec")
    )
    return Asked(
        released=now.isoformat().replace("+00:00", "Z"),
        bump=bump,
        bump_origin=origin,
        image=_image(arguments.image, model, names),
        report=arguments.report,
        evidence=_evidence(arguments.evidence),
        approvers=tuple(arguments.approver),
    )


def _image(images: Sequence[str], model: str, names: Sequence[str]) -> str | None:
    for given in images:
        name, equals, reference = given.rpartition("=")
        if not equals and len(names) > 1:
            raise _usage(f"--image '{given}' does not say of which model it is", f"--image {model}=REFERENCE")
        if equals and name not in names:
            raise _usage(
                f"--image names '{name}', which is not to be released", f"name one of: {', '.join(names)}"
            )
        if not _IMAGE.fullmatch(reference):
            raise _usage(
                f"--image '{reference}' is no reference by digest", "such as ghcr.io/acme/m@sha256:…"
            )
        if name in ("", model):
            return reference
    return None


def _evidence(given: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for it in given:
        kind, _, reference = it.partition("=")
        if kind not in _EVIDENCE or not reference:
            raise _usage(
                f"--evidence '{it}' is not understood", f"KIND=REFERENCE; kinds: {', '.join(_EVIDENCE)}"
            )
        found[kind] = reference
    return found


def _usage(message: str, help_text: str) -> Failure:
    return Failure(printable(message), help=printable(help_text), exit_code=Exit.USAGE)


def _release(
    arguments: Namespace, root: Path, git: Git, plan: Plan, candidates: Sequence[tuple[Candidate, Asked]]
) -> Published:
    if arguments.publish and not arguments.dry_run:
        if not _REMOTE.fullmatch(arguments.publish) or not git.succeeds(
            "remote", "get-url", arguments.publish
        ):
            raise _usage(f"Git knows no remote '{arguments.publish}'", "name one that `git remote` shows")
        remote = Remote(name=arguments.publish, branch=plan.spec.project.branch)
        return publish(git, remote, candidates)
    outcomes = outcomes_for(git, candidates, shelf.on_disk(root, [it.model for it, _ in candidates]))
    if not arguments.dry_run:
        for outcome in outcomes:
            if isinstance(outcome, Release):
                _write(root, outcome)
    return Published(outcomes=outcomes, commit=None, tags=())


def _write(root: Path, release: Release) -> None:
    """Never over a file that is there: a record is written once."""
    for path, data in sorted(release.files.items()):
        try:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            with (root / path).open("xb") as stream:
                stream.write(data)
        except OSError as error:
            raise Failure(
                f"cannot write '{path}': {(error.strerror or '').lower()}", help="move what is in the way"
            ) from error


def _show(terminal: Terminal, arguments: Namespace, done: Published) -> None:
    if arguments.format == "json":
        document = {
            "releases": [_as_json(it) for it in done.outcomes if isinstance(it, Release)],
            "unreleased": [it._asdict() for it in done.outcomes if isinstance(it, Unreleased)],
            "commit": done.commit,
            "tags": list(done.tags),
        }
        terminal.say(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for outcome in done.outcomes:
        if isinstance(outcome, Unreleased):
            terminal.say(terminal.dim(printable(f"{outcome.model}: nothing to release, {outcome.reason}")))
        else:
            verb = "would be released as" if arguments.dry_run else "released as"
            terminal.say(
                printable(f"{outcome.model}: {verb} {outcome.version} ({outcome.bump}: {outcome.reason})")
            )
    for tag in done.tags:
        terminal.say(printable(f"tagged {tag}"))
    if (
        not arguments.dry_run
        and not arguments.publish
        and any(isinstance(it, Release) for it in done.outcomes)
    ):
        terminal.say(
            "next: git add registry, commit and push; then `lockgate release --publish origin` tags it"
        )


def _as_json(release: Release) -> dict[str, str]:
    return {
        "model": release.model,
        "version": release.version,
        "bump": release.bump,
        "reason": release.reason,
        "commit": release.commit,
        "record": shelf.record_path(release.model, release.version),
        "record_sha256": release.record_sha256,
        "tag": tag_name(release.model, release.version),
    }
