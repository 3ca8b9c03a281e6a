"""The client against a cluster on loopback."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.stand_in import StandIn

from lockgate.cluster.client import Cluster, ClusterError, connect


def _config_map(name: str, **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "ml", "labels": {"app": name}},
        "data": data,
    }


def _fails(ask: Any, *arguments: str) -> ClusterError:
    with pytest.raises(ClusterError) as caught:
        ask(*arguments)
    return caught.value


def test_what_is_applied_is_there_afterwards(cluster: StandIn) -> None:
    document = _config_map("one", colour="red")
    connect().apply(document)
    assert cluster.find("ConfigMap", "one", "ml") == document


def test_an_apply_is_server_side_and_takes_over_fields(cluster: StandIn) -> None:
    connect().apply(_config_map("one"))
    assert cluster.requests[-1] == "PATCH /api/v1/namespaces/ml/configmaps/one"
    assert cluster.queries[-1] == {"fieldManager": "lockgate", "force": "true"}


def test_a_second_apply_changes_the_object(cluster: StandIn) -> None:
    lockgate = connect()
    lockgate.apply(_config_map("one", colour="red"))
    assert lockgate.apply(_config_map("one", colour="blue"))["data"] == {"colour": "blue"}


def test_what_a_cluster_has_is_read_as_plain_data(cluster: StandIn) -> None:
    cluster.put(_config_map("one", colour="red"))
    assert connect().get("v1", "ConfigMap", "ml", "one") == _config_map("one", colour="red")


def test_no_object_and_no_kind_are_nothing(cluster: StandIn) -> None:
    cluster.forget_kind("argoproj.io/v1alpha1", "rollouts")
    lockgate = connect()
    assert lockgate.get("v1", "ConfigMap", "ml", "none") is None
    assert lockgate.get("argoproj.io/v1alpha1", "Rollout", "ml", "none") is None
    assert lockgate.get("no.such/v1", "Thing", "ml", "none") is None
    assert lockgate.list("no.such/v1", "Thing", "ml") == ()


def test_a_list_follows_its_pages_and_says_what_its_items_are(cluster: StandIn) -> None:
    every = tuple(_config_map(f"map-{number}") for number in range(5))
    for document in every:
        cluster.put(document)
    cluster.largest_page = 2
    assert connect().list("v1", "ConfigMap", "ml") == every


def test_a_list_takes_selectors_of_labels_and_fields(cluster: StandIn) -> None:
    for name in ("one", "two"):
        cluster.put(_config_map(name))
    lockgate = connect()
    assert lockgate.list("v1", "ConfigMap", "ml", "app=two") == (_config_map("two"),)
    assert lockgate.list("v1", "ConfigMap", "ml", fields="metadata.name=one") == (_config_map("one"),)


def test_what_is_deleted_is_gone_and_may_be_deleted_again(cluster: StandIn) -> None:
    cluster.put(_config_map("one"))
    lockgate = connect()
    lockgate.delete("v1", "ConfigMap", "ml", "one")
    lockgate.delete("v1", "ConfigMap", "ml", "one")
    assert cluster.find("ConfigMap", "one", "ml") is None


def test_a_kind_of_the_cluster_has_no_namespace_in_its_path(cluster: StandIn) -> None:
    connect().apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml"}})
    assert cluster.requests[-1] == "PATCH /api/v1/namespaces/ml"


def test_a_kind_is_looked_up_once(cluster: StandIn) -> None:
    lockgate = connect()
    for name in ("one", "two"):
        lockgate.get("v1", "ConfigMap", "ml", name)
    assert cluster.requests.count("GET /api/v1") == 1


def test_applying_a_kind_that_the_cluster_lacks_is_refused(cluster: StandIn) -> None:
    document = {"apiVersion": "no.such/v1", "kind": "Thing", "metadata": {"name": "a", "namespace": "ml"}}
    assert (
        _fails(lambda: connect().apply(document)).message == "the cluster has no kind 'Thing' of no.such/v1"
    )


@pytest.mark.parametrize("name", ["..", "a/../../secrets", "a?watch=1", "", "a\nb"])
def test_a_name_that_would_lead_elsewhere_is_never_sent(cluster: StandIn, name: str) -> None:
    error = _fails(connect().get, "v1", "ConfigMap", "ml", name)
    assert error.message == f"{name!r} cannot be the name of anything in a cluster"
    assert cluster.requests == ["GET /api/v1"]


def test_a_right_that_is_missing_is_told_in_the_cluster_s_words(cluster: StandIn) -> None:
    cluster.refused["GET .*/configmaps/"] = 403
    error = _fails(connect().get, "v1", "ConfigMap", "ml", "one")
    assert error.message == ("the cluster refused (403): refused: GET /api/v1/namespaces/ml/configmaps/one")
    assert error.help == "ask for this right, or name another context with --context"


def test_a_cluster_that_fails_is_no_cluster_without_the_kind(cluster: StandIn) -> None:
    cluster.refused["GET /apis/argoproj.io/"] = 503
    assert "503" in _fails(connect().get, "argoproj.io/v1alpha1", "Rollout", "ml", "iris").message


def test_what_answers_and_is_no_cluster_is_told(cluster: StandIn) -> None:
    cluster.emulator["get /api/v1"] << b"<html>hello"
    assert _fails(connect().get, "v1", "ConfigMap", "ml", "one").message == (
        f"what answers at {cluster.url} is no Kubernetes API: expected an object of JSON"
    )


def test_a_cluster_that_is_away_is_told(cluster: StandIn) -> None:
    config = json.loads(cluster.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = "http://127.0.0.1:9"
    cluster.kubeconfig.write_text(json.dumps(config))
    message = _fails(connect().get, "v1", "ConfigMap", "ml", "one").message
    assert message.startswith("cannot reach the cluster at http://127.0.0.1:9: ")


def test_a_context_that_the_kubeconfig_lacks_is_told(cluster: StandIn) -> None:
    assert "nowhere" in _fails(connect, "nowhere").message


def test_a_kubeconfig_that_cannot_be_read_is_told(cluster: StandIn) -> None:
    cluster.kubeconfig.write_text("{")
    assert _fails(connect).message.startswith("cannot use the kubeconfig: ")


def test_without_a_kubeconfig_there_is_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert _fails(connect).message == (
        f"found no kubeconfig at '{tmp_path / 'none'}', and this is no pod of a cluster"
    )


def test_without_the_package_the_help_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "lockgate.cluster.transport", raising=False)
    monkeypatch.setitem(sys.modules, "kubernetes", None)
    error = _fails(connect)
    assert (error.message, error.help) == (
        "looking at a cluster needs the package 'kubernetes'",
        "pip install 'lockgate[cluster]'",
    )


def test_a_list_without_an_end_is_given_up() -> None:
    def ask(_: str, path: str, *__: object) -> dict[str, Any]:
        kind = {"name": "configmaps", "kind": "ConfigMap", "namespaced": True}
        return {"resources": [kind]} if path == "/api/v1" else {"metadata": {"continue": "more"}}

    message = _fails(Cluster(ask).list, "v1", "ConfigMap", "ml").message
    assert message == ("the cluster lists more than 100,000 objects under /api/v1/namespaces/ml/configmaps")
