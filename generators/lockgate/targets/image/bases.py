"""The images that a served model's image starts from, by Python version: pinned, with the tag for people."""

from __future__ import annotations

from lockgate.tuples import NamedTuple


class Base(NamedTuple):
    """`digest` names the list of manifests of all platforms, as `docker buildx imagetools inspect TAG` prints it."""

    tag: str
    digest: str

    @property
    def reference(self) -> str:
        return f"{self.tag}@sha256:{self.digest}"


BASES = {
    "3.11": Base(
        tag="docker.io/library/python:3.11-slim-trixie",
        digest="9534e5a8e315485d4061ed659af0fd78a284c015f9b73661b41d6bab25604534",
    ),
    "3.12": Base(
        tag="docker.io/library/python:3.12-slim-trixie",
        digest="e5c9fa26ffb76e11e0f054f30dc2523a2f9693f0c36c0cf1e39b27e152d899fc",
    ),
    "3.13": Base(
        tag="docker.io/library/python:3.13-slim-trixie",
        digest="9d2e5553305c7c7b0097999bb17187c69b921ccd6bc9d40e4bb5ebe652c00285",
    ),
    "3.14": Base(
        tag="docker.io/library/python:3.14-slim-trixie",
        digest="51dafde81dbdb6ebde285137a295cf18a47ca95234fe388a343719cb97305b3d",
    ),
}


def base_of(python: str) -> str | None:
    """The reference for a version of Python; None for one that was not out when the table was made."""
    found = BASES.get(python)
    return found.reference if found else None
