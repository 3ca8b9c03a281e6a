"""Every target's files, patched as the spec says, checked, and dumped. The one place that knows all targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lockgate.contract import SPEC_FILE
from lockgate.diagnostics import Finding, once
from lockgate.plan.model import Plan
from lockgate.targets import argocd, dvc, flux, github, grafana, image, kubernetes, prometheus
from lockgate.targets.file import BLOCK_BEGIN, BLOCK_END, BLOCK_PATHS, File
from lockgate.targets.github.codeowners import codeowners
from lockgate.targets.patches import Patched, apply
from lockgate.tuples import NamedTuple
from lockgate.yaml.dump import dump

HEADER = f"# Made from {SPEC_FILE}; edit that file, not this one.\n# Made again by: lockgate render\n"

_EMITTERS = (
    dvc.emit,
    image.emit,
    github.emit,
    codeowners,
    kubernetes.emit,
    prometheus.emit,
    grafana.emit,
    argocd.emit,
    flux.emit,
)


class Rendering(NamedTuple):
    """Path to text of every file, in the order of the targets. `patched` maps a patch to the paths that it changed."""

    files: Mapping[str, str]
    findings: tuple[Finding, ...]
    patched: Mapping[str, tuple[str, ...]]


def render(plan: Plan) -> Rendering:
    """All that a plan makes. Where there are findings, the files are not fit to be written."""
    files = tuple(file for emit in _EMITTERS for file in emit(plan))
    patching = apply(files, plan.spec.patches)
    findings = (*kubernetes.findings(plan), *patching.findings)
    if not findings:
        findings = once(_problems(plan, files, patching))
    return Rendering(
        files={file.path: text(file) for file in patching.files},
        findings=findings,
        patched=patching.touched,
    )


def text(file: File) -> str:
    """The file as it stands on disk; of a file of the team's, the block in it."""
    if file.path in BLOCK_PATHS:
        return f"{BLOCK_BEGIN}\n{file.content}{BLOCK_END}\n"
    if isinstance(file.content, str):
        return HEADER + file.content
    dumped = dump(file.content, HEADER)
    return github.annotate(dumped) if file.path.startswith(".github/") else dumped


def _problems(plan: Plan, files: tuple[File, ...], patching: Patched) -> Iterator[Finding]:
    """What is wrong with the finished Kubernetes objects, at the place in the spec that brought it about.

    What was wrong before the patches comes from a pass-through, the rest from the last patch of that file. Folders with
    neither hold what Lockgate alone made, of which its tests say that nothing is wrong.
    """
    folders = {service.directory for service in plan.services if service.serve.pod}
    folders |= {_folder(path) for paths in patching.touched.values() for path in paths}
    problems = kubernetes.check_objects([file for file in patching.files if _folder(file.path) in folders])
    before = set(kubernetes.check_objects(files)) if problems else set()
    passed_through = {service.directory: service.name for service in plan.services}
    patched = {path: patch for patch, paths in patching.touched.items() for path in paths}
    for problem in problems:
        model = passed_through.get(_folder(problem.path), "")
        is_patched = problem not in before and problem.path in patched
        yield Finding(
            rule=problem.rule,
            location=("patches", patched[problem.path]) if is_patched else ("models", model, "serve", "pod"),
            message=f"{problem.path}: {problem.message}",
            help=problem.help,
        )


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
