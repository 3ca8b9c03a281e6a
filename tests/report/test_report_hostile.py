"""Whatever stands in an artifact or in the spec shows as text, in Markdown and in HTML."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from tests.report.report_artifacts import (
    BINARY_SPEC,
    THREE_SPEC,
    binary_files,
    make_spec,
    multiclass_files,
    regression_files,
    write_files,
)
from tests.report.report_changes import EFFECTS, champion_scan, comparison
from tests.report.report_promotions import FIRST, INCIDENT, NEXT, PROMOTION, RELEASE, ROLLBACK

from lockgate.report import Proposal, Report, load, render_html, render_json, render_markdown

HOSTILE = [
    "|<img src=x onerror=alert(1)>@team | x",
    "`code` ``` ~~~",
    "a\n\n</details>\n# heading\n- item\n> [!TIP]\n",
    "${{ github.token }} $x^2$ $$y$$",
    "![i](https://evil.example/x.png) [l](javascript:alert(1)) <https://evil.example> www.evil.example",
    "[x]: https://evil.example\n[x]",
    "</script><script>alert(1)</script><!-- ",
    '" onmouseover="alert(1)" x="',
    "\u202e\u0000\ud800 \u2066hidden",
    "{{ 7 * 7 }} {% raw %}",
    "&lt;img&gt; &#64;team #1 GH-1",
    "\\| \\\\| \\`",
    "x" * 5_000,
    "|" * 60,
]
# Fields whose words the contract fixes.
FIXED = {
    *("kind", "better", "unit", "format", "verdict", "rule", "on_fail", "outcome", "method"),
    *("metric", "type", "origin", "answer", "change"),
}
# At least one of them is in every record of the contract, and in none of its maps.
RECORD_KEYS = frozenset(
    {"source", "rows", "row", "method", "estimator", "format", "p50", "passed", "verdict", "label", "value"}
    | {"predicted", "labels", "path", "column", "type", "better", "found", "psi", "added"}
)
# The same of the effects of a merge.
FIXED_EFFECTS = {
    *("change", "strategy", "direction", "answer", "better", "unit", "promote", "outcome", "on_fail"),
}
REJECTED = replace(NEXT, incident=replace(INCIDENT, override="the load was the test's"), problems=("broken",))
MOVING = replace(
    EFFECTS,
    promotions=(replace(PROMOTION, after=REJECTED, notes=("shallow",)), ROLLBACK, FIRST),
    releases=(RELEASE,),
)
OURS = {"details", "summary", "b"}
CLASSES = re.compile(r"text-(?:pass|warn|fail|muted)")


def poisoned(value: object, text: str) -> object:
    """The value with the text in place of all text that is free, keys included."""
    if isinstance(value, dict):
        free = not RECORD_KEYS & set(value)
        return {
            f"{key} {text}" if free else key: poisoned_entry(key, item, text) for key, item in value.items()
        }
    if isinstance(value, list):
        return [poisoned(item, text) for item in value]
    return text if isinstance(value, str) else value


def poisoned_entry(key: str, value: object, text: str) -> object:
    return value if key in FIXED and isinstance(value, str) else poisoned(value, text)


def hostile_report(root: Path, text: str) -> Report:
    for model, files in (
        ("flight-delay", binary_files()),
        ("species", multiclass_files()),
        ("bike-rentals", regression_files()),
    ):
        compared = {**comparison(), "rows": files["evaluation.json"]["rows"]}
        every = {**files, "comparison.json": compared, "champion/scan.json": champion_scan()}
        bad: dict[str, Any] = {
            name: content if isinstance(content, str) else poisoned(content, text)
            for name, content in every.items()
        }
        bad["card.md"] = f"# Card {clean_surrogates(text)}\n\n{clean_surrogates(text)}\n"
        bad["champion/card.md"] = f"# Card\n````\n{clean_surrogates(text)}\nother\n"
        write_files(root, model, bad)
    stages = {"flight-delay": {text: text}}
    proposal = Proposal(effects=poisoned_effects(MOVING, text), base_locks={})
    return load(root, THREE_SPEC, list(THREE_SPEC.models), stages, proposal)


def poisoned_effects(value: Any, text: str) -> Any:
    """The effects with the text in place of all that is written in a spec or read from Git."""
    if is_dataclass(value) and not isinstance(value, type):
        held = {field.name: getattr(value, field.name) for field in fields(value)}
        return replace(
            value,
            **{key: it if key in FIXED_EFFECTS else poisoned_effects(it, text) for key, it in held.items()},
        )
    if isinstance(value, tuple):
        return tuple(poisoned_effects(item, text) for item in value)
    return poisoned(value, text)


def clean_surrogates(text: str) -> str:
    return text.replace("\ud800", "")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_the_files_are_read_in_spite_of_what_they_hold(tmp_path: Path, text: str) -> None:
    report = hostile_report(tmp_path, text)
    assert [model.problems for model in report.models] == [(), (), ()]
    assert render_json(report).encode()
    markdown = render_markdown(report)
    if "Shortened to fit" not in markdown:
        assert markdown.count("diff\n@@") == 3
        assert "## When this merges" in markdown


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_hostile_is_live_in_markdown(tmp_path: Path, text: str) -> None:
    markdown = render_markdown(hostile_report(tmp_path, text))
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(markdown)
    flat = [inner for token in tokens for inner in (token, *(token.children or ()))]
    assert {token.type for token in flat} & {"link_open", "image", "autolink"} == set()
    html = "".join(token.content for token in flat if token.type.startswith("html"))
    assert set(re.findall(r"</?([a-zA-Z!-]+)", html)) <= OURS
    assert html.count("<details>") == html.count("</details>")
    assert {token.info for token in flat if token.type == "fence"} <= {"mermaid", "diff"}
    fences = r"(?m)^(`{3,})(?:mermaid|diff)\n.*?^\1$"
    plain = re.sub(r"`[^`\n]*`", "", re.sub(fences, "", markdown, flags=re.DOTALL))
    assert not re.search(r"@\w|\$|(?<!&)#\d|://", plain)
    assert len(re.findall(r"(?<!\\)\[!", plain)) == 1


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_tables_keep_their_cells(tmp_path: Path, text: str) -> None:
    clean, dirty = tmp_path / "clean", tmp_path / "dirty"
    shape = table_shape(render_markdown(hostile_report(clean, "word")))
    rendered = render_markdown(hostile_report(dirty, text))
    if "Shortened to fit" in rendered:  # escaped, the text is too long for all tables to stay
        assert set(table_shape(rendered)) <= set(shape)
    else:
        assert table_shape(rendered) == shape


def table_shape(markdown: str) -> list[int]:
    """The number of cells of each row of each table, the cards left out."""
    without_cards = re.sub(r"<b>Model card</b>.*?</details>", "", markdown, flags=re.DOTALL)
    tokens = MarkdownIt("gfm-like", {"html": True, "linkify": False}).parse(without_cards)
    counts: list[int] = []
    for token in tokens:
        if token.type == "tr_open":
            counts.append(0)
        elif token.type in ("td_open", "th_open"):
            counts[-1] += 1
    return counts


class Page(HTMLParser):
    """What a browser would make of a page: tags with attributes, open tags that were never closed, ids."""

    VOID = frozenset({"meta"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, attribute: str) -> list[str]:
        return [
            value
            for _, attributes in self.tags
            for key, value in attributes.items()
            if key == attribute and value
        ]


@pytest.mark.parametrize("text", [*HOSTILE, "word"], ids=range(len(HOSTILE) + 1))
def test_nothing_hostile_is_live_in_html(tmp_path: Path, text: str) -> None:
    page = Page(render_html(hostile_report(tmp_path, text)))
    assert page.open == []
    assert {tag for tag, _ in page.tags}.isdisjoint(
        {"script", "img", "iframe", "link", "object", "form", "base"}
    )
    assert not [
        key
        for _, attributes in page.tags
        for key in attributes
        if key.startswith("on") or key in ("src", "style")
    ]
    assert set(page.values("href")) == {"#model-1", "#model-2", "#model-3"}
    assert len(page.values("id")) == len(set(page.values("id")))


def test_a_page_allows_only_its_own_style(tmp_path: Path) -> None:
    write_files(tmp_path, "flight-delay", binary_files())
    text = render_html(load(tmp_path, BINARY_SPEC, ["flight-delay"]))
    [style] = re.findall(r"<style>(.*?)</style>", text, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert policy in Page(text).values("content")
    assert not re.search(r"url\(|@import|https?:", text)


def test_every_table_and_drawing_can_be_read_out(tmp_path: Path) -> None:
    write_files(tmp_path, "flight-delay", binary_files())
    text = render_html(load(tmp_path, BINARY_SPEC, ["flight-delay"]))
    page = Page(text)
    tags = [tag for tag, _ in page.tags]
    assert [attributes for tag, attributes in page.tags if tag == "th" and "scope" not in attributes] == []
    assert tags.count("caption") == tags.count("table") > 5
    assert tags.count("svg") == tags.count("desc") == 4
    named = [attributes["aria-labelledby"] for tag, attributes in page.tags if tag == "svg"]
    assert {it for names in named for it in (names or "").split()} <= set(page.values("id"))
    assert re.findall(r"<h(\d)", text)[:3] == ["1", "2", "3"]


def test_hostile_words_of_the_spec_show_as_text(tmp_path: Path) -> None:
    words = "<img src=x>@team ![x](y) | z"
    spec = make_spec({"flight-delay": {"owner": words, "description": words}})
    report = load(tmp_path, spec, ["flight-delay"])
    assert "<img" not in render_html(report)
    assert "<img" not in render_markdown(report)
