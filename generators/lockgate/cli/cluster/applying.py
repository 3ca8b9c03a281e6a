"""An environment's objects → the cluster, one after the other, and what became of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from lockgate.cli.failure import Failure
from lockgate.cluster.client import Cluster, ClusterError
from lockgate.cluster.delivery import KINDS, Key, key_of, selector, superfluous, with_live_fields
from lockgate.cluster.drift import differences
from lockgate.plan.model import Plan
from lockgate.tuples import NamedTuple

Document: TypeAlias = Mapping[str, Any]
What: TypeAlias = Literal[
    "created", "changed", "unchanged", "pruned", "kept", "to create", "to change", "as it is", "to prune"
]

# What a cluster keeps about an object, beside what the object says.
_KEPT_BY_THE_CLUSTER = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "uid", "selfLink"}
)
_AGAIN = "what was applied so far stays; run this again when that is put right, and it goes on"


class Done(NamedTuple):
    """What became of an object, or would; `pointers` are the places that would change, as JSON pointers."""

    key: Key
    what: What
    pointers: tuple[str, ...] = ()


def preview_all(
    cluster: Cluster, documents: Sequence[Document], plan: Plan, environment: str
) -> Iterator[Done]:
    """What applying them would do, as far as reading alone can tell."""
    for document in documents:
        key = key_of(document)
        live = _live(cluster, key)
        if live is None:
            yield Done(key, "to create")
            continue
        wanted = with_live_fields(document, live, plan, environment)
        pointers = tuple(it.pointer for it in differences(wanted, live, ()))
        yield Done(key, "to change" if pointers else "as it is", pointers)


def apply_all(
    cluster: Cluster, documents: Sequence[Document], plan: Plan, environment: str
) -> Iterator[Done]:
    """Each is applied as the result is asked for; Failure where the cluster refuses one."""
    for document in documents:
        key = key_of(document)
        live = _live(cluster, key)
        try:
            after = cluster.apply(with_live_fields(document, live, plan, environment))
        except ClusterError as error:
            raise _failure("apply", key, error) from error
        yield Done(key, "created" if live is None else _difference(live, after))


def prune_all(cluster: Cluster, keys: Sequence[Key]) -> Iterator[Done]:
    """Each is deleted as the result is asked for."""
    for key in keys:
        try:
            cluster.delete(key.api_version, key.kind, key.namespace, key.name)
        except ClusterError as error:
            raise _failure("prune", key, error) from error
        yield Done(key, "pruned")


def to_prune(
    cluster: Cluster, documents: Sequence[Document], plan: Plan, environment: str
) -> tuple[Key, ...]:
    """What of the environment is in the cluster and no longer in the manifests."""
    namespace = plan.spec.environments[environment].namespace
    try:
        found = [
            document
            for api_version, kind in KINDS
            for document in cluster.list(api_version, kind, namespace, selector(plan))
        ]
    except ClusterError as error:
        raise Failure(
            f"cannot see what is to be pruned: {error.message}", help=error.help or _AGAIN
        ) from error
    return superfluous(found, documents, environment)


def _live(cluster: Cluster, key: Key) -> Document | None:
    try:
        return cluster.get(key.api_version, key.kind, key.namespace, key.name)
    except ClusterError as error:
        raise _failure("read", key, error) from error


def _failure(verb: str, key: Key, error: ClusterError) -> Failure:
    return Failure(f"cannot {verb} {key}: {error.message}", help=error.help or _AGAIN)


def _difference(before: Document, after: Document) -> Literal["changed", "unchanged"]:
    return "unchanged" if _said(before) == _said(after) else "changed"


def _said(document: Document) -> Document:
    metadata = {key: it for key, it in document["metadata"].items() if key not in _KEPT_BY_THE_CLUSTER}
    return {**document, "metadata": metadata, "status": None}
