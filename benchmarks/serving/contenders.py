"""The servers that are measured: how each is installed, prepared, started and asked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import rows
from rows import Body

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "fastapi": ("fastapi", "uvicorn", "httptools", "uvloop"),
    # MLServer 1.7 does not start with uvloop 0.23.
    "mlserver": ("mlserver", "mlserver-sklearn", "uvloop<0.22"),
    "bentoml": ("bentoml",),
    "mlflow": ("mlflow", "uvicorn"),
    "kserve": ("kserve",),
}
_VERSIONS = """
import sys
from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in sys.argv[1:]))
"""


class Site(NamedTuple):
    """What a contender is started with: the folder of artifacts, a folder of its own, its port."""

    artifacts: Path
    scratch: Path
    port: int
    texts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Contender:
    """`peer` names the environment it needs, `probability` finds it in the answer; a floor has none."""

    name: str
    command: Callable[[Site], Sequence[str]]
    path: str
    body: Body = rows.as_rows
    probability: Callable[[Any], float] | None = None
    peer: str | None = None
    prepare: Callable[[Site], None] = lambda _: None
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_installed(self) -> bool:
        return self.peer is None or bin_of(self.peer, "python").exists()


def lockgate(name: str, *options: str) -> Contender:
    return Contender(
        name=name,
        command=lambda site: (
            *(sys.executable, "-m", "lockgate_runtime", "serve", "--model", str(site.artifacts / "model")),
            *("--port", str(site.port), *options),
        ),
        path="/v1/predict",
        probability=lambda it: it["predictions"][0]["probability"],
    )


LOCKGATE = lockgate("Lockgate")
SILENT = lockgate("Lockgate, no monitoring", "--no-monitoring")
FLOORS = (
    Contender(
        name="asyncio and uvloop, hello",
        command=lambda site: (sys.executable, str(HERE / "floors.py"), str(site.port)),
        path="/",
    ),
    Contender(
        name="bare uvicorn, hello",
        peer="fastapi",
        command=lambda site: _uvicorn("floors:app", HERE, site),
        path="/",
    ),
)


def peers() -> tuple[Contender, ...]:
    return (
        Contender(
            name="MLServer, batched",
            peer="mlserver",
            prepare=lambda site: _write_mlserver(site, {"max_batch_size": 64, "max_batch_time": 0.002}),
            command=lambda site: _run("mlserver", "mlserver", "start", str(site.scratch)),
            path="/v2/models/flights/infer",
            body=rows.as_tensors,
            probability=lambda it: it["outputs"][0]["data"][1],
        ),
        Contender(
            name="MLServer",
            peer="mlserver",
            prepare=lambda site: _write_mlserver(site, {}),
            command=lambda site: _run("mlserver", "mlserver", "start", str(site.scratch)),
            path="/v2/models/flights/infer",
            body=rows.as_tensors,
            probability=lambda it: it["outputs"][0]["data"][1],
        ),
        Contender(
            name="FastAPI and scikit-learn",
            peer="fastapi",
            command=lambda site: _uvicorn("fastapi_app:app", HERE / "peers", site),
            path="/predict",
            body=rows.as_object,
            probability=lambda it: it["probability"],
        ),
        Contender(
            name="KServe's scikit-learn server",
            peer="kserve",
            command=lambda _: _run("kserve", "python", str(HERE / "peers" / "kserve_model.py")),
            path="/v1/models/flights:predict",
            body=rows.as_instance,
            probability=lambda it: it["predictions"][0][1],
        ),
        Contender(
            name="BentoML, batched",
            peer="bentoml",
            command=_bentoml,
            path="/predict_batch",
            body=rows.as_rows,
            probability=lambda it: it[0],
        ),
        Contender(
            name="BentoML",
            peer="bentoml",
            command=_bentoml,
            path="/predict",
            body=rows.as_argument,
            probability=float,
        ),
        Contender(
            name="MLflow",
            peer="mlflow",
            prepare=_save_mlflow,
            command=lambda site: (
                *_run("mlflow", "mlflow", "models", "serve", "--model-uri", str(site.scratch / "model")),
                *(
                    "--env-manager",
                    "local",
                    "--workers",
                    "1",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(site.port),
                ),
            ),
            path="/invocations",
            body=rows.as_split,
            probability=lambda it: it["predictions"][0][1],
        ),
    )


def environment(contender: Contender, site: Site) -> dict[str, str]:
    """Compiled bytecode for all; a peer finds its own commands first."""
    found = dict(os.environ)
    found.pop("PYTHONDONTWRITEBYTECODE", None)
    if contender.peer is not None:
        found["PATH"] = f"{bin_of(contender.peer)}{os.pathsep}{found['PATH']}"
    estimator = str(site.artifacts / "estimator.joblib")
    quiet = {"BENTOML_DO_NOT_TRACK": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"}
    own = {"ESTIMATOR": estimator, "TEXTS": ",".join(site.texts), "PORT": str(site.port)}
    return found | quiet | own | dict(contender.environment)


def install(peer: str) -> str | None:
    """Make the peer's environment, with the scikit-learn that the estimator was trained with; what went wrong.

    Nothing is left of one that cannot be made.
    """
    folder = bin_of(peer).parent
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", str(folder)), check=True)
    pin = f"scikit-learn=={version('scikit-learn')}"
    pip = (sys.executable, "-m", "pip", "--python", str(bin_of(peer, "python")), "install", "--quiet")
    command = (*pip, *PACKAGES[peer], "joblib", "pandas", pin)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    shutil.rmtree(folder)
    return done.stderr.strip()[-500:] or f"pip ended with {done.returncode}"


def versions(peer: str) -> str:
    """As `name version`, of what its environment was made for."""
    names = [name.partition("<")[0] for name in PACKAGES[peer]]
    command = (str(bin_of(peer, "python")), "-c", _VERSIONS, *names)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def bin_of(peer: str, program: str = "") -> Path:
    return ROOT / ".nox" / f"serving-{peer}" / "bin" / program


def _run(peer: str, program: str, *arguments: str) -> tuple[str, ...]:
    return (str(bin_of(peer, program)), *arguments)


def _uvicorn(application: str, folder: Path, site: Site) -> tuple[str, ...]:
    told = ("--app-dir", str(folder), "--port", str(site.port), "--no-access-log", "--log-level", "warning")
    return _run("fastapi", "uvicorn", application, *told)


def _bentoml(site: Site) -> tuple[str, ...]:
    told = ("--working-dir", str(HERE / "peers"), "--host", "127.0.0.1", "--port", str(site.port))
    return _run("bentoml", "bentoml", "serve", "bentoml_service:Flights", *told)


def _write_mlserver(site: Site, batching: Mapping[str, float]) -> None:
    """One process: another one would have to share the core."""
    server = {
        "host": "127.0.0.1",
        "http_port": site.port,
        "grpc_port": site.port + 1,
        "metrics_port": site.port + 2,
        "parallel_workers": 0,
        "debug": False,
    }
    model = {
        "name": "flights",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(site.artifacts / "estimator.joblib")},
        **batching,
    }
    site.scratch.joinpath("settings.json").write_text(json.dumps(server))
    site.scratch.joinpath("model-settings.json").write_text(json.dumps(model))


def _save_mlflow(site: Site) -> None:
    script, estimator = HERE / "peers" / "mlflow_save.py", site.artifacts / "estimator.joblib"
    command = _run("mlflow", "python", str(script), str(estimator), str(site.scratch / "model"))
    subprocess.run(command, check=True, capture_output=True)
