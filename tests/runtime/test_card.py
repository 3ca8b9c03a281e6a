"""The card of a real run, and hostile text: rendered by a real Markdown reader, it shows as itself and does nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.replacing import replace
from tests.runtime.stage_runs import artifact, run_stage, run_until

from lockgate import contract
from lockgate.spec.markdown import escape_markdown
from lockgate.spec.model import Card, Model, Spec

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HOSTILE = (
    "a|b\\|c `x` <img src=x onerror=alert(1)> @octocat #12 GH-7 [l](https://e.vil) ![i](//e.vil/p) **b** _i_ ~~s~~ "
    "$x$ &lt;b&gt; https://e.vil www.e.vil\n\n# heading\n\n| a | b |\n|---|---|\n\n- item\n\n```\ncode"
)
ALLOWED = {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


def kinds(markdown: str) -> set[str]:
    tokens = READER.parse(markdown)
    return {token.type for token in tokens} | {
        child.type for token in tokens for child in token.children or ()
    }


def shown_text(markdown: str) -> str:
    tokens = READER.parse(markdown)
    return "".join(child.content for token in tokens for child in token.children or ())


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain text, 1.5 (a-b)", "plain text, 1.5 (a-b)"),
        ("a|b", "a&#124;b"),
        ("two\nlines", "two lines"),
        ("roc_auc", "roc\\_auc"),
        ("@octocat", "&#64;&#8203;octocat"),
        ("#12", "&#35;&#8203;12"),
        ("https://e.vil", "https&#58;//e.vil"),
        ("- item", "&#45; item"),
        ("12. item", "12&#46; item"),
        ("a\u202eb", "a\ufffdb"),
    ],
)
def test_what_would_act_is_escaped(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped


@given(st.one_of(st.text(), st.text(alphabet="|\\`*_[]()<>&#@$~!-+=.:/ 1ab\n\t")))
def test_any_text_shows_as_itself(text: str) -> None:
    escaped = escape_markdown(text)
    assert kinds(escaped) <= ALLOWED
    shown = shown_text(escaped).replace("\u200b", "")
    assert shown == re.sub(
        "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]",
        "\ufffd",
        " ".join(re.sub(r"[\s\x00-\x20\x7f-\x9f\u2028\u2029]+", " ", text).strip().split(" ")),
    ).replace("\u200b", "")


@given(st.text(alphabet="|\\`*_[]()<>&#@$~!-+=.:/ 1ab\n\t"))
def test_any_text_stays_in_its_cell(text: str) -> None:
    table = f"| a | b |\n|---|---|\n| {escape_markdown(text)} | end |\n"
    cells = [token.type for token in READER.parse(table)].count("td_open")
    assert cells == 2


def hostile_of(model: Model) -> Model:
    card = Card(intended_use=HOSTILE, limitations=HOSTILE, ethics=HOSTILE)
    return replace(model, owner=HOSTILE, description=HOSTILE, card=card)


def test_the_card_tells_what_is_known(
    project: Path, make_model: Callable[..., Model], make_spec: Callable[[Model], Spec]
) -> None:
    model = replace(make_model(), description="Which buses will be late?")
    run_until("gate", make_spec(model), model, project)
    card = artifact(model, project, contract.CARD).read_text()
    titles = re.findall(r"^#+ (.*)$", card, flags=re.MULTILINE)
    assert titles == [
        "Model card: late-bus",
        "Use",
        "Gates",
        "Metrics",
        "By line, worst first",
        "Calibration",
        "Data",
        "Model",
    ]
    assert "Which buses will be late?" in card
    assert "**Intended use.** Nobody has written it yet: `card.intended_use` in `mlops.yaml`." in card
    assert "- **Says True** from a probability of 0.5" in card
    assert re.search(
        r"^\| `roc_auc` \| 0\.\d+ \| 0\.\d+ to [01]\.?\d* \| 0\.5 \| higher \|", card, flags=re.MULTILINE
    )
    assert re.search(r"^\| distance \| number \| no \|", card, flags=re.MULTILINE)


def test_two_cards_of_one_run_are_equal(
    project: Path, make_model: Callable[..., Model], make_spec: Callable[[Model], Spec]
) -> None:
    model = make_model()
    run_until("gate", make_spec(model), model, project)
    card = artifact(model, project, contract.CARD).read_bytes()
    run_stage("gate", make_spec(model), model, project)
    assert artifact(model, project, contract.CARD).read_bytes() == card


def test_hostile_text_does_nothing_in_the_card(
    project: Path, make_model: Callable[..., Model], make_spec: Callable[[Model], Spec]
) -> None:
    code = (project / "team/data.py").read_text()
    (project / "team/data.py").write_text(code.replace('["A", "B", "C"]', f'["A", {HOSTILE!r}, "C"]'))
    honest = make_model()
    run_until("gate", make_spec(honest), honest, project)
    calm = artifact(honest, project, contract.CARD).read_text()
    run_until("gate", make_spec(hostile_of(honest)), hostile_of(honest), project)
    card = artifact(honest, project, contract.CARD).read_text()
    assert not kinds(card) & {"link_open", "image", "html_inline", "html_block", "fence", "s_open", "em_open"}
    cells = [token.type for token in READER.parse(card)].count("td_open")
    assert cells == [token.type for token in READER.parse(calm)].count("td_open")
    assert not re.search(r"@\w|https?://", card)
