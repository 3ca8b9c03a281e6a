"""The pages of the documentation, and the code blocks in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(ROOT / name / "README.md" for name in ("benchmarks", "examples")),
)

_BLOCK = re.compile(r"(?ms)^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^ *```$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A fenced block: `info` is what stands behind the fence, `language` its first word."""

    page: str
    line: int
    info: str
    text: str

    @property
    def language(self) -> str:
        return self.info.partition(" ")[0]

    @property
    def name(self) -> str:
        return f"{self.page}:{self.line}"


def blocks() -> list[Block]:
    return [
        Block(
            page=path.relative_to(ROOT).as_posix(),
            line=text[: found.start()].count("\n") + 1,
            info=found["info"].strip(),
            text=found["body"],
        )
        for path in PAGES
        for text in [path.read_text(encoding="utf-8")]
        for found in _BLOCK.finditer(text)
    ]


def without_code(text: str) -> str:
    """The page's text without its blocks of code."""
    return _BLOCK.sub("", text)


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives the page's headings."""
    headings = re.findall(r"(?m)^#{1,6} (.+)$", without_code(text))
    return {_anchor(heading) for heading in headings}


def _anchor(heading: str) -> str:
    kept = "".join(char for char in heading.lower() if char.isalnum() or char in " -_")
    return kept.replace(" ", "-")
