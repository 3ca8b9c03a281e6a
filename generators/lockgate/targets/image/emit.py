"""Plan → the Dockerfile of each served model. Its last stage has no compiler, needs no shell, and is not root.

The same inputs give the same layers: wheels alone are installed, bytecode is checked by hash, and times are the
builder's to set (`SOURCE_DATE_EPOCH` and `rewrite-timestamp`, or `buildah --timestamp`).
"""

from __future__ import annotations

from collections.abc import Iterator

from lockgate.plan import image
from lockgate.plan.model import Plan
from lockgate.plan.serving import CARD_FILE, MODEL_FOLDER, trust
from lockgate.spec.model import Model
from lockgate.targets.file import File
from lockgate.targets.image import dockerfile as docker
from lockgate.targets.image.bases import BASES, base_of
from lockgate.targets.image.dockerfile import Instruction

_ENVIRONMENT = "/opt/lockgate"
_PYTHON = f"{_ENVIRONMENT}/bin/python"
_USER = "10001:10001"
_PORT = "8080"
_PIP_OPTIONS = ("--no-cache-dir", "--no-compile", "--only-binary", ":all:")
# As a program `compileall` fails where any library ships one file that is not for this Python, such as a template.
_COMPILE = (
    "import compileall, py_compile; "
    f"compileall.compile_dir('{_ENVIRONMENT}/lib', quiet=2, "
    "invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)"
)
_LIVE = f"http://127.0.0.1:{_PORT}/v2/health/live"


def emit(plan: Plan) -> tuple[File, ...]:
    """A Dockerfile a model, as each may lock libraries of its own, and the ignore file that belongs to it."""
    served = {service.name for service in plan.services}
    return tuple(
        file for model in plan.spec.models.values() if model.name in served for file in _files(plan, model)
    )


def _files(plan: Plan, model: Model) -> tuple[File, File]:
    path = image.dockerfile(model.name)
    stages = ([*_build(plan, model)], [*_final(plan, model)])
    return (
        File(path=path, content=docker.dockerfile(stages)),
        File(path=f"{path}.dockerignore", content=_ignored(model)),
    )


def _base(plan: Plan, model: Model) -> str:
    """Where the table has no such Python yet, the newest: whoever needs another names it in the spec."""
    newest = BASES[max(BASES, key=lambda version: int(version.partition(".")[2]))].reference
    return model.image.base or base_of(plan.spec.project.python) or newest


def _build(plan: Plan, model: Model) -> Iterator[Instruction]:
    """`--mount` shows the repository to pip without a layer of it. The model is held to its hashes and asked once."""
    yield docker.base(_base(plan, model), "build")
    yield docker.environment(
        {
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",
        }
    )
    yield docker.word("WORKDIR", "/src")
    yield docker.run(["python", "-m", "venv", "--without-pip", _ENVIRONMENT])
    install = ["python", "-m", "pip", "--python", _PYTHON, "install", *_PIP_OPTIONS]
    yield docker.run(
        [*install, "--requirement", image.requirements(plan, model)], mount="type=bind,target=/src"
    )
    yield docker.run([_PYTHON, "-c", _COMPILE])
    yield docker.copy(image.model_folder(model.name), MODEL_FOLDER)
    yield docker.argument(image.ARTIFACT_SHA256)
    check = [_PYTHON, "-m", "lockgate_runtime", "serve", "--check", "--model", MODEL_FOLDER]
    yield docker.run([*check, *trust(model)])


def _final(plan: Plan, model: Model) -> Iterator[Instruction]:
    yield docker.base(_base(plan, model))
    yield docker.argument(image.REVISION)
    yield docker.argument(image.VERSION)
    yield docker.labels(
        {
            "org.opencontainers.image.title": model.name,
            "org.opencontainers.image.source": f"https://{plan.spec.project.repository}",
            "org.opencontainers.image.revision": f"${{{image.REVISION}}}",
            "org.opencontainers.image.version": f"${{{image.VERSION}}}",
        }
    )
    yield docker.environment(
        {"PATH": f"{_ENVIRONMENT}/bin:/usr/local/bin:/usr/bin:/bin", "PYTHONUNBUFFERED": "1"}
    )
    yield docker.copy(_ENVIRONMENT, _ENVIRONMENT, stage="build")
    yield docker.copy(MODEL_FOLDER, MODEL_FOLDER, stage="build")
    yield docker.copy(image.model_card(model.name), CARD_FILE)
    yield docker.word("USER", _USER)
    yield docker.word("EXPOSE", _PORT)
    ask = f"import urllib.request; urllib.request.urlopen('{_LIVE}', timeout=2)"
    yield docker.command("HEALTHCHECK --interval=30s --timeout=3s CMD", ["python", "-c", ask])
    yield docker.command("ENTRYPOINT", ["python", "-m", "lockgate_runtime", "serve"])
    listening = ["--host", "0.0.0.0"]  # noqa: S104 - a container's own network
    yield docker.command("CMD", ["--model", MODEL_FOLDER, "--card", CARD_FILE, *listening, *trust(model)])


def _ignored(model: Model) -> str:
    """The build sees no history, no data, no other model's files and nothing that a run leaves behind."""
    kept = (image.model_folder(model.name), image.model_card(model.name))
    hidden = (".git", ".dvc", ".venv", ".nox", ".cache", "**/__pycache__", "reports", "artifacts/*")
    parents = [f"!artifacts/{model.name}", f"artifacts/{model.name}/*"]
    return "\n".join([*hidden, *parents, *(f"!{path}" for path in kept)]) + "\n"
