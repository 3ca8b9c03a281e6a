"""YAML in the documentation compiles: whole specs as they are, fragments laid over a small spec."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from tests.docs.pages import ROOT, Block, blocks

from lockgate import plan, spec, targets
from lockgate.plan.model import Record
from lockgate.yaml.dump import dump

EXAMPLES = [block for block in blocks() if block.language == "yaml"]
DIGEST = "1f" * 32
SMALL: Mapping[str, Any] = {
    "apiVersion": "lockgate.dev/v1",
    "project": {"repository": "github.com/acme/flights"},
    "models": {
        "flight-delay": {
            "owner": "ops-analytics",
            "task": "classification",
            "data": {"source": "models.flight_delay.data:load", "target": "delayed"},
            "train": {"estimator": "models.flight_delay.model:build"},
            "serve": {},
        }
    },
    "environments": {"production": {"namespace": "ml"}},
    "deployments": {"production": {"flight-delay": "1.2.0"}},
}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda block: block.name)
def test_yaml_in_the_documentation_compiles(example: Block) -> None:
    kind = example.info.partition(" ")[2]
    document = yaml.safe_load(example.text)
    if kind in ("", "spec"):
        assert rules(example.text) == []
    elif kind == "fragment":
        assert rules(dump(laid_over(SMALL, document))) == []
    else:
        assert kind == "planned"
        assert set(rules(dump(laid_over(SMALL, document)))) == {"not-yet"}


def test_the_tree_in_the_readme_is_what_its_spec_makes() -> None:
    readme = [block for block in blocks() if block.page == "README.md"]
    written = next(block.text for block in readme if block.text.startswith("apiVersion"))
    tree = next(block.text for block in readme if block.text.startswith(".github"))
    assert dict(_tree(tree)) == _rendered(written)


def rules(text: str) -> list[str]:
    """The rules that a spec breaks, up to the finished files."""
    reading = spec.read(text.encode())
    if reading.spec is None:
        return [diagnostic.rule for diagnostic in reading.diagnostics]
    planned, findings = plan.make(reading.spec, {("flight-delay", "1.2.0"): _release()})
    return [finding.rule for finding in (*findings, *targets.render(planned).findings)]


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            merged[key] = laid_over(under, value)
        else:
            merged[key] = value
    return merged


def _release() -> Record:
    return Record(
        model="flight-delay",
        version="1.2.0",
        image=f"ghcr.io/acme/flight-delay@sha256:{DIGEST}",
        artifact_sha256=DIGEST,
        metrics={},
    )


def _rendered(text: str) -> dict[str, bool]:
    """Each file that the spec makes, and whether it needs a release."""
    reading = spec.read(text.encode())
    assert reading.spec is not None, reading.diagnostics
    unreleased = targets.render(plan.make(reading.spec, {})[0]).files
    pinned = spec.read(f"{text}deployments:\n  production: {{flight-delay: 1.2.0}}\n".encode())
    assert pinned.spec is not None, pinned.diagnostics
    released = targets.render(plan.make(pinned.spec, {("flight-delay", "1.2.0"): _release()})[0]).files
    return {path: path not in unreleased for path in released}


def _tree(text: str) -> list[tuple[str, bool]]:
    """The files of an indented tree, and whether a star stands behind them."""
    folders: list[tuple[int, str]] = []
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("*"):
            continue
        indent, name = len(line) - len(line.lstrip()), line.split()[0]
        folders = [folder for folder in folders if folder[0] < indent]
        path = "".join(folder for _, folder in folders) + name
        if name.endswith("/"):
            folders.append((indent, name))
        else:
            found.append((path, line.endswith("*")))
    return found


def test_the_readme_names_the_commands_that_exist() -> None:
    commands = [
        block.text.split() for block in blocks() if block.page == "README.md" and block.info == "bash"
    ]
    told = [words[2] for words in commands if words[:2] == ["python3", "bootstrap.py"]]
    assert len(told) == len(commands)
    usage = subprocess.run(
        [sys.executable, "bootstrap.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert told == re.findall(r"(?m)^    (\w+) ", usage)
