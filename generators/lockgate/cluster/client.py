"""Objects of a cluster: read, applied, deleted, as plain data. Knows no model and no rollout."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from lockgate.cluster.errors import ClusterError, Refused
from lockgate.tuples import NamedTuple

__all__ = ["Ask", "Cluster", "ClusterError", "connect"]

FIELD_MANAGER = "lockgate"

Ask: TypeAlias = Callable[[str, str, Mapping[str, str], Mapping[str, Any] | None], Mapping[str, Any]]
"""Method, path, query and body to the answer; Refused or ClusterError where there is none."""

_NAME = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._:-]{1,253}\Z")
_PAGE = 500
_MOST_PAGES = 200
_NOT_FOUND = 404


class _Kind(NamedTuple):
    """`base` is the path of its group and version."""

    base: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str = "") -> str:
        scope = f"/namespaces/{_checked(namespace)}" if self.namespaced and namespace is not None else ""
        return f"{self.base}{scope}/{self.plural}" + (f"/{_checked(name)}" if name else "")


class Cluster:
    """One cluster, as the user of a kubeconfig or a pod sees it. Kinds are looked up once."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._kinds: dict[str, dict[str, _Kind]] = {}

    def get(self, api_version: str, kind: str, namespace: str | None, name: str) -> Mapping[str, Any] | None:
        """The object; None where there is no such object, or no such kind."""
        found = self._kind(api_version, kind)
        if found is None:
            return None
        try:
            return self._ask("GET", found.path(namespace, _checked(name)), {}, None)
        except Refused as refused:
            _allow_not_found(refused)
            return None

    def list(
        self, api_version: str, kind: str, namespace: str | None, selector: str = "", *, fields: str = ""
    ) -> tuple[Mapping[str, Any], ...]:
        """The objects that both selectors choose, of labels and of fields; none where there is no such kind.

        Of all namespaces where none is named.
        """
        found = self._kind(api_version, kind)
        if found is None:
            return ()
        query = {"labelSelector": selector, "fieldSelector": fields, "limit": str(_PAGE)}
        pages = self._pages(found.path(namespace), {key: value for key, value in query.items() if value})
        # A cluster leaves the two out of the items of a list.
        return tuple({"apiVersion": api_version, "kind": kind, **item} for page in pages for item in page)

    def apply(self, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """The object as it is after a server-side apply, which takes over fields that others have set."""
        api_version, kind = str(document["apiVersion"]), str(document["kind"])
        metadata = document["metadata"]
        found = self._kind(api_version, kind)
        if found is None:
            raise ClusterError(
                f"the cluster has no kind '{kind}' of {api_version}",
                help="install what brings its definition, or deliver another kind",
            )
        if found.namespaced and "namespace" not in metadata:
            raise ClusterError(f"{kind} '{metadata['name']}' names no namespace to be applied to")
        path = found.path(metadata.get("namespace"), _checked(metadata["name"]))
        return self._ask("PATCH", path, {"fieldManager": FIELD_MANAGER, "force": "true"}, document)

    def delete(self, api_version: str, kind: str, namespace: str | None, name: str) -> None:
        """What is gone already is fine; what belongs to the object goes after it."""
        found = self._kind(api_version, kind)
        if found is None:
            return
        try:
            query = {"propagationPolicy": "Background"}
            self._ask("DELETE", found.path(namespace, _checked(name)), query, None)
        except Refused as refused:
            _allow_not_found(refused)

    def _kind(self, api_version: str, kind: str) -> _Kind | None:
        if api_version not in self._kinds:
            self._kinds[api_version] = dict(self._served(api_version))
        return self._kinds[api_version].get(kind)

    def _served(self, api_version: str) -> Iterator[tuple[str, _Kind]]:
        group = [_checked(part) for part in api_version.split("/")]
        base = "/".join(("", "apis" if len(group) > 1 else "api", *group))
        try:
            answer = self._ask("GET", base, {}, None)
        except Refused as refused:
            _allow_not_found(refused)
            return
        for it in answer.get("resources") or ():
            if "/" not in it["name"]:
                yield it["kind"], _Kind(base, _checked(it["name"]), bool(it["namespaced"]))

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[Sequence[Mapping[str, Any]]]:
        following = ""
        for _ in range(_MOST_PAGES):
            more = {"continue": following} if following else {}
            answer = self._ask("GET", path, {**query, **more}, None)
            yield answer.get("items") or []
            following = (answer.get("metadata") or {}).get("continue") or ""
            if not following:
                return
        raise ClusterError(f"the cluster lists more than {_PAGE * _MOST_PAGES:,} objects under {path}")


def connect(context: str | None = None) -> Cluster:
    """By $KUBECONFIG or ~/.kube/config, else by the account of the pod that this runs in."""
    # The client library takes half a second to load, and few commands need it.
    try:
        from lockgate.cluster.transport import open_transport
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in ("kubernetes", "urllib3"):
            raise
        raise ClusterError(
            "looking at a cluster needs the package 'kubernetes'", help="pip install 'lockgate[cluster]'"
        ) from error
    return Cluster(open_transport(context))


def _checked(name: str | None) -> str:
    """Names become parts of a path: one that would lead elsewhere never leaves this machine."""
    if name is None or not _NAME.match(name):
        raise ClusterError(f"{name!r} cannot be the name of anything in a cluster")
    return name


def _allow_not_found(refused: Refused) -> None:
    if refused.status != _NOT_FOUND:
        raise refused
