"""DVC's remote, which is asked by way of another program: what is said where it does not answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockgate.cli.dvc import remote
from lockgate.cli.failure import Failure

FOLDER = "0" * 32 + ".dir"


def test_a_remote_that_is_silent_is_waited_for_so_long_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_SECONDS", 0.01)
    monkeypatch.setattr(remote, "_SECONDS_A_FOLDER", 0.001)
    with pytest.raises(Failure, match=r"^DVC's remote did not answer within 0\.012 seconds$"):
        remote.ask_remote(tmp_path, (FOLDER, FOLDER))


def test_a_remote_that_cannot_be_asked_is_quoted(tmp_path: Path) -> None:
    pytest.importorskip("dvc", reason="needs DVC: pip install 'lockgate[pipeline]'")
    with pytest.raises(Failure, match=r"^DVC cannot ask its remote: NotDvcRepoError: you are not inside of"):
        remote.ask_remote(tmp_path, (FOLDER,))
