"""Plan → `pipelines/<model>/dvc.yaml`, whose stages DVC runs. It knows nothing of what the stages do."""

from __future__ import annotations

from lockgate.targets.dvc.pipeline import emit

__all__ = ["emit"]
