"""Whether a model could be served here: its files, its libraries and one answer. What an image's build asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from lockgate.contract.example import example_row
from lockgate_runtime.server.artifact import load
from lockgate_runtime.server.engine import open_engine
from lockgate_runtime.server.rows import Inputs
from lockgate_runtime.server.trial import require_answer

if TYPE_CHECKING:
    from lockgate_runtime.server.settings import Settings


def check(settings: Settings) -> str:
    """What was found, in one line. Raises `ArtifactError` where the model cannot be served."""
    artifact = load(settings.model, settings.artifact_sha256)
    engine = open_engine(artifact, settings.trusted)
    require_answer(engine, artifact.signature, artifact.reference)
    row = example_row(artifact.signature, artifact.reference)
    Inputs(artifact.signature, "accept").decode(msgspec.json.encode({"rows": [row]}), most_rows=1)
    return (
        f"{artifact.signature['model']} can be served ({artifact.format}, artifact {artifact.sha256[:12]}…)"
    )
