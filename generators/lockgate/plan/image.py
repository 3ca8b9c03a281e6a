"""The image of a served model: where it is pushed, what it is built from, and what the build is told."""

from __future__ import annotations

from lockgate.contract import CARD, MODEL_DIRECTORY, artifact_path
from lockgate.plan.model import Plan
from lockgate.spec.model import Model

# What the build is told by `--build-arg`.
ARTIFACT_SHA256 = "ARTIFACT_SHA256"
REVISION = "REVISION"
VERSION = "VERSION"


def repository(plan: Plan, model: str) -> str:
    """The image's name in its registry, without a tag: `ghcr.io/acme/flight-delay`."""
    project = plan.spec.project
    owner = project.repository.split("/")[1].lower()
    return f"{project.image_registry or f'ghcr.io/{owner}'}/{model}"


def dockerfile(model: str) -> str:
    """The path of the Dockerfile; the build's context is the project's folder."""
    return f"pipelines/{model}/Dockerfile"


def model_folder(model: str) -> str:
    """What is served, as the pipeline left it."""
    return artifact_path(model, MODEL_DIRECTORY)


def model_card(model: str) -> str:
    return artifact_path(model, CARD)


def requirements(plan: Plan, model: Model) -> str:
    """The file that the image installs."""
    return model.image.requirements or model.requirements or plan.spec.project.requirements
