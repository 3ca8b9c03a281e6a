"""`python -m lockgate_runtime STAGE MODEL`: run one stage of one model's pipeline and say in a line what it did.

`python -m lockgate_runtime serve …` serves an exported model instead, `… replay …` sends rows to two such servers.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lockgate.contract import SPEC_FILE
from lockgate.spec import SpecError, load
from lockgate_runtime.stages.user_code import StageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lockgate.spec.model import Model, Spec

OK, FAILED, USAGE, BUG = 0, 1, 2, 70
STAGES = {
    "ingest": "fetch the data as of the spec's date",
    "validate": "hold every row to the spec's columns",
    "split": "choose the rows to train on and the rows to judge by",
    "train": "fit the estimator",
    "evaluate": "measure the estimator on the held-out rows",
    "export": "write the model in the form that is served",
    "scan": "look for what must not be in a model's files",
    "gate": "hold the results to the spec's gates and write the model card",
    "compare": "hold the exported model against the champion's, after the pipeline",
}
"""Each stage is the module of that name in `lockgate_runtime.stages`, imported only when it runs."""


class Run(Protocol):
    """What every stage's module has as `run`: reads and writes files below `root`, returns what it did."""

    def __call__(self, spec: Spec, model: Model, root: Path) -> str: ...


class _UsageError(StageError):
    """A mistake in the command line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage that the arguments name; the exit code: 0 done, 1 failed, 2 misused, 70 a bug of ours."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["replay"]:
        return _replay(given[1:])
    return _serve(given[1:]) if given[:1] == ["serve"] else _run_stage(given)


def _replay(arguments: Sequence[str]) -> int:
    from lockgate_runtime.traffic.replay import main as replay

    return replay(arguments)


def _serve(arguments: Sequence[str]) -> int:
    from lockgate_runtime.server.command import main as serve

    return serve(arguments)


def _run_stage(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    try:
        print(f"{options.stage}: {_run(options.stage, options.model, options.root)}")
    except _UsageError as error:
        return _tell(error.message, error.help, USAGE)
    except StageError as error:
        return _tell(error.message, error.help, FAILED)
    except SpecError as error:
        print(error.render(), file=sys.stderr)
        return FAILED
    except OSError as error:
        return _tell(
            f"'{error.filename}': {error.strerror}", "make room for it, or the path accessible", FAILED
        )
    except Exception:  # noqa: BLE001 - the last edge: what arrives here is a bug, and its traceback is wanted
        traceback.print_exc()
        return _tell("this is a bug in Lockgate", "please report it with the lines above", BUG)
    return OK


def _run(stage: str, name: str, root: Path) -> str:
    spec = _load(root)
    model = spec.models.get(name)
    if model is None:
        close = get_close_matches(name, spec.models, n=1) or sorted(spec.models)
        raise _UsageError(f"'{SPEC_FILE}' has no model '{name}'", f"it has '{close[0]}'")
    return _stage(stage)(spec, model, root)


def _load(root: Path) -> Spec:
    try:
        return load(root)
    except OSError as error:
        message = f"'{root / SPEC_FILE}' cannot be read: {error.strerror}"
        raise _UsageError(message, f"name the folder of '{SPEC_FILE}' with '--root'") from error


def _stage(name: str) -> Run:
    try:
        run: Run = importlib.import_module(f"lockgate_runtime.stages.{name}").run
    except ModuleNotFoundError as error:
        message = f"stage '{name}' needs '{error.name}', which is not installed"
        raise StageError(message, "run \"pip install 'lockgate[train]'\"") from error
    return run


def _tell(message: str, help_: str, code: int) -> int:
    print(f"error: {_printable(message)}", file=sys.stderr)
    if help_:
        print(f"help: {_printable(help_)}", file=sys.stderr)
    return code


def _printable(text: str) -> str:
    """Without control characters: a value out of the data must not steer the terminal."""
    return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text)


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, STAGES))
    stages = "\n".join(f"  {name:{width}}  {what}" for name, what in STAGES.items())
    parser = argparse.ArgumentParser(
        prog="python -m lockgate_runtime",
        description="Run one stage of one model's pipeline, or serve a model.",
        epilog=f"stages, in their order:\n{stages}\n\nserving: python -m lockgate_runtime serve --help\n\nexamples:\n"
        "  python -m lockgate_runtime train flight-delay\n"
        "  python -m lockgate_runtime validate flight-delay --root ../flights\n\n"
        "exit codes: 0 done, 1 failed, 2 misused, 70 a bug in Lockgate",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("stage", metavar="STAGE", choices=STAGES, help="the stage to run")
    parser.add_argument("model", metavar="MODEL", help="the model's name in mlops.yaml")
    parser.add_argument("--root", metavar="DIR", type=Path, default=Path(), help="the folder of mlops.yaml")
    return parser


if __name__ == "__main__":
    # OpenMP reads it when scikit-learn is imported. Threads that spin while they wait double the time to fit on a
    # machine that has other work too, as the hosts of CI do.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(main())
