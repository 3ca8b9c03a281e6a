"""Takes the picture of a served model's page, `docs/images/serving-page.png`.

`python docs/serving_page.py` needs the bundled example's run (`lockgate run`), Chromium, and playwright. The numbers on
the page are measured: no two pictures are alike.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "serving-page.png"
HOLDOUT = ROOT / "artifacts" / "flight-delay" / "holdout.parquet"
ROWS = 2_000
WIDTH, HEIGHT = 1180, 1250


def main() -> str | None:
    chromium = shutil.which("chromium")
    if chromium is None or not HOLDOUT.is_file():
        return "needs Chromium, and 'lockgate run' before"
    with served() as url:
        for row in rows():
            call(f"{url}v1/predict", {"rows": [row]})
        take(url, chromium)
    return None


@contextmanager
def served() -> Iterator[str]:
    """The address of the example's server."""
    command = [sys.executable, "-m", "lockgate", "serve", "flight-delay", "--port", "0", "--format", "json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline())["url"]
        finally:
            server.terminate()


def rows() -> list[dict[str, object]]:
    """The holdout's first rows, without what is no input."""
    import pandas as pd

    signature = json.loads((ROOT / "artifacts/flight-delay/model/signature.json").read_bytes())
    names = [it["name"] for it in signature["inputs"]]
    frame = pd.read_parquet(HOLDOUT, columns=names).head(ROWS)
    return json.loads(frame.to_json(orient="records"))


def call(url: str, body: object) -> None:
    requests.post(url, json=body, timeout=10).raise_for_status()


def take(url: str, chromium: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(url)
        page.get_by_role("button", name="Predict").click()
        page.wait_for_selector("#answer:not([hidden])")
        page.wait_for_selector("#drift:not([hidden])")
        page.evaluate("document.getAnimations().forEach((it) => it.finish())")
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
