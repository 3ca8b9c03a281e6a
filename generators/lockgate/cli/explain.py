"""`lockgate explain`: what holds at a place of the spec, where it comes from, what it overrides, what it means."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict
from typing import Any

from lockgate.cli.failure import Exit, Failure
from lockgate.cli.findings import show_diagnostics
from lockgate.cli.project import find_root, read_spec
from lockgate.cli.terminal import Terminal, printable
from lockgate.contract import SPEC_FILE
from lockgate.spec.explain import Explanation, NoSuchPathError, explain

_WIDEST_VALUE = 60


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 2 for a path that no spec could hold."""
    reading = read_spec(find_root(arguments.root))
    if reading.spec is None:
        show_diagnostics(terminal, reading.diagnostics, {reading.file: reading.text})
        raise Failure(f"{SPEC_FILE} has errors", help="correct what is listed above")
    try:
        explanations = explain(reading, arguments.path, arguments.env)
    except NoSuchPathError as error:
        raise Failure(str(error), help=error.hint, exit_code=Exit.USAGE) from error
    if arguments.format == "json":
        terminal.say(
            json.dumps([asdict(it) for it in explanations], indent=2, ensure_ascii=False, default=str)
        )
    elif len(explanations) == 1:
        _show_one(terminal, explanations[0])
    else:
        _show_all(terminal, explanations)
    return Exit.OK


def _show_one(terminal: Terminal, explanation: Explanation) -> None:
    terminal.say(f"{printable(explanation.path or 'the whole spec')}: {_value(explanation)}")
    terminal.say(f"  from       {_source(explanation)}")
    for origin in explanation.overrides:
        terminal.say(f"  overrides  {_shown(origin.value)} from {origin.source}")
    terminal.say(f"  means      {explanation.description}")
    for example in explanation.examples:
        terminal.say(f"  example    {_shown(example)}")


def _show_all(terminal: Terminal, explanations: tuple[Explanation, ...]) -> None:
    """A line a value: where it comes from is dimmed and stands in a column of its own."""
    lines = [(f"{printable(it.path)}: {_clipped(_value(it))}", _source(it)) for it in explanations]
    width = min(max((len(text) for text, _ in lines), default=0), 100)
    for text, source in lines:
        terminal.say(f"{text:<{width}}  {terminal.dim(f'# {source}')}")


def _value(explanation: Explanation) -> str:
    return "not set" if explanation.origin is None else _shown(explanation.origin.value)


def _source(explanation: Explanation) -> str:
    return "nowhere: it has no default" if explanation.origin is None else explanation.origin.source


def _shown(value: Any) -> str:  # noqa: ANN401 - any value of a spec
    return printable(json.dumps(value, ensure_ascii=False, default=str))


def _clipped(text: str) -> str:
    return text if len(text) <= _WIDEST_VALUE else f"{text[: _WIDEST_VALUE - 1]}…"
