"""Artifact files and the spec in; one report out, as Markdown, HTML or JSON. Runs nothing, and asks nothing of Git."""

from __future__ import annotations

from pathlib import Path

from lockgate.report.as_json import render_json
from lockgate.report.html import render_html
from lockgate.report.load import load
from lockgate.report.markdown import render_markdown
from lockgate.report.model import ModelReport, Proposal, Report, verdict
from lockgate.report.stages import keep_stages

__all__ = [
    "ModelReport",
    "Proposal",
    "Report",
    "keep_stages",
    "load",
    "render_html",
    "render_json",
    "render_markdown",
    "verdict",
    "write",
]


def write(report: Report, directory: Path) -> tuple[Path, ...]:
    """The report in all its formats, in a directory that is made where it is missing; returns the files."""
    directory.mkdir(parents=True, exist_ok=True)
    texts = {
        "report.md": render_markdown(report),
        "report.html": render_html(report),
        "report.json": render_json(report),
    }
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    return tuple(directory / name for name in texts)
