"""Builders of specs, and a small project with its own data and estimator."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

import pytest
from tests.replacing import replace

from lockgate.spec.model import (
    Card,
    Ci,
    Column,
    Compare,
    Data,
    Evaluate,
    Export,
    Job,
    Model,
    Project,
    Release,
    Spec,
    Train,
)

if TYPE_CHECKING:
    from pathlib import Path

MODEL = Model(
    name="late-bus",
    owner="ops",
    description=None,
    task="classification",
    requirements=None,
    code=None,
    data=Data(
        source="team.data:load",
        as_of=date(2024, 3, 1),
        train_days=60,
        holdout_days=20,
        holdout_share=None,
        split="time",
        target="late",
        time="departure",
        group=None,
        columns=None,
        deps=(),
    ),
    train=Train(estimator="team.model:build", params={}, seed=7),
    evaluate=Evaluate(
        positive=None,
        threshold=0.5,
        slices=("line",),
        metrics={},
        bootstrap_samples=100,
        bootstrap_confidence=0.95,
        worst_slices=None,
        fairness={},
    ),
    compare=Compare(environment="production", confidence=0.95, on_unknown="warn"),
    export=Export(format="auto", tolerance=0.0001, max_disagreement=0.001, trusted=()),
    gates={},
    stages={},
    card=Card(intended_use=None, limitations=None, ethics=None),
    job=Job(runner=None, timeout_minutes=None, prove="rebuild", on_difference="warn"),
    release=Release(bump="auto"),
    serve=None,
    written={},
)
COLUMN = Column(type="number", min=None, max=None, values=None, nullable=False, description=None)

DATA_CODE = '''
"""600 bus rides over 100 days; the farther and the busier, the later. One stop in twenty is unknown."""

import numpy as np
import pandas as pd


def load():
    random = np.random.default_rng(0)
    rows = 600
    distance = random.gamma(2.0, 3.0, rows).round(2)
    line = random.choice(["A", "B", "C"], rows)
    stops = random.integers(1, 30, rows).astype("float64")
    stops[random.random(rows) < 0.05] = np.nan
    score = 0.3 * distance + (line == "C") + 0.05 * np.nan_to_num(stops) - 3.0
    return pd.DataFrame(
        {
            "departure": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(rows) * 4, unit="h"),
            "distance": distance,
            "stops": stops,
            "line": line,
            "express": random.random(rows) < 0.3,
            "late": random.random(rows) < 1 / (1 + np.exp(-score)),
            "minutes": 10 * score + random.normal(0, 3, rows),
        }
    )
'''
MODEL_CODE = '''
"""Logistic regression for whether a bus is late, ridge regression for by how much."""

from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def build(C=1.0):
    return make_pipeline(columns(), LogisticRegression(C=C))


def build_regression(alpha=1.0):
    return make_pipeline(columns(), Ridge(alpha=alpha))


def columns():
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return make_column_transformer(
        (numbers, ["distance", "stops", "express"]),
        (OneHotEncoder(handle_unknown="ignore"), ["line"]),
    )
'''


@pytest.fixture
def make_column() -> Callable[..., Column]:
    """A column of the spec: a number without limits, but for what is given."""

    def make(**changes: object) -> Column:
        return replace(COLUMN, **changes)

    return make


@pytest.fixture
def make_model() -> Callable[..., Model]:
    """The model of `project`, with its sections changed: `make_model(data={"split": "random"})`."""

    def make(**changes: object) -> Model:
        sections = ("data", "train", "evaluate", "compare", "export", "card")
        nested = {
            name: replace(getattr(MODEL, name), **value)
            for name, value in changes.items()
            if name in sections and isinstance(value, Mapping)
        }
        return replace(MODEL, **{**changes, **nested})

    return make


@pytest.fixture
def make_spec() -> Callable[[Model], Spec]:
    """A spec that holds one model."""

    def make(model: Model) -> Spec:
        project = Project(
            repository="github.com/acme/buses",
            description=None,
            branch="main",
            image_registry=None,
            data_remote=".dvc/remote",
            requirements="requirements.txt",
            python="3.11",
            prometheus="http://prometheus-operated.monitoring.svc:9090",
        )
        ci = Ci(runner="ubuntu-24.04", timeout_minutes=60, updates=None, steps_before=(), steps_after=())
        return Spec(
            project=project,
            models={model.name: model},
            environments={},
            pins={},
            ci=ci,
            delivery=None,
            patches=(),
        )

    return make


@pytest.fixture
def project(tmp_path: Path, clean_imports: None) -> Path:
    """A project whose package `team` has `data:load`, `model:build` and `model:build_regression`."""
    team = tmp_path / "team"
    team.mkdir()
    (team / "__init__.py").write_text("")
    (team / "data.py").write_text(DATA_CODE)
    (team / "model.py").write_text(MODEL_CODE)
    return tmp_path


@pytest.fixture
def clean_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Modules that the test imports from its own folder are forgotten after it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
