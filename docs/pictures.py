"""Draws the life of a change, for light and for dark pages, into `docs/images/`.

`python docs/pictures.py` writes the pictures; with `--check` it writes nothing and fails where one is not current.
"""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

IMAGES = Path(__file__).resolve().parent / "images"
WIDTH, HEIGHT = 800, 356
CARD_WIDTH, CARD_HEIGHT = 172, 124
LEFT, TOP = 8, 8
STEP = (WIDTH - 2 * LEFT - CARD_WIDTH) / 3
ROW = CARD_HEIGHT + 56
SANS = "-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif"
MONO = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace"


@dataclass(frozen=True, kw_only=True, slots=True)
class Palette:
    card: str
    planned_card: str
    edge: str
    accent: str
    ink: str
    muted: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A step of a change's life: what happens, in lines, and below who does it."""

    title: str
    lines: tuple[str, ...]
    by: str
    planned: bool


PALETTES: Mapping[str, Palette] = {
    "life-of-a-change": Palette(
        card="#ffffff",
        planned_card="#f6f8fa",
        edge="#d1d9e0",
        accent="#0969da",
        ink="#1f2328",
        muted="#59636e",
    ),
    "life-of-a-change-dark": Palette(
        card="#151b23",
        planned_card="#0d1117",
        edge="#3d444d",
        accent="#4493f8",
        ink="#f0f6fc",
        muted="#9198a1",
    ),
}
FIRST_ROW = (
    Card(
        title="1  Propose",
        lines=("A pull request changes", "mlops.yaml, code, data."),
        by="lockgate check",
        planned=False,
    ),
    Card(
        title="2  Prove",
        lines=("Only what it touches is", "trained and judged again."),
        by="dvc repro",
        planned=False,
    ),
    Card(
        title="3  Report",
        lines=("Gates, metrics, slices,", "data: in one comment."),
        by="lockgate report",
        planned=False,
    ),
    Card(
        title="4  Decide",
        lines=("One required check.", "A person merges."),
        by="check: lockgate",
        planned=False,
    ),
)
SECOND_ROW = (
    Card(
        title="8  Renew",
        lines=("Drift or a date opens", "the next pull request."),
        by="retrain",
        planned=True,
    ),
    Card(
        title="7  Watch",
        lines=("Alerts from one SLO; what", "fails is rolled back."),
        by="lockgate watch",
        planned=False,
    ),
    Card(
        title="6  Promote",
        lines=("One pin changes, and", "traffic moves in steps."),
        by="Kubernetes",
        planned=False,
    ),
    Card(
        title="5  Release",
        lines=("A version, a record,", "a signed image."),
        by="registry/ in Git",
        planned=False,
    ),
)


def main(arguments: list[str]) -> int:
    pictures = {IMAGES / f"{name}.svg": _svg(palette) for name, palette in PALETTES.items()}
    if arguments == ["--check"]:
        is_current = all(path.is_file() and path.read_text() == svg for path, svg in pictures.items())
        return 0 if is_current else 1
    IMAGES.mkdir(exist_ok=True)
    for path, svg in pictures.items():
        path.write_text(svg)
    return 0


def _svg(palette: Palette) -> str:
    picture = draw(palette)
    ET.indent(picture)
    return ET.tostring(picture, encoding="unicode") + "\n"


def draw(palette: Palette) -> ET.Element:
    """The whole picture."""
    box = {"viewBox": f"0 0 {WIDTH} {HEIGHT}", "width": str(WIDTH), "height": str(HEIGHT)}
    svg = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img", **box})
    ET.SubElement(svg, "title").text = "The life of a change"
    ET.SubElement(
        svg, "desc"
    ).text = "Propose, prove, report, decide, release, promote, watch: in this version. Renew: designed, not there yet."
    for column, card in enumerate(FIRST_ROW):
        _card(svg, card, LEFT + column * STEP, TOP, palette)
    for column, card in enumerate(SECOND_ROW):
        _card(svg, card, LEFT + column * STEP, TOP + ROW, palette)
    _arrows(svg, palette)
    _legend(svg, palette)
    return svg


