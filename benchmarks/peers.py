"""Projects for other compilers that make the manifests of one environment, as many as Lockgate made of the same spec.

Their templates are one service's manifests with its name left open, so that what they do is less, not more.
"""

from __future__ import annotations

from pathlib import Path

from lockgate.yaml.dump import dump


def write_kapitan(root: Path, environment: Path) -> int:
    """A Kapitan project in the folder: a target a service, one set of Jinja templates. Returns the services."""
    (root / "inventory" / "classes").mkdir(parents=True)  # Kapitan looks for it, though it is empty.
    services = sorted(path.name for path in environment.iterdir() if path.is_dir())
    largest = max(services, key=lambda name: len(list((environment / name).iterdir())))
    for path in sorted((environment / largest).glob("*.yaml")):
        _write(root / "templates" / path.name, _open(path, largest, "{{ inventory.parameters.name }}"))
    for service in services:
        _write(root / "inventory" / "targets" / f"{service}.yml", dump(_target(service)))
    return len(services)


def write_copier(root: Path, environment: Path) -> str:
    """A Copier template of the environment's first service in the folder. Returns the service's name."""
    service = min(path.name for path in environment.iterdir() if path.is_dir())
    _write(root / "copier.yml", dump({"name": {"type": "str"}, "_subdirectory": "files"}))
    for path in sorted((environment / service).glob("*.yaml")):
        _write(root / "files" / f"{path.name}.jinja", _open(path, service, "{{ name }}"))
    return service


def _target(service: str) -> dict[str, object]:
    step = {
        "output_path": "manifests",
        "input_type": "jinja2",
        "output_type": "yaml",
        "input_paths": ["templates"],
    }
    return {"parameters": {"name": service, "kapitan": {"vars": {"target": service}, "compile": [step]}}}


def _open(path: Path, service: str, placeholder: str) -> str:
    return path.read_text(encoding="utf-8").replace(service, placeholder)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
