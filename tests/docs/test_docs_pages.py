"""Links lead somewhere, and generated pages are as they are generated."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.pages import PAGES, ROOT, anchors, without_code

_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    broken = [link for link in _links(page) if not _leads_somewhere(page, link)]
    assert broken == []


@pytest.mark.parametrize("script", ["reference.py", "examples.py", "pictures.py"])
def test_what_scripts_generate_is_current(script: str) -> None:
    command = [sys.executable, f"docs/{script}", "--check"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 0, f"run: python docs/{script}"


def test_the_index_lists_every_page() -> None:
    index = ROOT / "docs" / "index.md"
    listed = {link.partition("#")[0] for link in _links(index)}
    assert listed - {""} == {page.name for page in PAGES if page.parent == index.parent} - {"index.md"}


def _links(page: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`", "", without_code(page.read_text(encoding="utf-8")))
    found = (first or second for first, second in _LINK.findall(text))
    return [link for link in found if "://" not in link]


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    if not target.exists():
        return False
    return not anchor or anchor in anchors(target.read_text(encoding="utf-8"))
