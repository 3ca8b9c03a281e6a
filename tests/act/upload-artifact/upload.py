"""What actions/upload-artifact does, into a folder: paths are kept from the deepest folder that all globs share."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def main() -> int:
    globs = os.environ["PATHS"].split()
    # A folder is uploaded with all that it holds, and none of its own name.
    shared = Path(
        os.path.commonpath([glob if Path(glob).is_dir() else str(Path(glob).parent) for glob in globs])
    )
    patterns = [f"{glob}/**/*" if Path(glob).is_dir() else glob for glob in globs]
    found = [path for glob in patterns for path in sorted(Path.cwd().glob(glob)) if path.is_file()]
    for path in found:
        target = Path(os.environ["ACT_ARTIFACTS"], os.environ["NAME"], path.relative_to(Path.cwd() / shared))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return int(os.environ["IF_NONE"] == "error" and not found)


if __name__ == "__main__":
    sys.exit(main())
