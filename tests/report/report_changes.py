"""Comparisons with a champion and effects of a merge, made by hand, as their makers would have left them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.report.report_artifacts import HASH, Files, binary_files, gate, make_spec, regression_files

from lockgate.plan.merge import (
    EnvironmentEffect,
    FieldChange,
    MergeEffects,
    ModelEffect,
    ObjectChange,
    PatchEffect,
    ServiceEffect,
    StepEffect,
)
from lockgate.report import Proposal

ARTIFACT = HASH[::-1]
"""What the fixtures' export says of itself."""
COMMIT = "4f1d2a9c0b7e8d6f5a4b3c2d1e0f9a8b7c6d5e4f"
COMPARED_SPEC = make_spec(
    {
        "flight-delay": {
            "description": "Says before departure whether a flight will be late.",
            "gates": {
                "roc_auc": {"min": 0.70, "max_drop": 0.005},
                "log_loss": {"max_drop": 0.004},
                "accuracy": {"max_drop": 0.002},
                "latency_p99": {"max": "5ms"},
                "expected_calibration_error": {"max": 0.02, "on_fail": "warn"},
            },
            "evaluate": {
                "worst_slices": {"max": 3},
                "fairness": {"carriers": {"column": "carrier", "metric": "recall", "max_difference": 0.1}},
            },
        }
    }
)
LIVE = {
    "found": True,
    "origin": "pin",
    "environment": "production",
    "version": "1.2.0",
    "commit": COMMIT,
    "reason": None,
}
BASE = {**LIVE, "origin": "base", "environment": None, "version": None}
FIRST = {
    "found": False,
    "origin": "none",
    "environment": None,
    "version": None,
    "commit": None,
    "reason": "nothing is live yet",
}
LOST = {
    **LIVE,
    "found": False,
    "reason": "neither the cache nor the remote has 'artifacts/flight-delay/model'",
}
CHAMPION_CARD = (
    "# flight-delay\n\nSays if a flight will be late.\n\n## Limits\n\n- one airport\n- no ```code```\n"
)


def difference(
    name: str, candidate: float, champion: float, half: float | None, **others: Any
) -> dict[str, Any]:
    change = round(candidate - champion, 6)
    default: dict[str, Any] = {
        "metric": name,
        "better": "higher",
        "unit": "",
        "candidate": candidate,
        "champion": champion,
        "difference": change,
        "low": None if half is None else round(change - half, 6),
        "high": None if half is None else round(change + half, 6),
        "margin": 0.0,
        "answer": None,
        "reason": None,
    }
    return {**default, **others}


def drop_gate(change: dict[str, Any], outcome: str, reason: str) -> dict[str, Any]:
    doubtful = change["low"] if change["better"] == "higher" else -change["high"]
    return gate(
        change["metric"],
        "max_drop",
        change["margin"],
        change["difference"],
        low=change["low"],
        high=change["high"],
        margin=round(doubtful + change["margin"], 6),
        outcome=outcome,
        reason=reason,
    )


_CHANGES = {
    "roc_auc": difference("roc_auc", 0.7124, 0.7081, 0.0039, margin=0.005, answer="better"),
    "log_loss": difference(
        "log_loss", 0.4981, 0.4975, 0.0021, better="lower", margin=0.004, answer="no worse"
    ),
    "accuracy": difference("accuracy", 0.7431, 0.7434, 0.0031, margin=0.002, answer="too little data"),
    "expected_calibration_error": difference(
        "expected_calibration_error", 0.0231, 0.0172, 0.0031, better="lower", answer="worse"
    ),
}
_SLICES = (
    ("UA", 4_637, 0.731, 0.715, 0.011, "better"),
    ("EV", 4_641, 0.654, 0.671, 0.012, "worse"),
    ("B6", 4_413, 0.698, 0.701, 0.014, "too little data"),
    ("DL", 4_126, 0.722, 0.7205, 0.004, "no worse"),
    ("other", 212, 0.740, 0.751, None, None),
)


def _slice(
    label: str, rows: int, candidate: float, champion: float, half: float | None, answer: str | None
) -> Files:
    reason = None if answer else "too few rows for an interval"
    change = difference("roc_auc", candidate, champion, half, margin=0.005, answer=answer, reason=reason)
    return {**change, "column": "carrier", "label": label, "rows": rows}


