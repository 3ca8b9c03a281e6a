"""The files of a new project, as text: from a name and a repository to all that a first run needs."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lockgate import __version__

_TEMPLATES = Path(__file__).parent / "scaffold"
_LONGEST_NAME = 40
# Both ways of writing a remote: scheme://[user@]host/owner/name and user@host:owner/name.
_REMOTE = re.compile(r"(?:[a-z+]+://)?(?:[^@/]+@)?([^/:@]+(?::[0-9]+(?=/))?)[/:]([^/]+)/([^/]+?)(?:\.git)?/?")


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


def repository_of(remote: str | None) -> str | None:
    """`host/owner/name` of a Git remote's address; None where it has another form."""
    found = _REMOTE.fullmatch(remote or "")
    return "/".join((found[1].lower(), found[2], found[3])) if found else None


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
