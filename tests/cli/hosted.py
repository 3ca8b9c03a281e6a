"""A stand-in for GitHub at which the user of the command line is logged in."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.posting.stand_in import GitHub, serve


@contextmanager
def hosted(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """Where commands that run the real `gh` look for GitHub; skips the test where there is no `gh`."""
    if shutil.which("gh") is None:
        pytest.skip("gh is missing: install Debian's gh")
    folder.mkdir()
    with serve(folder) as host:
        patch.setenv("GITHUB_API_URL", f"{host.url}/api/v3")
        patch.setenv("GITHUB_GRAPHQL_URL", f"{host.url}/api/graphql")
        patch.setenv("GH_HOST", host.url.removeprefix("https://"))
        patch.setenv("GH_ENTERPRISE_TOKEN", "no-token")
        patch.setenv("SSL_CERT_FILE", str(host.certificate))
        yield host
