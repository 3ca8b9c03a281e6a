"""`lockgate init`: a small working project in a folder. Overwrites nothing."""

from __future__ import annotations

import importlib.util
import shlex
import subprocess
import sys
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.findings import show_diagnostics
from lockgate.cli.git import initialise, origin_url, repository_of, repository_root
from lockgate.cli.project import compile_project
from lockgate.cli.render import write_files
from lockgate.cli.scaffold import model_name, scaffold
from lockgate.cli.terminal import Terminal, plural
from lockgate.cli.text_file import write_text
from lockgate.contract import SPEC_FILE
from lockgate.spec import read
from lockgate.spec.model import Spec

_MAY_EXIST = frozenset({"models/__init__.py", "requirements.txt", ".gitignore", ".dvcignore"})
_REMOTE_NAME = "storage"


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 1 where the folder already holds a project."""
    root = (Path(arguments.root or ".") / arguments.directory).resolve()
    model = model_name(root.name) if arguments.name is None else arguments.name
    _require_own_repository(root)
    found = repository_of(origin_url(root)) if root.is_dir() else None
    repository = arguments.repository or found or f"github.com/my-organisation/{model}"
    files = scaffold(model, repository)
    spec = _require_valid(terminal, files[SPEC_FILE], model, repository)
    _require_free(root, files)
    _write(terminal, root, files)
    if repository_root(root) is None:
        initialise(root)
    has_dvc = _prepare_dvc(root, spec)
    compiled = compile_project(root)
    written = write_files(terminal, compiled, [])
    if written is None:
        return Exit.STALE
    terminal.say(f"wrote {plural(len(written.written), 'generated file')}: workflows, pipeline and manifests")
    _say_next(
        terminal,
        arguments.directory,
        model,
        is_placeholder=repository.startswith("github.com/my-org"),
        has_dvc=has_dvc,
    )
    return Exit.OK


def _require_own_repository(root: Path) -> None:
    existing = next(folder for folder in (root, *root.parents) if folder.is_dir())
    top = repository_root(existing)
    if top is not None and top.resolve() != root:
        raise Failure(
            f"'{root}' is inside the Git repository '{top}', and GitHub reads workflows at its top only",
            help=f"run `lockgate init {top}`, or choose a folder outside of it",
        )


def _require_valid(terminal: Terminal, text: str, model: str, repository: str) -> Spec:
    reading = read(text.encode(errors="replace"))
    spec = reading.spec
    # A name with line breaks in it could make a valid spec of something else.
    if spec is None or list(spec.models) != [model] or spec.project.repository != repository:
        show_diagnostics(terminal, reading.diagnostics, {reading.file: reading.text})
        raise Failure(
            "no spec can be made of this name and repository",
            help="give others: lockgate init --name flight-delay --repository github.com/acme/flights",
            exit_code=Exit.USAGE,
        )
    return spec


def _require_free(root: Path, files: Mapping[str, str]) -> None:
    taken = [path for path in files if path not in _MAY_EXIST and (root / path).exists()]
    if taken:
        is_project = SPEC_FILE in taken
        raise Failure(
            f"'{root}' already holds {', '.join(taken)}",
            help="it is a project: run `lockgate check`" if is_project else "choose an empty folder",
        )


def _write(terminal: Terminal, root: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        if (root / path).exists():
            terminal.say(f"kept  {path}, which was here already")
        else:
            write_text(root / path, text)
            terminal.say(f"wrote {path}")


def _prepare_dvc(root: Path, spec: Spec) -> bool:
    """Whether DVC is there; then the project uses it and knows its remote."""
    if importlib.util.find_spec("dvc") is None:
        return False
    if not (root / ".dvc").exists():
        _dvc(root, "init", "--quiet")
        _dvc(root, "remote", "add", "--quiet", "--default", _REMOTE_NAME, spec.project.data_remote)
        _dvc(root, "config", "--quiet", "core.analytics", "false")
    return True


def _dvc(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "dvc", *arguments]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, errors="replace")
    if result.returncode != 0:
        lines = result.stderr.strip().splitlines() or [f"exit code {result.returncode}"]
        raise Failure(
            f"dvc {arguments[0]} failed: {lines[-1]}", help="correct it, then run `lockgate render`"
        )


def _say_next(terminal: Terminal, directory: str, model: str, *, is_placeholder: bool, has_dvc: bool) -> None:
    steps = [] if directory == "." else [f"cd {shlex.quote(directory)}"]
    if not has_dvc:
        steps += [
            "pip install 'lockgate[all]'",
            "dvc init",
            f"dvc remote add --default {_REMOTE_NAME} .dvc/remote",
        ]
    steps.append("lockgate run                         # train, judge and report, here on this machine")
    steps.append('git add --all && git commit --message "Start the project"')
    if is_placeholder:
        steps.append("edit project.repository in mlops.yaml: where the project will live")
    steps.append(f"edit models/ and models.{model} in mlops.yaml: your own data and estimator")
    terminal.say("\nnext:")
    for step in steps:
        terminal.say(f"  {step}")
