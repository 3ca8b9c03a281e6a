"""After a pipeline: brings the champion, has the runtime compare the candidate with it, and says what came of it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from lockgate.cli.dvc.process import environment
from lockgate.cli.failure import Failure
from lockgate.cli.proving.champion import Pins, bring_champion, remove_champion
from lockgate.cli.terminal import Terminal, printable
from lockgate.contract import COMPARISON, PROVENANCE, artifact_path
from lockgate.contract.comparison import Champion, Provenance
from lockgate.plan.model import Pipeline

_NAME_WIDTH = 10
_MOST_LINES = 20


def compare(terminal: Terminal, root: Path, pipeline: Pipeline, base: str, pins: Pins) -> None:
    """Write `COMPARISON`; Failure where that itself fails, but not where there is nothing to compare with."""
    started = time.monotonic()
    champion = bring_champion(root, pipeline, base, pins)
    if not champion["found"]:
        reason = printable(champion["reason"] or "")
        terminal.say(f"  {terminal.yellow('!')} {'champion':<{_NAME_WIDTH}} none to compare with: {reason}")
    _run(terminal, root, pipeline.name)
    seconds = time.monotonic() - started
    said = f"with {_name(champion)}" if champion["found"] else "without a champion"
    terminal.say(f"  {terminal.green('✓')} {'compare':<{_NAME_WIDTH}} {seconds:>6.1f} s  {said}")


def forget_earlier(root: Path, model: str) -> None:
    """Take away what an earlier run found of its own candidate, which was another."""
    remove_champion(root, model)
    for name in (COMPARISON, PROVENANCE):
        path = root / artifact_path(model, name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise Failure(f"cannot remove '{path}': {reason}", help="remove it yourself") from error


def show_provenance(terminal: Terminal, provenance: Provenance) -> None:
    """In a line whether the model is the one that the author's lock names."""
    good = provenance["outcome"] == "pass"
    mark = terminal.green("✓") if good else terminal.yellow("!")
    reason = printable(provenance["reason"])
    terminal.say(f"  {mark} {'provenance':<{_NAME_WIDTH}} {provenance['answer']}: {reason}")


def _run(terminal: Terminal, root: Path, model: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lockgate_runtime", "compare", model],
        cwd=root,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        for line in done.stdout.decode(errors="replace").strip().splitlines()[-_MOST_LINES:]:
            terminal.say(f"      {printable(line)}")
        raise Failure(f"the comparison of '{model}' failed", help="correct what is said above")


def _name(champion: Champion) -> str:
    if champion["origin"] == "pin":
        return printable(f"{champion['environment']} {champion['version']}")
    return f"the base at {(champion['commit'] or '')[:7]}"
