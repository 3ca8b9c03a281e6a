"""What a pipeline reads from outside itself, and the files by which DVC would track it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from lockgate.plan.model import Stage


def inputs(stages: Sequence[Stage]) -> tuple[str, ...]:
    """The files and folders that stages read and none of them writes, in their order."""
    written = {path for stage in stages for path in (*stage.outs, *stage.metrics, *stage.plots)}
    read = (path for stage in stages for path in stage.deps if path not in written)
    return tuple(dict.fromkeys(read))


def pointers(path: str) -> tuple[str, ...]:
    """The `.dvc` files, not all of which exist, that may stand in Git for the path or for a folder that holds it."""
    parents = PurePosixPath(path).parents
    return tuple(f"{it}.dvc" for it in (PurePosixPath(path), *parents) if it.name)
