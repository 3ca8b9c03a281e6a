"""`lockgate eject`: gives a generated file to the user, or back to Lockgate."""

from __future__ import annotations

from argparse import Namespace

from lockgate.cli.failure import Exit
from lockgate.cli.project import compile_project, disk_failures, find_root, project_path, require_plan
from lockgate.cli.terminal import Terminal
from lockgate.output import compare, eject, locked, take_back


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 1 for a file that is not generated, or not ejected."""
    root = find_root(arguments.root)
    path = project_path(root, arguments.root, arguments.file)
    compiled = compile_project(root)
    require_plan(compiled, terminal)
    with disk_failures(), locked(root, say=terminal.error):
        comparison = compare(root, compiled.files)
        if arguments.undo:
            take_back(root, comparison, path)
            terminal.say(f"{path} is Lockgate's again; next: lockgate render --diff")
        else:
            eject(root, comparison, path)
            terminal.say(f"{path} is yours; `lockgate check` says when Lockgate would make it otherwise")
    return Exit.OK
