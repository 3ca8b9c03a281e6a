"""Models as the command line names them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.terminal import printable
from lockgate.spec.model import Spec


def chosen_models(spec: Spec, names: Sequence[str]) -> tuple[str, ...]:
    """The named models, each once; all of them where none is named."""
    for name in names:
        if name not in spec.models:
            near = get_close_matches(name, list(spec.models), n=1)
            known = ", ".join(list(spec.models)[:10])
            hint = f"did you mean '{near[0]}'?" if near else f"the models are: {known}"
            raise Failure(f"mlops.yaml has no model '{printable(name)}'", help=hint, exit_code=Exit.USAGE)
    return tuple(dict.fromkeys(names)) or tuple(spec.models)
