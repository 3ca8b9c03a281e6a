"""The page in a real browser, on the real server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.server.hostile import BUS, BUS_REFERENCE, HOSTILE, HOSTILE_REFERENCE, MARKUP
from tests.server.model_folder import served, write_folder

from lockgate.contract import Histogram, Signature

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_BROWSER = "needs a browser: apt-get install chromium, and pip install playwright"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api", reason=NO_BROWSER)
    if CHROMIUM is None:
        pytest.skip(NO_BROWSER)
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("bus")
    (folder / "card.md").write_text("# Model card: late-bus\n\n- **Owner:** ops\n")
    model = write_folder(folder / "model", BUS, BUS_REFERENCE)
    with served(model, "--card", str(folder / "card.md")) as url:
        yield url


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page, opened; what its script or its policy complains about fails the test."""
    opened = browser.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda it: errors.append(it.text) if "Security" in it.text else None)
    opened.goto(address)
    yield opened
    opened.close()
    assert errors == []


def test_a_typical_row_is_predicted_with_its_probability(page: Page) -> None:
    page.get_by_role("button", name="Predict").click()
    page.wait_for_selector("#answer:not([hidden])")
    assert page.inner_text("#prediction") == "True"
    assert "probability of True" in page.inner_text("#shares")
    assert "50.1%" in page.inner_text("#shares")


def test_a_wrong_value_is_marked_at_its_column(page: Page) -> None:
    page.get_by_label("distance").fill("-5")
    page.get_by_label("stops").fill("0")
    page.get_by_role("button", name="Predict").click()
    page.wait_for_selector("#answer-error:not([hidden])")
    assert page.inner_text("#answer-error") == "The row was refused: 2 columns are marked."
    marked = page.locator("[aria-invalid=true]")
    assert marked.count() == 2
    assert "expected at least 0" in page.locator("[data-column=distance] .error").inner_text()
    assert page.evaluate("document.activeElement.parentElement.dataset.column") == "distance"


def test_a_corrected_row_is_marked_no_more(page: Page) -> None:
    page.get_by_label("distance").fill("-5")
    page.get_by_role("button", name="Predict").click()
    page.wait_for_selector("[aria-invalid=true]")
    page.get_by_role("button", name="Typical row").click()
    page.get_by_role("button", name="Predict").click()
    page.wait_for_selector("#answer:not([hidden])")
    assert page.locator("[aria-invalid=true]").count() == 0


def test_empty_fields_of_columns_that_may_be_missing_are_sent_as_missing(page: Page) -> None:
    page.get_by_label("stops").fill("")
    page.get_by_label("driver").fill("")
    page.get_by_label("holiday").select_option(label="missing")
    with page.expect_request("**/v1/predict") as request:
        page.get_by_role("button", name="Predict").click()
    assert request.value.post_data_json == {
        "rows": [
            {"distance": 5, "stops": None, "line": "B", "driver": None, "express": False, "holiday": None}
        ]
    }
    page.wait_for_selector("#answer:not([hidden])")


def test_live_numbers_follow_the_traffic(page: Page) -> None:
    page.get_by_role("button", name="Predict").click()
    page.wait_for_selector("#drift:not([hidden])")
    assert page.inner_text("#state") == "serving"
    assert int(page.inner_text("#requests")) > 0
    assert page.locator("#drift tbody tr").count() == 5


def test_the_page_shows_the_model_card(page: Page) -> None:
    card = page.locator(".card")
    assert card.get_by_role("heading", name="Model card: late-bus").is_visible()
    assert card.get_by_role("listitem").inner_text() == "Owner: ops"


def test_the_page_asks_for_nothing_but_this_server(browser: Browser, address: str) -> None:
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address, wait_until="networkidle")
    page.close()
    assert asked
    assert all(url.startswith((address, "data:")) for url in asked)


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_page_fits_its_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_what_is_behind_it(browser: Browser, address: str, scheme: str) -> None:
    page = browser.new_page(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(address)
    ratios = page.evaluate(CONTRASTS)
    page.close()
    assert ratios
    assert min(ratios.values()) >= 4.5, ratios


def test_a_hostile_model_s_page_runs_nothing_of_it(browser: Browser, tmp_path: Path) -> None:
    hostile: Signature = {
        **HOSTILE,
        "model": "m",
        "kind": "binary",
        "classes": ["b", MARKUP],
        "positive": MARKUP,
    }
    model = write_folder(tmp_path / "model", hostile, {**HOSTILE_REFERENCE, "predictions": _HALVES})
    said: list[str] = []
    with served(model) as url:
        page = browser.new_page()
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(url, wait_until="networkidle")
        page.get_by_role("button", name="Predict").click()
        page.wait_for_selector("#answer-none", state="hidden")
        page.close()
    assert said == []


_HALVES = Histogram(edges=[0.5], counts=[0, 0, 0])
CONTRASTS = """() => {
  const channels = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (value) => value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (element) => {
    const [r, g, b, alpha = 1] = channels(getComputedStyle(element).backgroundColor);
    return alpha > 0 || !element.parentElement ? [r, g, b] : behind(element.parentElement);
  };
  const found = {};
  const texts = document.querySelectorAll("h1, h2, p, a, label, .hint, .badge, button, dt, dd, caption, input");
  for (const element of texts) {
    if (!element.checkVisibility()) continue;
    const two = [light(channels(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
    found[`${element.tagName}.${element.className} ${element.id}`] = (two[0] + 0.05) / (two[1] + 0.05);
  }
  return found;
}"""
