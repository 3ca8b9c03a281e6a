"""DVC's remote: which one the committed configuration names, whether it answers, whether it holds what is pinned."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigError
from importlib.util import find_spec
from pathlib import Path

from lockgate.cli.doctor.item import Item, named
from lockgate.cli.dvc.remote import ask_remote, missing_artifacts
from lockgate.cli.failure import Failure
from lockgate.registry import shelf
from lockgate.spec.model import Spec

_CONFIG = ".dvc/config"
# No object has this hash: whether it is there can be asked of any remote that answers.
_NO_OBJECT = "0" * 32 + ".dir"
_SECRET_KEYS = (
    *("secret_access_key", "session_token", "password", "connection_string", "sas_token", "account_key"),
    *("client_secret", "oss_key_secret", "gdrive_client_secret", "token", "access_key_secret"),
)


def data_items(root: Path, spec: Spec, *, offline: bool) -> Iterator[Item]:
    """What is wrong with the remote, from its configuration to what it holds."""
    if not (root / ".dvc").is_dir():
        yield Item("data", "dvc-folder", "failed", "this project has no '.dvc' folder", fix="dvc init")
        return
    try:
        remotes, default = _remotes(root)
    except (OSError, ConfigError, UnicodeError):
        yield Item(
            "data", "dvc-config", "failed", f"{_CONFIG} cannot be read", _CONFIG, "restore it from Git"
        )
        return
    yield from _secrets(remotes)
    url = remotes.get(default, {}).get("url") if default else None
    if url is None:
        fix = f"dvc remote add --default storage {spec.project.data_remote}"
        yield Item("data", "dvc-remote", "failed", "DVC has no default remote", _CONFIG, fix)
        return
    yield from _place(root, spec, url)
    yield from _content(root, spec, offline=offline)


def _remotes(root: Path) -> tuple[Mapping[str, Mapping[str, str]], str | None]:
    """What the committed configuration says of each remote, and which is the default. CI has no other."""
    parser = ConfigParser(interpolation=None, strict=False)
    parser.read_string((root / _CONFIG).read_text(encoding="utf-8"))
    remotes = {
        section.strip("'").removeprefix('remote "').removesuffix('"'): dict(parser[section])
        for section in parser.sections()
        if section.startswith("'remote ")
    }
    return remotes, parser.get("core", "remote", fallback=None)


def _secrets(remotes: Mapping[str, Mapping[str, str]]) -> Iterator[Item]:
    found = sorted({key for block in remotes.values() for key in block if key in _SECRET_KEYS})
    if found:
        what = f"{_CONFIG}, which is committed, has {named(found)}"
        fix = "take it out and revoke it: in CI log in by OIDC, here use `dvc remote modify --local`"
        yield Item("data", "dvc-secret", "failed", what, _CONFIG, fix)


def _place(root: Path, spec: Spec, url: str) -> Iterator[Item]:
    wanted = spec.project.data_remote
    is_address = "://" in url
    # DVC reads a folder as from its own.
    folder = os.path.normpath(root / ".dvc" / url)
    same = url.rstrip("/") == wanted.rstrip("/") if is_address else folder == os.path.normpath(root / wanted)
    if not same:
        what = "DVC's default remote is not the one that project.data_remote names"
        fix = f"correct one of them: dvc remote add --force --default storage {wanted}"
        yield Item("data", "dvc-remote", "warning", what, _CONFIG, fix)
    if not is_address:
        what = "DVC's remote is a folder on this machine: CI and others cannot fetch from it"
        fix = "to try it out this will do; else name s3://, gs:// or azure:// in project.data_remote"
        yield Item("data", "dvc-local", "warning", what, _CONFIG, fix)
    if same and is_address:
        yield Item("data", "dvc-remote", "ok", "DVC's default remote is the one that the spec names")


def _content(root: Path, spec: Spec, *, offline: bool) -> Iterator[Item]:
    why = "not asked: --offline" if offline else "no DVC here" if find_spec("dvc") is None else ""
    if why:
        what = f"DVC's remote answers and holds what is pinned ({why})"
        yield Item("data", "dvc-reachable", "by hand", what, fix="lockgate check --remote")
        return
    try:
        ask_remote(root, (_NO_OBJECT,))
    except Failure as failure:
        fix = "see that you are logged in to it, then `lockgate check --remote`"
        yield Item("data", "dvc-reachable", "failed", failure.message, _CONFIG, fix)
        return
    yield Item("data", "dvc-reachable", "ok", "DVC's remote answers")
    yield from _pinned(root, spec)


def _pinned(root: Path, spec: Spec) -> Iterator[Item]:
    try:
        found = missing_artifacts(root, spec, shelf.on_disk(root))
    except Failure as failure:
        yield Item("data", "dvc-pinned", "failed", failure.message, _CONFIG, failure.help)
        return
    for it in found:
        yield Item("data", it.rule, "failed", it.message, ".".join(map(str, it.location)), it.help)
    if not found and any(spec.pins.values()):
        yield Item("data", "dvc-pinned", "ok", "DVC's remote holds every pinned model")
