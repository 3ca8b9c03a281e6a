"""Looks at services in a cluster for commands; what the cluster refuses becomes words for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lockgate.cli.failure import Failure
from lockgate.cluster.client import ClusterError, connect
from lockgate.cluster.delivery import of_model
from lockgate.cluster.manifests import ManifestError, read_objects
from lockgate.cluster.rollouts import Seen, look
from lockgate.plan.delivery import live_fields
from lockgate.plan.model import Plan, Service


def seen_in(
    root: Path, plan: Plan, environments: Iterable[str], context: str | None
) -> Iterator[tuple[Service, Seen]]:
    """Each service of the environments as the cluster has it; Failure where the cluster cannot be asked."""
    with cluster_failures():
        cluster = connect(context)
        for environment in environments:
            objects = read_objects(root, environment)
            live = live_fields(plan, environment)
            for service in plan.services:
                if service.environment == environment:
                    yield service, look(cluster, service, of_model(objects, service.name), live)


@contextmanager
def cluster_failures() -> Iterator[None]:
    """What the cluster or the manifests refuse ends the command."""
    try:
        yield
    except (ClusterError, ManifestError) as error:
        raise Failure(error.message, help=error.help) from error
