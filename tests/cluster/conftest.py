"""A cluster on loopback that the environment's kubeconfig names, and a team that has releases in production."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.project_tree import edit
from tests.cluster.stand_in import StandIn, serve
from tests.registry.conftest import (  # noqa: F401 - fixtures
    copied,
    entered,
    lockgate,
    past,
    remote,
    template,
)
from tests.registry.team import commit_and_push, commit_on, pull, train

from lockgate.cli import main


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    with serve(folder) as stand_in:
        monkeypatch.setenv("KUBECONFIG", str(stand_in.kubeconfig))
        monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
        yield stand_in


@pytest.fixture(scope="session")
def live_template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """In production 1.0.0 came before 1.0.1: of iris by a canary, of wine by a rolling update."""
    root = copied(template, tmp_path_factory.mktemp("live") / "team")
    edit(root, "serve: {}   # as it comes", "serve: {rollout: canary, replicas: {min: 4, max: 8}}")
    edit(root, "    train: {estimator: models.wine.model:build}\n    serve: {}", _WINE)
    assert main(["-C", str(root), "render"]) == 0
    for day, version in enumerate(("1.0.0", "1.0.1")):
        for model in ("iris", "wine"):
            train(root, model, version)
        commit_and_push(root)
        images = [f"--image={model}={image(model, version)}" for model in ("iris", "wine")]
        assert main(["-C", str(root), "release", "--publish", "origin", *images]) == 0
        pull(root)
        for model in ("iris", "wine"):
            assert main(["-C", str(root), "promote", model, "production", "--version", version]) == 0
        with pytest.MonkeyPatch.context() as patch:
            commit_on(patch, day)
            commit_and_push(root, f"Promote {version}")
    return root.parent


_WINE = "    train: {estimator: models.wine.model:build}\n    serve: {rollout: rolling}"


def image(model: str, version: str) -> str:
    digest = f"{'a' if model == 'iris' else 'b'}{version.replace('.', '')}".ljust(64, "0")
    return f"ghcr.io/acme/{model}@sha256:{digest}"


@pytest.fixture
def live(live_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The clone, which is also the working directory; the remote lies beside it."""
    return entered(live_template, tmp_path, monkeypatch)
