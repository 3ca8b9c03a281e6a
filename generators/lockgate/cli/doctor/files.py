"""The files of a project: the spec, what is made of it, what Git ignores. Reads only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lockgate.cli.check import file_diagnostics
from lockgate.cli.doctor.item import Item, from_diagnostics, named
from lockgate.cli.project import Compiled
from lockgate.cli.terminal import plural
from lockgate.contract import SPEC_FILE
from lockgate.registry.git import Git
from lockgate.registry.shelf import record_path
from lockgate.spec.model import Spec

_MADE_BY_RUNS = ("artifacts", "reports")


def spec_items(compiled: Compiled) -> Iterator[Item]:
    """Whether the spec is right."""
    if compiled.diagnostics:
        yield from from_diagnostics("files", compiled.diagnostics)
    elif compiled.reading.spec is not None:
        spec = compiled.reading.spec
        parts = f"{plural(len(spec.models), 'model')}, {plural(len(spec.environments), 'environment')}"
        yield Item("files", "spec", "ok", f"{SPEC_FILE} is valid: {parts}")


def generated_items(compiled: Compiled) -> Iterator[Item]:
    """Whether the generated files are what the spec makes; nothing where the spec has errors."""
    found = file_diagnostics(compiled)
    yield from from_diagnostics("files", found)
    if not found and compiled.plan is not None:
        yield Item("files", "generated", "ok", f"{plural(len(compiled.files), 'generated file')} current")


def ignored_items(root: Path, spec: Spec) -> Iterator[Item]:
    """Whether Git ignores what runs leave, and nothing that has to be committed."""
    git = Git(root=root)
    made = [it for it in _MADE_BY_RUNS if not _ignores(git, f"{it}/x")]
    if "://" not in spec.project.data_remote and not _ignores(git, f"{spec.project.data_remote}/x"):
        made.append(spec.project.data_remote)
    if made:
        fix = f"add to .gitignore: {' '.join(f'/{it}/' for it in made)}"
        yield Item("git", "gitignore", "warning", f"Git does not ignore {named(made)}", ".gitignore", fix)
    hidden = [path for path in _to_be_committed(spec) if _ignores(git, path)]
    if hidden:
        what = f"Git ignores {named(hidden)}, which has to be committed"
        fix = f"`git check-ignore -v --no-index {hidden[0]}` shows the line to take out"
        yield Item("git", "ignored", "failed", what, ".gitignore", fix)
    if not made and not hidden:
        yield Item("git", "gitignore", "ok", "Git ignores what runs leave, and nothing else of Lockgate's")


def _to_be_committed(spec: Spec) -> Iterator[str]:
    yield from (SPEC_FILE, ".lockgate/files.json", ".dvc/config", ".github/workflows/lockgate-pr.yml")
    for model in list(spec.models)[:1]:
        yield from (f"pipelines/{model}/dvc.yaml", f"pipelines/{model}/dvc.lock", record_path(model, "1.0.0"))
    for environment in list(spec.environments)[:1]:
        yield f"manifests/{environment}/kustomization.yaml"


def _ignores(git: Git, path: str) -> bool:
    return git.succeeds("check-ignore", "--quiet", "--no-index", "--", path)