_FAIRNESS = {
    "name": "carriers",
    "column": "carrier",
    "metric": "recall",
    "groups": {
        "UA": {"rows": 4_637, "value": 0.212},
        "EV": {"rows": 4_641, "value": 0.081},
        "HA": {"rows": 31, "value": None},
    },
    "difference": 0.131,
    "max_difference": 0.1,
    "outcome": "fail",
    "on_fail": "block",
    "reason": "recall is 0.212 for 'UA' and 0.0810 for 'EV'; at most 0.100 between them is allowed",
}
_DATA = {
    "rows": [121_377, 150_203],
    "target": {"0": [0.812, 0.791], "1": [0.188, 0.209]},
    "columns": {
        "carrier": {"psi": 0.0213, "missing": [0.0, 0.0], "change": None},
        "distance": {"psi": 0.1312, "missing": [0.0, 0.0004], "change": None},
        "temperature": {"psi": 0.641, "missing": [0.011, 0.012], "change": None},
        "visibility": {"psi": None, "missing": [None, 0.02], "change": "added"},
        "tailnum": {"psi": None, "missing": [0.007, None], "change": "removed"},
    },
}


def comparison() -> Files:
    """Against what production serves: better by AUC, unfair between carriers, worse for one of them."""
    fairness_gate = gate(
        "carriers", "fairness", 0.1, 0.131, margin=-0.031, outcome="fail", reason=_FAIRNESS["reason"]
    )
    return {
        "candidate_sha256": ARTIFACT,
        "champion": LIVE,
        "reason": None,
        "rows": 27_004,
        "confidence": 0.95,
        "samples": 500,
        "metrics": list(_CHANGES.values()),
        "slices": [_slice(*it) for it in _SLICES],
        "slices_tested": 214,
        "worst_slices": [
            {
                "description": "carrier is EV and distance is 17 to 502",
                "rows": 2_017,
                "metric": "log_loss",
                "value": 0.611,
                "whole": 0.4981,
                "p_value_adjusted": 4.1e-9,
            }
        ],
        "fairness": [_FAIRNESS],
        "data": _DATA,
        "signature": {"added": ["visibility"], "removed": ["tailnum"]},
        "gates": [
            drop_gate(_CHANGES["roc_auc"], "pass", "better: the whole interval is above 0"),
            drop_gate(_CHANGES["log_loss"], "pass", "no worse: it rises by less than 0.00400"),
            drop_gate(
                _CHANGES["accuracy"], "warn", "too little data to say whether it falls by more than 0.00200"
            ),
            fairness_gate,
        ],
    }


def unscored(champion: Files, reason: str) -> Files:
    """A comparison in which there are no numbers of a champion; its gates are skipped."""
    whole = comparison()
    gates = [
        {
            **it,
            "value": None,
            "low": None,
            "high": None,
            "margin": None,
            "outcome": "skipped",
            "reason": reason,
        }
        for it in whole["gates"][:3]
    ]
    nothing: Files = {"metrics": [], "slices": [], "data": None, "signature": {"added": [], "removed": []}}
    return {**whole, **nothing, "champion": champion, "reason": reason, "gates": [*gates, whole["gates"][3]]}


def champion_scan() -> Files:
    """Another model of the same signature, and a file that the candidate no longer has."""
    scan: Files = binary_files()["scan.json"]
    model, signature = scan["files"]
    other = {**model, "sha256": HASH[::-1], "size_bytes": 1_100_000}
    return {"passed": True, "files": [other, signature, {**signature, "path": "notes.json"}]}


def compared_files() -> Files:
    """Everything that a run with a base leaves."""
    return {
        **binary_files(),
        "comparison.json": comparison(),
        "champion/card.md": CHAMPION_CARD,
        "champion/scan.json": champion_scan(),
        "stages.json": {"ingest": "unchanged", "split": "cached", "train": "ran", "gate": "ran"},
        "provenance.json": {
            "mode": "rebuild",
            "answer": "equal metrics",
            "expected_md5": "0" * 32 + ".dir",
            "actual_md5": "1" * 32 + ".dir",
            "on_difference": "warn",
            "outcome": "pass",
            "reason": "the bytes differ, but every metric is equal within its noise",
        },
    }


def write_lock(root: Path, lock: bytes) -> None:
    """The lock of the head."""
    folder = root / "pipelines" / "flight-delay"
    folder.mkdir(parents=True)
    (folder / "dvc.lock").write_bytes(lock)


def with_comparison(files: Files, compared: Files) -> Files:
    return {**files, "comparison.json": compared}


