"""The yardstick: a process that loads a spec with PyYAML's C loader, validates it with jsonschema, and does no more.

The schema is not checked against its own metaschema, which `jsonschema.validate` would do as well.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import yaml

document = yaml.load(Path(sys.argv[1]).read_bytes(), Loader=yaml.CSafeLoader)
schema = json.loads(Path(sys.argv[2]).read_bytes())
jsonschema.Draft202012Validator(schema).validate(document)
