"""Every rule id in the code has its section in `docs/diagnostics.md` and its case in `tests/errors`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "diagnostics.md"
CASES = ROOT / "tests" / "errors"

WITHOUT_A_CASE = {
    "artifact-missing": "needs DVC's remote: tests/registry",
    "file-edited": "needs files on a disk: tests/unit/output",
    "file-ejected": "needs files on a disk: tests/unit/output",
    "file-foreign": "needs files on a disk: tests/unit/output",
    "file-missing": "needs files on a disk: tests/unit/output",
    "file-orphan": "needs files on a disk: tests/unit/output",
    "file-stale": "needs files on a disk: tests/unit/output",
    "missing-file": "needs files on a disk",
    "ownership-file": "needs files on a disk: tests/unit/output",
    "pin-rejected": "needs a mark beside a record: tests/registry",
    "pin-requires": "needs a Git history: tests/registry",
    "pin-soak": "needs a Git history: tests/registry",
    "pin-without-image": "is about a release record: tests/registry",
    "record-edited": "is about a release record: tests/registry",
    "record-form": "is about a release record: tests/registry",
    "yaml-size": "would be a file of 8 MB: tests/unit/yaml",
}
"""Rules that the text of a spec alone cannot break. The `k8s-` rules need a release: `docs/examples.py` has them."""

_RULE_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+|expression")
_BEARERS = {"YamlError", "_Wording", "PodProblem", "Problem", "ObjectProblem"}


def test_every_rule_has_a_section_and_every_section_a_rule() -> None:
    assert _headings() == sorted(rules_in_code())


def test_every_section_has_an_example_of_its_rule_and_a_fix() -> None:
    sections = re.split(r"(?m)^## ", PAGE.read_text(encoding="utf-8"))[1:]
    incomplete = [
        rule
        for rule, section in zip(_headings(), sections, strict=True)
        if f"[{rule}]" not in section or "**Fix.**" not in section
    ]
    assert incomplete == []


def test_every_rule_has_a_case() -> None:
    needed = {rule for rule in rules_in_code() if not rule.startswith("k8s-")} - WITHOUT_A_CASE.keys()
    cases = {path.stem for path in CASES.glob("*.yaml")}
    assert sorted(needed - cases) == []


def test_rules_without_a_case_are_rules() -> None:
    assert sorted(WITHOUT_A_CASE.keys() - rules_in_code()) == []


def rules_in_code() -> set[str]:
    """The ids that the compiler's source gives to findings."""
    return {rule for path in (ROOT / "generators").rglob("*.py") for rule in _rules_of(path)}


def _rules_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for value in _rule_values(node):
            yield from _ids(value)


def _rule_values(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions that give a rule: `rule=…`, an argument of what bears a rule, or a constant called RULE."""
    if isinstance(node, ast.Call):
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "rule")
        if isinstance(node.func, ast.Name) and node.func.id in _BEARERS:
            yield from (argument for argument in node.args if isinstance(argument, ast.Constant))
    elif isinstance(node, ast.Assign):
        names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if any(name.lstrip("_") == "RULE" for name in names):
            yield node.value


def _ids(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.JoinedStr):
        assert ast.unparse(value) == "f'unknown-{kind}'", (
            "a rule's id is made in a way that this test does not know"
        )
        yield from ("unknown-model", "unknown-environment")
        return
    constants = (node.value for node in ast.walk(value) if isinstance(node, ast.Constant))
    yield from (text for text in constants if isinstance(text, str) and _RULE_ID.fullmatch(text))


def _headings() -> list[str]:
    return re.findall(r"(?m)^## (.+)$", PAGE.read_text(encoding="utf-8"))
