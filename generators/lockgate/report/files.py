"""The artifact files of one model, read as if anybody had written them."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from lockgate.contract import artifact_path
from lockgate.report.model import Problem
from lockgate.report.shape import ShapeError, conform

T = TypeVar("T")

LARGEST_FILE_BYTES = 32_000_000
_MOST_POINTS = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """Reads the files of one model and keeps account of those that cannot be read."""

    root: Path
    model: str
    problems: list[Problem] = field(default_factory=list)

    def shaped(self, name: str, shape: type[T]) -> T | None:
        data = self.text(name)
        if data is None:
            return None
        try:
            return conform(json.loads(data, parse_constant=lambda _: None), shape)
        except ShapeError as error:
            self.report(name, f"is not what its stage writes: {error}; run the pipeline again")
        except (ValueError, RecursionError):
            self.report(name, "is not readable JSON; run the pipeline again")
        return None

    def pairs(self, name: str, header: list[str]) -> tuple[tuple[float, float], ...]:
        data = self.text(name)
        if data is None:
            return ()
        try:
            return _pairs(data, header)
        except (ValueError, csv.Error):
            self.report(name, f"is not a table of numbers with the columns '{','.join(header)}'")
        return ()

    def optional(self, name: str, shape: type[T]) -> T | None:
        """A file that need not be there; one that is there is read as strictly as the others."""
        return self.shaped(name, shape) if self.exists(name) else None

    def exists(self, name: str) -> bool:
        try:
            return (self.root / artifact_path(self.model, name)).exists()
        except OSError:
            return False

    def text(self, name: str) -> str | None:
        path = self.root / artifact_path(self.model, name)
        try:
            if not path.is_file():
                self.report(name, "is missing")
            elif path.stat().st_size > LARGEST_FILE_BYTES:
                self.report(name, f"is larger than {LARGEST_FILE_BYTES // 1_000_000} MB")
            else:
                return path.read_text(encoding="utf-8-sig")
        except (OSError, ValueError):
            self.report(name, "cannot be read as UTF-8 text")
        return None

    def report(self, name: str, message: str) -> None:
        self.problems.append(Problem(file=artifact_path(self.model, name), message=message))


def _pairs(data: str, header: list[str]) -> tuple[tuple[float, float], ...]:
    rows = csv.reader(io.StringIO(data))
    if next(rows, None) != header:
        raise ValueError(header)
    pairs = tuple((float(first), float(second)) for first, second in rows)
    if len(pairs) > _MOST_POINTS or not all(math.isfinite(value) for pair in pairs for value in pair):
        raise ValueError(header)
    return pairs
