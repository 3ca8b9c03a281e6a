"""The files of a new project, as text: from a name and a repository to all that a first run needs."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lockgate import __version__

_TEMPLATES = Path(__file__).parent
_LONGEST_NAME = 40


def model_name(text: str) -> str:
    """The nearest name that a model may have: lower case, digits and dashes, a letter first."""
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name or not name[0].isalpha():
        name = f"model-{name}".strip("-")
    return name[:_LONGEST_NAME].strip("-")


def package_name(model: str) -> str:
    """The Python package of a model's code."""
    name = model.replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def scaffold(model: str, repository: str) -> Mapping[str, str]:
    """Path to text. What is put into the templates has to be held to the schema by whoever writes the files."""
    package = package_name(model)
    values = {"model": model, "package": package, "repository": repository, "version": __version__}
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - YAML and Python, not HTML
        keep_trailing_newline=True,
    )
    files = {
        "mlops.yaml": "mlops.yaml.j2",
        f"models/{package}/__init__.py": "package.py.j2",
        f"models/{package}/data.py": "data.py.j2",
        f"models/{package}/model.py": "model.py.j2",
        "models/__init__.py": "package.py.j2",
        "requirements.txt": "requirements.txt.j2",
        ".gitignore": "gitignore.j2",
        ".dvcignore": "dvcignore.j2",
    }
    return {path: environment.get_template(template).render(values) for path, template in files.items()}
