"""Requests to the API of a cluster through the `kubernetes` package, which knows every way to log in.

Imported late, and only by `lockgate.cluster.client`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from kubernetes.dynamic import DynamicClient
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry
from yaml import YAMLError

from lockgate.cluster.client import Ask
from lockgate.cluster.errors import ClusterError, Refused, one_line

_TIMEOUT_SECONDS = (5.0, 30.0)
_APPLY = "application/apply-patch+yaml"
_UNREADABLE = (ConfigException, YAMLError, OSError, KeyError, TypeError, AttributeError, ValueError)
_HELP = {
    401: "log in again: the credentials of the kubeconfig are unknown or have run out",
    403: "ask for this right, or name another context with --context",
}


def open_transport(context: str | None) -> Ask:
    """Sends nothing yet; ClusterError where nothing says which cluster is meant."""
    settings = Configuration()
    # A second try for a lost connection; never as long as a server may ask for.
    settings.retries = Retry(total=1, redirect=0, respect_retry_after_header=False)
    _configure(settings, context)
    # Its own discovery asks for everything that a cluster has, without a time limit.
    client = DynamicClient(ApiClient(settings), discoverer=lambda *_: None)  # type: ignore[no-untyped-call]

    def ask(
        method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        try:
            answer = client.request(
                method,
                path,
                body=dict(body) if body is not None else None,
                query_params=list(query.items()),
                content_type=_APPLY if method == "PATCH" else None,
                serializer=lambda _, document: document,
                _request_timeout=_TIMEOUT_SECONDS,
            )
        except ApiException as error:
            raise _refused(error) if error.status else _unreached(settings.host, error) from error
        except (HTTPError, OSError, ConfigException) as error:
            raise _unreached(settings.host, error) from error
        except (ValueError, RecursionError) as error:
            raise _no_answer(settings.host) from error
        if not isinstance(answer, Mapping):
            raise _no_answer(settings.host)
        return answer

    return ask


def _configure(settings: Configuration, context: str | None) -> None:
    named = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    is_there = any(Path(it).expanduser().is_file() for it in named.split(os.pathsep) if it)
    try:
        if is_there:
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=named, context=context, client_configuration=settings, persist_config=False
            )
        elif context is None and "KUBECONFIG" not in os.environ and "KUBERNETES_SERVICE_HOST" in os.environ:
            config.load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]
        else:
            raise ClusterError(
                f"found no kubeconfig at '{one_line(named)}', and this is no pod of a cluster",
                help="log in to the cluster, or set KUBECONFIG to the file that `kubectl` uses",
            )
    except _UNREADABLE as error:
        raise ClusterError(
            f"cannot use the kubeconfig: {one_line(str(error))}",
            help="see what it holds with `kubectl config get-contexts`",
        ) from error


def _refused(error: ApiException) -> ClusterError:
    status = int(error.status or 0)
    said = one_line(_message(error) or str(error.reason))
    return Refused(f"the cluster refused ({status}): {said}", status=status, help=_HELP.get(status, ""))


def _message(error: ApiException) -> str:
    """What the cluster says, from the Status that it answers with."""
    try:
        return str(json.loads(error.body or "")["message"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""


def _unreached(host: str, error: Exception) -> ClusterError:
    cause = str(getattr(error, "reason", None) or error)
    return ClusterError(
        f"cannot reach the cluster at {one_line(host)}: {one_line(cause)}",
        help="check the network and the kubeconfig (`kubectl cluster-info` asks the same)",
    )


def _no_answer(host: str) -> ClusterError:
    return ClusterError(
        f"what answers at {one_line(host)} is no Kubernetes API: expected an object of JSON",
        help="check the server that the kubeconfig names",
    )
