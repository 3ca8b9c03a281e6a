"""Literals that look like secrets are refused wherever they stand; what only resembles one is not."""

from __future__ import annotations

import pytest

from lockgate import spec
from lockgate.yaml.dump import dump
from tests.spec.specs import with_model

# Put together here, so that no scanner takes this file for a leak.
SECRETS = [
    "AKIA" + "A1B2C3D4E5F6G7H8",
    "ghp" + "_" + "a1" * 18,
    "github" + "_pat_" + "a1" * 18,
    "glpat" + "-" + "a1" * 10,
    "AIza" + "b" * 35,
    "xoxb" + "-" + "1234567890",
    "-----BEGIN " + "RSA PRIVATE KEY-----",
    "eyJ" + "a" * 12 + ".eyJ" + "b" * 12 + ".c",
    "postgres://ada:" + "hunter2" + "@db/flights",
]


def rules(description: str) -> list[str]:
    return [it.rule for it in spec.read(dump(with_model(description=description)).encode()).diagnostics]


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_a_secret_in_any_text_is_refused(secret: str) -> None:
    assert rules(f"see {secret} for more") == ["literal-secret"]


@pytest.mark.parametrize(
    "text", ["AKIA", "https://example.org/@ada", "eyJust", "the token is in the vault", "xoxo"]
)
def test_what_only_resembles_a_secret_is_text(text: str) -> None:
    assert rules(text) == []
