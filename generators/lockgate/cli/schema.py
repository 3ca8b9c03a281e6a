"""`lockgate schema`: the JSON Schema of mlops.yaml, for editors and other tools."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from lockgate.cli.failure import Exit
from lockgate.cli.terminal import Terminal
from lockgate.cli.text_file import write_text
from lockgate.spec.schema import schema_path


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """The schema's text as it was published, byte by byte."""
    text = schema_path().read_text(encoding="utf-8")
    if arguments.output is None:
        terminal.write(text)
    else:
        write_text(Path(arguments.output), text)
    return Exit.OK
