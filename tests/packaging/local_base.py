"""A folder that can be the root of a container: this machine's Python and the libraries that it and wheels load."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_FOR_WHEELS = ("libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0")
_LEFT_OUT = shutil.ignore_patterns(
    "site-packages", "__pycache__", "test", "tests", "idlelib", "lib2to3", "*.a"
)


def write_base(root: Path) -> None:
    """Fill the folder: `python` with pip at its usual place in images, certificates, users, how pip finds packages."""
    prefix = Path(sys.base_prefix)
    home = root / prefix.relative_to("/")
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # No more than that of `lib`, which is the system's where the system's Python runs this.
    modules = Path(sysconfig.get_path("stdlib"))
    copied = root / modules.relative_to("/")
    shutil.copytree(modules, copied, symlinks=True, ignore=_LEFT_OUT)
    (home / "bin").mkdir()
    shutil.copy2(prefix / "bin" / python, home / "bin" / python)
    _copy_pip(copied)
    for library in _libraries(prefix / "bin" / python, home):
        _copy(library, root)
    links = root / "usr/local/bin"
    links.mkdir(parents=True)
    for name in ("python", "python3", python):
        (links / name).symlink_to(prefix / "bin" / python)
    _write_settings(root)


def _copy_pip(modules: Path) -> None:
    """Among the standard modules, where every Python looks: that of Debian has another place for packages."""
    found = find_spec("pip")
    assert found is not None, "the environment of the tests has pip"
    assert found.origin is not None, "it is a package on the disk"
    shutil.copytree(Path(found.origin).parent, modules / "pip", ignore=_LEFT_OUT)


def _libraries(python: Path, home: Path) -> Iterator[Path]:
    """What the loader finds for the interpreter and its extension modules, and the usual needs of wheels."""
    programs = [python, *home.rglob("*.so")]
    printed = subprocess.run(["ldd", *map(str, programs)], capture_output=True, text=True, check=False).stdout
    found = {
        word for word in printed.split() if word.startswith("/") and ".so" in word and not word.endswith(":")
    }
    cache = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    for line in cache.splitlines():
        name, _, path = line.strip().partition(" => ")
        if name.split(" ")[0] in _FOR_WHEELS and "x86-64" in name:
            found.add(path)
    return (Path(path) for path in sorted(found) if Path(path).exists())


def _copy(library: Path, root: Path) -> None:
    target = root / library.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        shutil.copy2(library.resolve(), target)


def _write_settings(root: Path) -> None:
    (root / "etc/ssl/certs").mkdir(parents=True)
    (root / "tmp").mkdir()
    (root / "tmp").chmod(0o1777)
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.exists():
        shutil.copy(bundle, root / "etc/ssl/certs")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/none\n")
    (root / "etc/group").write_text("root:x:0:\n")
    settings = {
        name[4:].lower().replace("_", "-"): value
        for name, value in os.environ.items()
        if name.startswith("PIP_")
    }
    settings.pop("find-links", None)
    lines = [f"{name} = {value}" for name, value in sorted(settings.items())]
    (root / "etc/pip.conf").write_text("\n".join(["[global]", *lines, ""]))
