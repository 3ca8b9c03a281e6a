#!/usr/bin/env python3
"""Everything a fresh clone needs, in one command: `python3 bootstrap.py run` or `python3 bootstrap.py test`.

Needs Python 3.11 or later with pip, and git. Installs into `.venv` beside this file and nowhere else.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
MIN_PYTHON = (3, 11)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "run", help="install Lockgate and run the bundled example: real flights out of New York"
    )
    commands.add_parser("test", help="install the tools too and run all checks and tests")
    command = parser.parse_args(arguments).command
    if sys.version_info < MIN_PYTHON:
        print(
            f"error: this is Python {sys.version.split()[0]}; Lockgate needs 3.11 or later", file=sys.stderr
        )
        return 2
    if command == "run":
        install("requirements.txt")
        return call(PYTHON, "-m", "lockgate", "run")
    install("requirements-dev.txt")
    return call(PYTHON, "-m", "nox", "--non-interactive")


def install(requirements: str) -> None:
    """Puts the requirements into `.venv`, unless they are there already."""
    wanted = fingerprint(requirements)
    stamp = VENV / f"{requirements}.installed"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    if not PYTHON.exists():
        venv.create(VENV, with_pip=False)  # Debian's Python has no ensurepip, so pip installs from outside
    print(f"Installing {requirements} into .venv; the first time this takes a minute or two …", flush=True)
    start = time.monotonic()
    pip = [sys.executable, "-m", "pip", "--python", str(PYTHON), "--disable-pip-version-check"]
    code = call(*pip, "install", "--quiet", "pip", "--requirement", requirements)
    if code != 0:
        sys.exit(code)
    stamp.write_text(wanted)
    print(f"Installed in {time.monotonic() - start:.0f} s.\n", flush=True)


def fingerprint(requirements: str) -> str:
    """Of the files that decide what is installed."""
    files = ("bootstrap.py", "pyproject.toml", "requirements.txt", "requirements-dev.txt", "constraints.txt")
    content = b"".join((ROOT / name).read_bytes() for name in files)
    return hashlib.sha256(requirements.encode() + content).hexdigest()


def call(*command: str | Path) -> int:
    environment = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ.get('PATH', '')}"}
    try:
        return subprocess.run(
            [str(part) for part in command], cwd=ROOT, env=environment, check=False
        ).returncode
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