def regression_comparison() -> Files:
    """The regression against the base branch: equal in every number."""
    same = difference("rmse", 101.37, 101.37, 0.0, better="lower", answer="no worse")
    statistics = {"mean": [189.5, 189.5], "std": [181.4, 181.4]}
    return {
        **comparison(),
        "champion": BASE,
        "rows": regression_files()["evaluation.json"]["rows"],
        "metrics": [same],
        "slices": [],
        "slices_tested": 40,
        "worst_slices": [],
        "fairness": [],
        "data": {
            "rows": [13_903, 13_903],
            "target": statistics,
            "columns": {"temperature": {"psi": 0.0, "missing": [0.0, 0.0], "change": None}},
        },
        "signature": {"added": [], "removed": []},
        "gates": [],
    }


EFFECTS = MergeEffects(
    models=(
        ModelEffect(
            name="flight-delay",
            change="runs",
            stages=(
                ("train", "models.flight-delay.train.params.max_iter changed"),
                ("evaluate", "train runs again"),
                ("gate", "evaluate runs again"),
            ),
            reasons=("mlops.yaml: models.flight-delay.train",),
        ),
        ModelEffect(name="species", change="served", stages=(), reasons=()),
    ),
    spec=(
        FieldChange(pointer="models.flight-delay.train.params.max_iter", old=200, new=300),
        FieldChange(pointer="deployments.production.flight-delay", old="1.2.0", new="1.3.0"),
        FieldChange(pointer="models.species.serve.pod", old=None, new={"priorityClassName": "high"}),
    ),
    manifests=(
        ObjectChange(
            path="manifests/production/flight-delay/deployment.yaml",
            kind="Deployment",
            name="flight-delay",
            environment="production",
            change="changed",
            fields=(
                FieldChange(
                    pointer="/spec/template/spec/containers[name=server]/image",
                    old="ghcr.io/acme/flight-delay@sha256:" + "a" * 64,
                    new="ghcr.io/acme/flight-delay@sha256:" + "b" * 64,
                ),
            ),
        ),
        ObjectChange(
            path="manifests/staging/species/service.yaml",
            kind="Service",
            name="species",
            environment="staging",
            change="added",
            fields=(),
        ),
    ),
    environments=(
        EnvironmentEffect(
            name="production",
            change="changed",
            namespace="ml",
            services=(
                ServiceEffect(
                    model="flight-delay",
                    change="changed",
                    old_version="1.2.0",
                    new_version="1.3.0",
                    image="ghcr.io/acme/flight-delay@sha256:" + "b" * 64,
                    rolls_out=True,
                    strategy="canary",
                    steps=(
                        StepEffect(weight_percent=10, pause_seconds=600),
                        StepEffect(weight_percent=50, pause_seconds=90),
                    ),
                ),
            ),
        ),
        EnvironmentEffect(
            name="staging",
            change="changed",
            namespace="ml-staging",
            services=(
                ServiceEffect(
                    model="species",
                    change="added",
                    old_version=None,
                    new_version=None,
                    image=None,
                    rolls_out=False,
                    strategy="rolling",
                    steps=(),
                ),
            ),
        ),
    ),
    patches=(
        PatchEffect(
            name="arm-nodes",
            target="manifests/production/*/deployment.yaml",
            reason="the production pool is arm64",
            files=("manifests/production/flight-delay/deployment.yaml",),
            change="added",
        ),
    ),
    other_files=("pipelines/flight-delay/dvc.yaml",),
    idle_files=("README.md", "docs/notes.md"),
    notes=("the base's spec has errors, so its files were taken as committed",),
)
NO_EFFECTS = MergeEffects(
    models=(),
    spec=(),
    manifests=(),
    environments=(),
    patches=(),
    other_files=(),
    idle_files=("README.md",),
    notes=(),
)
BASE_LOCK = b"""\
schema: '2.0'
stages:
  ingest:
    cmd: python -m lockgate_runtime ingest flight-delay
    deps:
    - path: data/flights.csv.dvc
      hash: md5
      md5: 0123456789abcdef0123456789abcdef
      size: 104
    - path: data/weather
      hash: md5
      md5: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.dir
      size: 2400000
      nfiles: 12
    outs:
    - path: artifacts/flight-delay/raw.parquet
      hash: md5
      md5: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
      size: 1200345
"""
LOCK = (
    BASE_LOCK.replace(b"a" * 32, b"c" * 32)
    .replace(b"nfiles: 12", b"nfiles: 13")
    .replace(b"b" * 32, b"d" * 32)
)
PROPOSAL = Proposal(effects=EFFECTS, base_locks={"flight-delay": BASE_LOCK})
NO_PROPOSAL = Proposal(effects=NO_EFFECTS, base_locks={})
