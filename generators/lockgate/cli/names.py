"""Models and environments as the command line names them: each is one of the spec's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.terminal import printable
from lockgate.contract import SPEC_FILE
from lockgate.spec.model import Spec


def chosen_models(spec: Spec, names: Sequence[str]) -> tuple[str, ...]:
    """The named models, each once; all of them where none is named."""
    for name in names:
        if name not in spec.models:
            raise _unknown("model", name, spec.models)
    return tuple(dict.fromkeys(names)) or tuple(spec.models)


def require_environments(spec: Spec, named: Sequence[str]) -> tuple[str, ...]:
    """Those named, each once, or all that the spec has; Failure where it has none of such a name."""
    for environment in named:
        require_environment(spec, environment)
    return tuple(dict.fromkeys(named)) or tuple(spec.environments)


def require_environment(spec: Spec, environment: str) -> None:
    """Failure where the spec has none of that name."""
    if environment not in spec.environments:
        raise _unknown("environment", environment, spec.environments)


def require_place(spec: Spec, model: str, environment: str) -> None:
    """Failure where the model cannot be pinned there."""
    require_environment(spec, environment)
    if model not in spec.models:
        raise _unknown("model", model, spec.models)
    if model not in spec.environments[environment].serve:
        raise Failure(
            f"'{model}' is not served: it has no 'serve' block", help=f"add 'serve: {{}}' to models.{model}"
        )


def _unknown(kind: str, name: str, known: Mapping[str, object]) -> Failure:
    near = get_close_matches(name, list(known), n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(list(known)[:10]) or 'none'}"
    return Failure(f"{SPEC_FILE} has no {kind} '{printable(name)}'", help=hint, exit_code=Exit.USAGE)
