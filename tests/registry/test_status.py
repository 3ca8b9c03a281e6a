"""`lockgate status` from files alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Lockgate
from tests.cli.project_tree import edit
from tests.registry.team import IMAGE


def states(lockgate: Lockgate) -> dict[tuple[str, str], str]:
    told = json.loads(lockgate("status", "--format", "json").out)["services"]
    return {(it["environment"], it["model"]): it["state"] for it in told}


def test_status_as_a_table(live: Path, lockgate: Lockgate) -> None:
    assert lockgate("status").out == (
        "Environment  Model  Pinned  Newest  State\n"
        "staging      iris   -       1.0.1   unreleased\n"
        "staging      wine   -       -       unreleased\n"
        "production   iris   1.0.1   1.0.1   newest\n"
        "production   wine   -       -       unreleased\n"
    )


def test_json_names_the_image_that_the_manifests_run(live: Path, lockgate: Lockgate) -> None:
    told = json.loads(lockgate("status", "--format", "json").out)["services"]
    assert [it["image"] for it in told if it["pinned"]] == [IMAGE]


def test_an_older_pin_is_behind(live: Path, lockgate: Lockgate) -> None:
    assert lockgate("rollback", "iris", "production").code == 0
    assert states(lockgate)["production", "iris"] == "behind"


def test_a_pin_without_its_manifests_is_told(released: Path, lockgate: Lockgate) -> None:
    edit(
        released,
        "environments:\n",
        "deployments: {staging: {iris: 1.0.1}, production: {iris: 9.0.0}}\nenvironments:\n",
    )
    found = states(lockgate)
    assert (found["staging", "iris"], found["production", "iris"]) == ("stale manifests", "no record")


def test_a_rejected_pin_is_told(live: Path, lockgate: Lockgate) -> None:
    assert lockgate("rollback", "iris", "production", "--reason", "bad").code == 0
    edit(live, "iris: 1.0.0", "iris: 1.0.1")
    assert states(lockgate)["production", "iris"] == "rejected"
