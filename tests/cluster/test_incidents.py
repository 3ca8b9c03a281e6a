"""The file between the two steps of `lockgate watch`, and what a pull request says of it: both are hostile input."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lockgate.cli.pull_requests.incident_body import pull_request_body
from lockgate.cli.releasing.moving import Move
from lockgate.cluster.incidents import IncidentError, Unclear, Watched, dump, load

INCIDENT: dict[str, Any] = {
    "environment": "production",
    "model": "iris",
    "version": "1.0.1",
    "state": "aborted",
    "revision": "7",
    "pod_hash": "6d4cf56db6",
    "evidence": {
        "message": "RolloutAborted",
        "analyses": [{"run": "a", "metric": "m", "phase": "Failed", "message": "why", "values": ["[0.9]"]}],
        "warnings": [{"reason": "Bad", "message": "worse", "times": 2, "last": "2026-11-03T02:00:00Z"}],
        "gaps": ["events: no"],
    },
}
MOVE = Move("iris", "production", "1.0.1", "1.0.0", marks={})


def read(incident: dict[str, Any]) -> Watched:
    return load(json.dumps({"incidents": [incident], "unclear": []}).encode())


def body(**evidence: Any) -> str:
    (incident,) = read({**INCIDENT, "evidence": evidence}).incidents
    return pull_request_body(incident, MOVE)


def test_what_is_written_is_read_back() -> None:
    watched = Watched(read(INCIDENT).incidents, (Unclear("production", "wine", "nobody knows"),))
    assert load(dump(watched).encode()) == watched


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("environment", "../x"),
        ("model", "iris\nnext"),
        ("version", "1.0"),
        ("version", None),
        ("state", "in sync"),
        ("revision", "7; rm"),
        ("pod_hash", "A" * 64),
    ],
)
def test_an_incident_of_another_form_is_refused(key: str, value: object) -> None:
    with pytest.raises(IncidentError, match=f"'{key}' of an incident is not of its form"):
        read({**INCIDENT, key: value})


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"incidents": {}, "unclear": []}',
        b'{"incidents": [1], "unclear": []}',
        b"[" * 100_000,
    ],
)
def test_a_file_of_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(IncidentError):
        load(data)


def test_an_id_that_the_file_claims_counts_for_nothing() -> None:
    plain, claiming = read(INCIDENT), read({**INCIDENT, "incident": "../../main"})
    assert plain.incidents[0].id == claiming.incidents[0].id


def test_evidence_is_bounded_in_number_and_length() -> None:
    analysis = {"run": "r" * 9999, "metric": "m\nn\x1b[31m", "values": [str(it) * 999 for it in range(9)]}
    evidence = {"message": "x" * 9999, "analyses": [analysis] * 30, "warnings": [{"times": 10**30}] * 99}
    found = read({**INCIDENT, "evidence": evidence}).incidents[0].evidence
    assert (len(found.message), len(found.analyses), len(found.warnings)) == (400, 20, 10)
    assert (len(found.analyses[0].run), found.analyses[0].metric) == (200, "m n [31m")
    assert [len(it) for it in found.analyses[0].values] == [200] * 5
    assert found.warnings[0].times == 1_000_000


@pytest.mark.parametrize(
    ("text", "live"),
    [
        ("@octocat", "@octocat"),
        ("closes #12", "#12"),
        ("<img src=x>", "<img"),
        ("a | b", "a | b"),
        ("[skip ci]", "[skip ci]"),
        ("![x](https://evil.example)", "[x]("),
        ("`code`", "`code`"),
    ],
)
def test_words_of_a_cluster_do_nothing_in_a_pull_request(text: str, live: str) -> None:
    analysis = {"metric": "m", "phase": text, "message": text, "values": [text], "run": text}
    warning = {"reason": text, "message": text, "last": text}
    assert live not in body(message=text, analyses=[analysis], warnings=[warning], gaps=[text])


def test_a_line_of_a_cluster_ends_no_table() -> None:
    analysis = {"metric": "m", "message": "one\n\n# two", "values": ["a\r\nb"]}
    assert "| `m` |  | a b | one &#35;&#8203; two |" in body(analyses=[analysis])


def test_a_pull_request_is_never_longer_than_github_takes() -> None:
    worst = "@" * 200
    analyses = [{"metric": worst, "phase": worst, "message": worst, "values": [worst] * 5}] * 20
    warnings = [{"reason": worst, "message": worst, "last": worst}] * 10
    text = body(message=worst * 2, analyses=analyses, warnings=warnings, gaps=[worst] * 2)
    assert len(text) < 65_536
    assert "What was measured" in text