def _card(svg: ET.Element, card: Card, x: float, y: float, palette: Palette) -> None:
    frame = {
        "x": _number(x),
        "y": _number(y),
        "width": str(CARD_WIDTH),
        "height": str(CARD_HEIGHT),
        "rx": "8",
    }
    look = {"fill": palette.planned_card if card.planned else palette.card, "stroke-width": "1.5"}
    look |= (
        {"stroke": palette.edge, "stroke-dasharray": "5 4"} if card.planned else {"stroke": palette.accent}
    )
    ET.SubElement(svg, "rect", {**frame, **look})
    ink = palette.muted if card.planned else palette.ink
    _text(svg, card.title, x + 14, y + 28, size=16, fill=ink, weight="600")
    for number, line in enumerate(card.lines):
        _text(svg, line, x + 14, y + 54 + number * 19, size=13, fill=ink)
    by = palette.muted if card.planned else palette.accent
    _text(svg, card.by, x + 14, y + 108, size=12.5, fill=by, family=MONO)


def _arrows(svg: ET.Element, palette: Palette) -> None:
    """Along the first row, down at its end, back along the second, and up to where it began."""
    gap, middle = STEP - CARD_WIDTH, TOP + CARD_HEIGHT / 2
    for column in range(3):
        right = LEFT + column * STEP + CARD_WIDTH
        _arrow(svg, (right + 6, middle), (right + gap - 6, middle), palette, FIRST_ROW[column : column + 2])
        below = middle + ROW
        _arrow(svg, (right + gap - 6, below), (right + 6, below), palette, SECOND_ROW[column : column + 2])
    top, bottom = TOP + CARD_HEIGHT + 7, TOP + ROW - 7
    last, first = LEFT + 3 * STEP + CARD_WIDTH / 2, LEFT + CARD_WIDTH / 2
    _arrow(svg, (last, top), (last, bottom), palette, (FIRST_ROW[-1], SECOND_ROW[-1]))
    _arrow(svg, (first, bottom), (first, top), palette, (FIRST_ROW[0], SECOND_ROW[0]))


def _arrow(
    svg: ET.Element,
    start: tuple[float, float],
    end: tuple[float, float],
    palette: Palette,
    between: tuple[Card, ...],
) -> None:
    """A line with an open head at its end; horizontal or vertical, dotted where one of the cards is planned."""
    (x1, y1), (x2, y2) = start, end
    is_planned = any(card.planned for card in between)
    colour = palette.muted if is_planned else palette.accent
    along_x, along_y = (x2 > x1) - (x2 < x1), (y2 > y1) - (y2 < y1)
    look = {"stroke": colour, "stroke-width": "2", "fill": "none", "stroke-linecap": "round"}
    shaft = {**look, "d": f"M{_number(x1)} {_number(y1)}L{_number(x2)} {_number(y2)}"}
    ET.SubElement(svg, "path", {**shaft, "stroke-dasharray": "1 6"} if is_planned else shaft)
    back_x, back_y = x2 - 6 * along_x, y2 - 6 * along_y
    one = (back_x + 5 * along_y, back_y + 5 * along_x)
    other = (back_x - 5 * along_y, back_y - 5 * along_x)
    points = " ".join(f"{_number(x)},{_number(y)}" for x, y in (one, (x2, y2), other))
    ET.SubElement(svg, "polyline", {**look, "points": points, "stroke-linejoin": "round"})


def _legend(svg: ET.Element, palette: Palette) -> None:
    y = HEIGHT - 20
    box = {"y": str(y - 11), "width": "22", "height": "14", "rx": "3", "fill": "none", "stroke-width": "1.5"}
    ET.SubElement(svg, "rect", {**box, "x": str(LEFT + 1), "stroke": palette.accent})
    _text(svg, "in this version", LEFT + 31, y, size=13, fill=palette.muted)
    dashed = {"stroke": palette.muted, "stroke-dasharray": "5 4"}
    ET.SubElement(svg, "rect", {**box, **dashed, "x": str(LEFT + 149)})
    _text(svg, "designed, not there yet", LEFT + 179, y, size=13, fill=palette.muted)


def _text(
    svg: ET.Element,
    text: str,
    x: float,
    y: float,
    *,
    size: float,
    fill: str,
    weight: str = "400",
    family: str = SANS,
) -> None:
    place = {"x": _number(x), "y": _number(y), "font-size": str(size), "font-family": family}
    element = ET.SubElement(svg, "text", {**place, "fill": fill, "font-weight": weight})
    element.text = text


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
