"""The user's own functions: found by reference, called, and their failures told by the user's own lines."""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import sysconfig
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_RUNTIME = Path(__file__).resolve().parent.parent


@dataclass(eq=False)
class StageError(Exception):
    """A failure of a stage that its user can mend: what was found, and the next step."""

    message: str
    help: str = ""

    def __str__(self) -> str:
        return self.message


def load_function(reference: str, root: Path) -> Callable[..., Any]:
    """The function that `module:function` names in the project; what it raises becomes a `StageError`."""
    module_name, _, name = reference.partition(":")
    module = _load_module(module_name, reference, root)
    function = getattr(module, name, None)
    if function is None:
        raise StageError(
            f"'{reference}': module '{module_name}' has no function '{name}'", _similar(name, module)
        )
    if not callable(function) or not _has_signature(function):
        message = f"'{reference}' is of type '{type(function).__name__}', expected a function"
        raise StageError(message, "name a function written in Python")

    @functools.wraps(function)
    def told(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the signature is the user's
        with user_errors(f"'{reference}'", root):
            return function(*args, **kwargs)

    return told


@contextmanager
def user_errors(what: str, root: Path) -> Iterator[None]:
    """Within it, the user's exceptions become a `StageError` that shows only the user's own lines."""
    try:
        yield
    except StageError:
        raise
    except (Exception, SystemExit) as error:
        lines = _own_lines(error, root)
        message = "\n".join((f"{what} raised {_described(error)}", *lines))
        step = "fix the code above" if lines else "give it what it expects"
        raise StageError(message, f"{step}, then run the stage again") from error


def _load_module(name: str, reference: str, root: Path) -> ModuleType:
    _put_first(root)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            path = name.replace(".", "/")
            raise StageError(
                f"'{reference}': there is no module '{error.name}' in the project",
                f"make '{path}.py', or correct the reference in 'mlops.yaml'",
            ) from error
        raise _import_failure(reference, error, root, _how_to_install(error)) from error
    except (Exception, SystemExit) as error:
        help_ = f"fix the module, then try 'python -c \"import {name}\"'"
        raise _import_failure(reference, error, root, help_) from error


def _put_first(root: Path) -> None:
    """As `python` does with the folder of a script: the project's modules win."""
    folder = str(root.resolve())
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)
    importlib.invalidate_caches()


def _import_failure(reference: str, error: BaseException, root: Path, help_: str) -> StageError:
    lines = (f"'{reference}' cannot be imported: {_described(error)}", *_own_lines(error, root))
    return StageError("\n".join(lines), help_)


def _how_to_install(error: ModuleNotFoundError) -> str:
    top = (error.name or "").partition(".")[0]
    return f"add what brings '{top}' to the requirements file and install it, or correct the import"


def _described(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _has_signature(function: Callable[..., Any]) -> bool:
    """Some of Python's own functions do not tell what they take."""
    try:
        inspect.signature(function)
    except (TypeError, ValueError):
        return False
    return True


def _own_lines(error: BaseException, root: Path) -> list[str]:
    """One line for each frame in the user's files, outermost first, and for the place of a syntax error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [(frame.filename, frame.lineno, frame.line) for frame in frames]
    if isinstance(error, SyntaxError) and error.filename:
        own.append((error.filename, error.lineno, error.text))
    lines = []
    for filename, line, text in own:
        path = _own_path(filename, root)
        if path is not None:
            lines.append(f"  {path}:{line}: {text.strip()}" if text else f"  {path}:{line}")
    return lines


def _own_path(filename: str, root: Path) -> str | None:
    path = Path(filename).resolve()
    if not path.is_relative_to(root.resolve()) or path.is_relative_to(_RUNTIME):
        return None
    libraries = (Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "purelib", "platlib"))
    if any(path.is_relative_to(folder) for folder in libraries):
        return None
    return path.relative_to(root.resolve()).as_posix()


def _similar(name: str, module: ModuleType) -> str:
    functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    close = get_close_matches(name, functions, n=1)
    return (
        f"did you mean '{close[0]}'?" if close else f"define 'def {name}(…)' there, or correct the reference"
    )
