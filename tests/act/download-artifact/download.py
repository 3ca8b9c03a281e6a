"""What actions/download-artifact does, from a folder."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def main() -> int:
    name = os.environ["NAME"]
    artifacts = sorted(Path(os.environ["ACT_ARTIFACTS"]).glob(name or os.environ["PATTERN"]))
    for artifact in artifacts:
        shutil.copytree(artifact, os.environ["TARGET"], dirs_exist_ok=True)
    return int(bool(name) and not artifacts)


if __name__ == "__main__":
    sys.exit(main())
