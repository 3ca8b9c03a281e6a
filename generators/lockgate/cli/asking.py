"""Programs that ask somebody else, a remote or GitHub: bounded in time, and without a terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lockgate.cli.terminal import printable
from lockgate.tuples import NamedTuple

_LONGEST_REASON = 200
# Addresses may hold a password before the @, or a signature behind the ?.
_SECRETS = (re.compile(r"(?<=//)[^/@\s]+@"), re.compile(r"(?<=\S)\?\S+"))


class Answered(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The last line of what it complained of, short and without what may be a secret."""
        lines = self.err.strip().splitlines() or [f"exit code {self.code}"]
        line = lines[-1].strip()
        for secret in _SECRETS:
            line = secret.sub("…", line)
        return printable(line)[:_LONGEST_REASON]


def ask(
    command: Sequence[str],
    root: Path,
    seconds: float,
    *,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
) -> Answered | None:
    """What the program said; None where it cannot be started, or had not answered in time and was ended."""
    try:
        process = subprocess.Popen(
            command,
            cwd=root,
            env={**(os.environ if environment is None else environment), "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # Without a terminal nothing can ask for a password, and what it starts ends with it.
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError:
        return None
    with process:
        try:
            out, err = process.communicate(stdin, seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            return None
        except BaseException:
            _end(process)
            raise
    return Answered(process.returncode, out, err)


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
