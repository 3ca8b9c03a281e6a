"""What a run said of its stages, kept beside the artifacts for the report that is made after it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from lockgate.contract import artifact_path

STAGES = "stages.json"


def keep_stages(root: Path, model: str, stages: Mapping[str, str]) -> None:
    """Write by stage whether it ran or was cached; the model's artifacts have to be there."""
    text = json.dumps(dict(stages), indent=2, sort_keys=False) + "\n"
    (root / artifact_path(model, STAGES)).write_text(text, encoding="utf-8")
