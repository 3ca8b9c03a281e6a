"""What CI runs, by name: `nox -l` lists it. Sessions use the environment that nox itself runs in."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "imports", "checkov", "tests", "slow_tests"]

PYTHON_FILES = (
    "generators",
    "runtime",
    "models",
    "examples",
    "tests",
    "benchmarks",
    "docs",
    "noxfile.py",
    "bootstrap.py",
)
CHECKOV = "checkov==3.3.30"


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: style, mistakes, format."""
    session.run("ruff", "check", *PYTHON_FILES)
    session.run("ruff", "format", "--check", *PYTHON_FILES)


@nox.session
def types(session: nox.Session) -> None:
    """Mypy, strict."""
    session.run("mypy")


@nox.session
def imports(session: nox.Session) -> None:
    """Imports run one way."""
    session.run("lint-imports")


@nox.session(venv_backend="virtualenv", reuse_venv=True)
def checkov(session: nox.Session) -> None:
    """Installs checkov, which needs an environment of its own; the tests call it there."""
    session.install("--quiet", CHECKOV)


@nox.session
def tests(session: nox.Session) -> None:
    """All tests but the slow ones; arguments go to pytest."""
    _pytest(session, "not slow")


@nox.session
def slow_tests(session: nox.Session) -> None:
    """The slow ones: whole workflows under act, images, pipelines, other tools' judgement of any spec."""
    _pytest(session, "slow")


def _pytest(session: nox.Session, marked: str) -> None:
    command = ("pytest", "-n", "auto", "--dist", "worksteal", "-m", marked)
    session.run(*command, *session.posargs, env={"LOCKGATE_CHECKOV": _checkov()})


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Times the compiler beside its peers."""
    session.run("python", "benchmarks/compile.py", *session.posargs)


@nox.session(venv_backend="virtualenv", reuse_venv=True)
def lock(session: nox.Session) -> None:
    """Resolves constraints.txt anew, for every Python and platform at once."""
    session.install("--quiet", "uv")
    tools = Path(session.create_tmp()) / "tools.in"
    lines = [
        *Path("requirements.txt").read_text().splitlines(),
        *Path("requirements-dev.txt").read_text().splitlines(),
    ]
    tools.write_text("\n".join(line for line in lines if not line.startswith(("#", "-"))))
    header = "# Tested versions of everything that requirements*.txt bring. Made again by: nox -s lock\n"
    options = (
        "--extra",
        "all",
        "--universal",
        "--python-version",
        "3.11",
        "--upgrade",
        "--no-header",
        "--no-annotate",
    )
    session.run(
        "uv", "pip", "compile", "--quiet", "pyproject.toml", str(tools), *options, "-o", "constraints.txt"
    )
    pins = Path("constraints.txt")
    pins.write_text(header + pins.read_text())


def _checkov() -> str:
    installed = Path(".nox/checkov/bin/checkov").absolute()
    return os.environ.get("LOCKGATE_CHECKOV", str(installed))
