"""`lockgate plan`: what happens when the change merges; trains nothing and asks nobody."""

from __future__ import annotations

import json
from argparse import Namespace
from dataclasses import asdict

from lockgate.cli.failure import Exit
from lockgate.cli.git import default_base
from lockgate.cli.merging.base import effects_since
from lockgate.cli.merging.effects import show_effects
from lockgate.cli.project import compile_project, find_root, require_plan
from lockgate.cli.terminal import Terminal
from lockgate.report.effects import render_effects


def run(arguments: Namespace, terminal: Terminal) -> Exit:
    """Exit 2 for a base that Git does not know."""
    root = find_root(arguments.root)
    compiled = compile_project(root)
    plan = require_plan(compiled, terminal)
    base = arguments.base if arguments.base is not None else default_base(root, plan.spec.project.branch)
    effects = effects_since(root, compiled, plan, base)
    if arguments.format == "json":
        terminal.say(json.dumps(asdict(effects), indent=2, ensure_ascii=False, default=str))
    elif arguments.format == "md":
        terminal.write(render_effects(effects))
    else:
        show_effects(terminal, effects, base)
    return Exit.OK
