"""The page: nothing in names or in the card acts, and every column has a labelled field."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.server.hostile import BUS, BUS_REFERENCE, HOSTILE, HOSTILE_REFERENCE, MARKUP

from lockgate.contract import Reference, Signature
from lockgate_runtime.server import page
from lockgate_runtime.server.page.card import card_html

SHA256 = "3f2a" + "0" * 60


class Elements(HTMLParser):
    """All elements with their attributes, and all text, of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def page_of(signature: Signature = BUS, reference: Reference = BUS_REFERENCE, card: str = "") -> str:
    return page.html(signature, reference, "1.2.0", SHA256, card).decode()


def test_the_page_says_what_is_served() -> None:
    elements = Elements(page_of())
    for text in ("late-bus", "1.2.0", SHA256[:12], "late"):
        assert text in elements.text


def test_every_column_has_a_field_with_a_label() -> None:
    elements = Elements(page_of())
    labelled = {it["for"] for it in elements.named("label")}
    fields = elements.named("input", "select")
    assert {it["id"] for it in fields} == labelled
    columns = [it["data-column"] for it in elements.named("div") if "data-column" in it]
    assert columns == [it["name"] for it in BUS["inputs"]]


def test_fields_ask_for_what_their_columns_take() -> None:
    elements = Elements(page_of())
    distance, stops, driver = [it for it in elements.named("input") if it["type"] in {"number", "text"}]
    assert (distance["min"], distance["max"], distance["value"], distance["step"]) == ("0", "100", "5", "any")
    assert (stops["step"], stops["placeholder"]) == ("1", "missing")
    assert driver["placeholder"] == "missing"
    assert [it["value"] for it in elements.named("option")] == ["A", "B", "C", "", "true", "false"]


def test_hostile_names_stay_text() -> None:
    ordinary = Elements(page_of())
    elements = Elements(page_of(HOSTILE, HOSTILE_REFERENCE, f"# {MARKUP}\n\n| a |\n|---|\n| {MARKUP} |\n"))
    assert {tag for tag, _ in elements.found} - {tag for tag, _ in ordinary.found} <= {
        "thead",
        "tbody",
        "th",
        "h2",
    }
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    assert len(elements.named("script")) == 1


def test_the_policy_allows_this_style_and_this_script_and_no_others() -> None:
    text = page_of(HOSTILE, HOSTILE_REFERENCE, MARKUP)
    for tag in ("style", "script"):
        (content,) = re.findall(f"(?s)<{tag}>(.*?)</{tag}>", text)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in page.CONTENT_SECURITY_POLICY
    assert "unsafe" not in page.CONTENT_SECURITY_POLICY


def test_the_page_asks_for_nothing_from_elsewhere() -> None:
    text = page_of()
    assert "http:" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https:" not in text
    elements = Elements(text)
    assert not any("src" in attributes for _, attributes in elements.found)
    assert [it["href"] for it in elements.named("link")] == ["data:,"]


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("# A title", "<h2>A title</h2>"),
        ("## Use", "<h3>Use</h3>"),
        ("two\nlines", "<p>two lines</p>"),
        ("- a\n- **b**", "<ul><li>a</li><li><strong>b</strong></li></ul>"),
        ("`x < 1` &#60;b> \\*not bold\\*", "<p><code>x &lt; 1</code> &lt;b&gt; *not bold*</p>"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>"),
        ("<b>bold</b>", "<p>&lt;b&gt;bold&lt;/b&gt;</p>"),
        ("{% raw %} {{ 7 }} {0}", "<p>{% raw %} {{ 7 }} {0}</p>"),
        ("| not a table", "<p>| not a table</p>"),
        ("", ""),
    ],
)
def test_a_card_s_markdown_becomes_html(markdown: str, html: str) -> None:
    assert card_html(markdown) == html


def test_a_card_s_table_keeps_its_cells_and_aligns_numbers() -> None:
    html = card_html("| Metric | Value |\n|---|---:|\n| a \\| b | 0.5 |\n")
    assert '<thead><tr><th>Metric</th><th class="numeric">Value</th></tr></thead>' in html
    assert '<tbody><tr><td>a | b</td><td class="numeric">0.5</td></tr></tbody>' in html


@given(st.text(alphabet="#-*|`\\&;:<>\"'a1 \n\t\u200b", max_size=200))
def test_no_card_brings_an_element_or_an_attribute_of_its_own(markdown: str) -> None:
    elements = Elements(str(card_html(markdown)))
    ours = {"h2", "h3", "h4", "h5", "h6", "p", "ul", "li", "strong", "code"}
    ours |= {"div", "table", "thead", "tbody", "tr", "th", "td"}
    assert {tag for tag, _ in elements.found} <= ours
    names = {name for _, attributes in elements.found for name in attributes}
    assert names <= {"class", "tabindex", "role", "aria-label"}


def test_a_huge_card_is_cut() -> None:
    assert len(card_html("a" * 1_000_000)) < 300_000
