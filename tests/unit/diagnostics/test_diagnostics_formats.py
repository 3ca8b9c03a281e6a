"""What programs read of diagnostics, hostile messages included."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate import __version__
from lockgate.diagnostics.formats import render_github, render_json, render_sarif
from lockgate.diagnostics.model import Diagnostic, Position

ERROR = Diagnostic(
    rule="gate-metric",
    message="no metric 'auc'",
    file="a b/mlops.yaml",
    position=Position(line=14, column=13, end_line=14, end_column=16),
    path="models.x.gates",
    help="write 'roc_auc'",
)
WARNING = Diagnostic(rule="spec-size", message="long", file="mlops.yaml", severity="warning")
HOSTILE = Diagnostic(
    rule="r,title=x::y",
    message="50%\r\n::stop-commands::x [a](https://b)",
    file="a:b,c\n::error::x",
    help="\x1b[31m\n::set-output name=x::y",
)


def test_json_has_every_key_of_every_finding() -> None:
    assert json.loads(render_json([ERROR, WARNING])) == {
        "diagnostics": [
            {
                "rule": "gate-metric",
                "severity": "error",
                "message": "no metric 'auc'",
                "help": "write 'roc_auc'",
                "file": "a b/mlops.yaml",
                "path": "models.x.gates",
                "position": {"line": 14, "column": 13, "end_line": 14, "end_column": 16},
            },
            {
                "rule": "spec-size",
                "severity": "warning",
                "message": "long",
                "help": "",
                "file": "mlops.yaml",
                "path": "",
                "position": None,
            },
        ],
        "summary": {"errors": 1, "warnings": 1},
    }


def test_json_without_findings_keeps_its_shape() -> None:
    assert json.loads(render_json([])) == {"diagnostics": [], "summary": {"errors": 0, "warnings": 0}}


def test_github_gets_a_command_a_finding() -> None:
    assert render_github([ERROR, WARNING]) == (
        "::error file=a b/mlops.yaml,line=14,endLine=14,col=13,endColumn=16,title=gate-metric"
        "::no metric 'auc'%0Ahelp: write 'roc_auc'\n"
        "::warning file=mlops.yaml,title=spec-size::long\n"
    )


def test_github_gets_no_columns_of_different_lines() -> None:
    found = Diagnostic(
        rule="r", message="m", file="f", position=Position(line=1, column=5, end_line=3, end_column=2)
    )

    assert render_github([found]) == "::error file=f,line=1,endLine=3,title=r::m\n"


def test_github_is_given_no_command_by_a_message() -> None:
    assert render_github([HOSTILE]) == (
        "::error file=a%3Ab%2Cc\\n%3A%3Aerror%3A%3Ax,title=r%2Ctitle=x%3A%3Ay"
        "::50%25\\r\\n::stop-commands::x [a](https://b)%0Ahelp: \\x1b[31m\\n::set-output name=x::y\n"
    )


@given(st.text(), st.text(), st.text(), st.text())
def test_github_reads_back_one_command_of_any_text(rule: str, message: str, file: str, help_: str) -> None:
    printed = render_github([Diagnostic(rule=rule, message=message, file=file, help=help_)])

    assert re.fullmatch(r"::error file=[^:,\r\n]*,title=[^:,\r\n]*::[^\r\n]*\n", printed)
    assert not re.search(r"%(?!25|0A|0D|3A|2C)", printed)


def test_sarif_has_what_code_scanning_needs() -> None:
    assert json.loads(render_sarif([ERROR, WARNING])) == {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "lockgate",
                        "version": __version__,
                        "rules": [
                            {
                                "id": "gate-metric",
                                "name": "gate-metric",
                                "shortDescription": {"text": "gate metric"},
                            },
                            {
                                "id": "spec-size",
                                "name": "spec-size",
                                "shortDescription": {"text": "spec size"},
                            },
                        ],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [
                    {
                        "ruleId": "gate-metric",
                        "ruleIndex": 0,
                        "level": "error",
                        "message": {"text": "no metric 'auc'\nwrite 'roc_auc'"},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": "a%20b/mlops.yaml"},
                                    "region": {
                                        "startLine": 14,
                                        "startColumn": 13,
                                        "endLine": 14,
                                        "endColumn": 16,
                                    },
                                }
                            }
                        ],
                    },
                    {
                        "ruleId": "spec-size",
                        "ruleIndex": 1,
                        "level": "warning",
                        "message": {"text": "long"},
                        "locations": [{"physicalLocation": {"artifactLocation": {"uri": "mlops.yaml"}}}],
                    },
                ],
            }
        ],
    }


def test_sarif_makes_no_link_of_a_message() -> None:
    result = json.loads(render_sarif([HOSTILE]))["runs"][0]["results"][0]

    assert result["message"]["text"].startswith("50%\r\n::stop-commands::x [a] (https://b)\n")
    assert (
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        == "a%3Ab%2Cc%0A%3A%3Aerror%3A%3Ax"
    )


@pytest.mark.parametrize("render", [render_json, render_sarif])
def test_json_formats_are_ascii_whatever_the_text(render: Callable[[Iterable[Diagnostic]], str]) -> None:
    found = Diagnostic(rule="é", message="\u202e\x1b\ud800", file="🚀\ud800", help="\u2028")

    printed = render([found])

    assert printed.isascii()
    assert printed.endswith("}\n")
    assert "\x1b" not in printed
    assert json.loads(printed)
