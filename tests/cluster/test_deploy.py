"""`lockgate deploy` against a cluster on loopback: what is applied, left alone, pruned and waited for."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml
from tests.cli.conftest import Outcome
from tests.cli.project_tree import commit, edit, git
from tests.cluster.served_project import Object, aborted, healthy, make_served_project, rolling
from tests.cluster.stand_in import StandIn

from lockgate.cli import main
from lockgate.cli.cluster import waiting
from lockgate.cluster.delivery import KINDS

Deploy: TypeAlias = Callable[..., Outcome]

HASH = "rollouts-pod-template-hash"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served") / "project"
    make_served_project(root)
    return root


@pytest.fixture
def project(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(shutil.copytree(template, tmp_path / "project"))
    monkeypatch.chdir(root)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
    return root


@pytest.fixture
def deploy(project: Path, cluster: StandIn, capsys: pytest.CaptureFixture[str]) -> Deploy:
    """Deploys to production, unless told otherwise, with controllers that do at once what they are asked to."""
    cluster.after_apply = healthy

    def run(*arguments: str, environment: str = "production") -> Outcome:
        capsys.readouterr()
        code = main(["deploy", environment, *arguments])
        captured = capsys.readouterr()
        return Outcome(code=code, out=captured.out, err=captured.err)

    return run


def applied(cluster: StandIn) -> list[str]:
    """The plural of the kinds that were applied, in their order."""
    patches = [it for it in cluster.requests if it.startswith("PATCH")]
    return list(dict.fromkeys(it.rsplit("/", 2)[1] for it in patches))


def bodies(cluster: StandIn) -> list[Object]:
    """What was applied, as it was sent."""
    return [it.data for it in cluster.emulator if it.method.value == "PATCH"]


def listed(root: Path) -> list[Object]:
    """The objects of production as they lie on the disk."""
    paths = (root / "manifests/production").rglob("*.yaml")
    documents = [yaml.safe_load(path.read_text()) for path in sorted(paths)]
    return [it for it in documents if it["kind"] != "Kustomization"]


def owned(kind: str, name: str, *, instance: str, **metadata: object) -> dict[str, Any]:
    """An object with the labels of Lockgate that the manifests do not have."""
    versions = {it: version for version, it in KINDS} | {"Secret": "v1", "PersistentVolumeClaim": "v1"}
    labels = {
        "app.kubernetes.io/name": "iris",
        "app.kubernetes.io/instance": instance,
        "app.kubernetes.io/part-of": "flowers",
        "app.kubernetes.io/managed-by": "lockgate",
    }
    return {
        "apiVersion": versions[kind],
        "kind": kind,
        "metadata": {"name": name, "namespace": "ml-live", "labels": labels, **metadata},
    }


def test_every_object_of_the_environment_is_in_the_cluster_afterwards(
    deploy: Deploy, project: Path, cluster: StandIn
) -> None:
    done = deploy()

    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("  ✓ iris 1.0.0: in sync\nproduction is deployed\n")
    for document in listed(project):
        metadata = document["metadata"]
        found = cluster.find(document["kind"], metadata["name"], metadata.get("namespace")) or {}
        assert {**found, "status": None} == {**document, "status": None}


def test_what_pods_need_comes_before_them(deploy: Deploy, cluster: StandIn) -> None:
    deploy()

    assert applied(cluster) == [
        "namespaces",
        "serviceaccounts",
        "configmaps",
        "networkpolicies",
        "poddisruptionbudgets",
        "services",
        "deployments",
        "rollouts",
        "horizontalpodautoscalers",
    ]


def test_a_second_run_changes_nothing(deploy: Deploy, cluster: StandIn) -> None:
    deploy()
    before = cluster.objects()

    done = deploy()

    assert (done.code, cluster.objects()) == (0, before)
    assert "production: 14 objects applied, 14 unchanged\n" in done.out


def test_a_run_that_was_interrupted_is_finished_by_the_next(deploy: Deploy, cluster: StandIn) -> None:
    cluster.refused["PATCH .*/rollouts/"] = 500
    broken = deploy()
    cluster.refused.clear()

    assert broken.code == 1
    assert "cannot apply Rollout ml-live/iris: the cluster refused (500)" in broken.err
    assert deploy().code == 0
    assert cluster.find("Rollout", "iris", "ml-live") is not None


def test_what_an_apply_is_refused_is_said_with_the_next_step(deploy: Deploy, cluster: StandIn) -> None:
    cluster.refused["PATCH .*/services/"] = 403

    done = deploy()

    assert done.code == 1
    assert "cannot apply Service ml-live/iris" in done.err
    assert "= help: ask for this right" in done.err


def test_stale_manifests_are_not_applied(deploy: Deploy, project: Path, cluster: StandIn) -> None:
    edit(project, "iris: 1.0.0", "iris: 1.1.0")

    done = deploy()

    assert (done.code, cluster.requests) == (3, [])
    assert "manifests/production/iris/deployment.yaml: error: the file is stale" in done.err
    assert "manifests/production/ is not what the spec makes" in done.err


def test_what_is_stale_elsewhere_stops_no_deployment(deploy: Deploy, project: Path) -> None:
    (project / "manifests/staging/namespace.yaml").unlink()

    assert deploy().code == 0


def test_the_traffic_of_a_rollout_stays_where_it_is(deploy: Deploy, cluster: StandIn) -> None:
    deploy()
    service = cluster.find("Service", "iris-stable", "ml-live")
    assert service is not None
    service["spec"]["selector"][HASH] = "7f9c"
    cluster.put(service)

    deploy()

    sent = [it for it in bodies(cluster) if it["metadata"]["name"] == "iris-stable"]
    assert [it["spec"]["selector"].get(HASH) for it in sent] == [None, "7f9c"]


def test_the_last_versions_hash_does_not_outlive_its_rollout(
    deploy: Deploy, project: Path, cluster: StandIn
) -> None:
    deploy()
    service = cluster.find("Service", "iris", "ml-live")
    assert service is not None
    service["spec"]["selector"][HASH] = "7f9c"
    cluster.put(service)
    edit(project, "rollout: canary", "rollout: rolling")
    assert main(["render"]) == 0

    deploy()

    sent = [it for it in bodies(cluster) if (it["kind"], it["metadata"]["name"]) == ("Service", "iris")]
    assert HASH not in sent[-1]["spec"]["selector"]


def test_what_the_manifests_no_longer_have_is_pruned_when_its_successor_runs(
    deploy: Deploy, project: Path, cluster: StandIn
) -> None:
    deploy()
    edit(project, "rollout: canary", "rollout: rolling")
    assert main(["render"]) == 0

    done = deploy()

    assert done.code == 0
    gone = (("Rollout", "iris"), ("Deployment", "iris-template"), ("Service", "iris-canary"))
    assert [cluster.find(kind, name, "ml-live") for kind, name in gone] == [None, None, None]
    assert done.out.index("iris 1.0.0: in sync") < done.out.index("pruned Rollout ml-live/iris")
    deletions = [it for it in cluster.requests if it.startswith("DELETE")]
    assert deletions[0].endswith("/rollouts/iris")


@pytest.mark.parametrize(
    "document",
    [
        owned("Service", "iris", instance="iris-staging"),
        owned("Service", "other", instance="iris-other-production"),
        owned("Secret", "tokens", instance="iris-production"),
        owned("HorizontalPodAutoscaler", "made", instance="iris-production", ownerReferences=[{"name": "x"}]),
    ],
    ids=["of another environment", "of another model", "of a kind that is not emitted", "of a controller"],
)
def test_what_is_not_the_environments_own_is_never_pruned(
    deploy: Deploy, cluster: StandIn, document: dict[str, Any]
) -> None:
    document["metadata"]["name"] = "bystander"
    cluster.put(document)

    done = deploy()

    assert cluster.find(document["kind"], "bystander", "ml-live") is not None
    assert "pruned" not in done.out


def test_what_a_model_leaves_behind_that_is_served_no_more_is_pruned(
    deploy: Deploy, cluster: StandIn
) -> None:
    cluster.put(owned("Service", "iris-preview", instance="iris-production"))

    assert "pruned Service ml-live/iris-preview" in deploy().out
    assert cluster.find("Service", "iris-preview", "ml-live") is None


def test_a_rollout_that_fails_is_told_with_its_evidence_and_prunes_nothing(
    deploy: Deploy, cluster: StandIn
) -> None:
    cluster.after_apply = aborted
    cluster.put(owned("Service", "iris-preview", instance="iris-production"))
    cluster.put(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "one", "namespace": "ml-live"},
            "involvedObject": {"kind": "Rollout", "name": "iris"},
            "type": "Warning",
            "reason": "AnalysisRunFailed",
            "message": "success rate 0.2",
            "count": 3,
        }
    )

    done = deploy()

    assert done.code == 1
    assert "✗ iris 1.0.0: aborted: RolloutAborted" in done.out
    assert "event AnalysisRunFailed (3x): success rate 0.2" in done.out
    assert done.out.endswith("failed: Git still says otherwise until that is rolled back\n")
    assert cluster.find("Service", "iris-preview", "ml-live") is not None


def test_what_a_cluster_says_is_no_command_to_githubs_runner(deploy: Deploy, cluster: StandIn) -> None:
    cluster.after_apply = aborted

    done = deploy()

    assert "##[" not in done.out
    assert not [line for line in done.out.splitlines() if line.strip().startswith("::")]


def test_a_rollout_that_takes_too_long_is_told(deploy: Deploy, cluster: StandIn) -> None:
    cluster.after_apply = rolling

    done = deploy("--timeout", "0s")

    assert done.code == 1
    assert done.out.endswith(
        "  · iris 1.0.0: rolling: progressing\n"
        "the time is over, and production is not there yet: the rollout goes on without being watched\n"
    )


def test_progress_is_told_once_a_change_and_the_polls_grow_apart(
    deploy: Deploy, cluster: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.after_apply = rolling
    pauses: list[float] = []

    def pass_time(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            rollout = cluster.find("Rollout", "iris", "ml-live")
            assert rollout is not None
            cluster.put({**rollout, "status": {"phase": "Healthy"}})

    monkeypatch.setattr("lockgate.cli.deploy._CLOCK", waiting.Clock(now=lambda: 0.0, sleep=pass_time))

    done = deploy()

    assert done.code == 0
    assert pauses == [1.0, 1.5, 2.25]
    assert done.out.count("iris 1.0.0: rolling") == 1
    assert done.out.count("iris 1.0.0: in sync") == 1


def test_a_cluster_that_is_away_for_a_moment_ends_no_waiting(
    deploy: Deploy, cluster: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.after_apply = rolling

    def pass_time(_: float) -> None:
        if not cluster.refused:
            cluster.refused["GET .*/rollouts/"] = 503
            return
        cluster.refused.clear()
        rollout = cluster.find("Rollout", "iris", "ml-live")
        assert rollout is not None
        cluster.put({**rollout, "status": {"phase": "Healthy"}})

    monkeypatch.setattr("lockgate.cli.deploy._CLOCK", waiting.Clock(now=lambda: 0.0, sleep=pass_time))

    assert deploy().code == 0


def test_a_cluster_that_says_no_ends_the_waiting(
    deploy: Deploy, cluster: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.after_apply = rolling

    def refuse(_: float) -> None:
        cluster.refused["GET .*/rollouts/"] = 403

    monkeypatch.setattr("lockgate.cli.deploy._CLOCK", waiting.Clock(now=lambda: 0.0, sleep=refuse))

    done = deploy()

    assert done.code == 1
    assert "the cluster refused (403)" in done.err


def test_without_waiting_what_runs_pods_is_kept(deploy: Deploy, cluster: StandIn) -> None:
    cluster.after_apply = rolling
    for kind in ("Deployment", "Service"):
        cluster.put(owned(kind, "iris-old", instance="iris-production"))

    done = deploy("--no-wait")

    assert done.code == 0
    assert "kept Deployment ml-live/iris-old\n" in done.out
    assert "pruned Service ml-live/iris-old\n" in done.out
    assert cluster.find("Deployment", "iris-old", "ml-live") is not None


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    deploy: Deploy, project: Path, cluster: StandIn
) -> None:
    deploy()
    edit(project, "iris: 1.0.0", "iris: 1.1.0")
    assert main(["render"]) == 0
    cluster.put(owned("Service", "iris-preview", instance="iris-production"))
    before = cluster.objects()

    done = deploy("--dry-run")

    assert (done.code, cluster.objects()) == (0, before)
    assert "  to change Deployment ml-live/iris-template: " in done.out
    assert "/spec/template/spec/containers/0/image" in done.out
    assert "  to prune Service ml-live/iris-preview\n" in done.out
    assert "to change Service" not in done.out


def test_json_holds_the_whole_result(deploy: Deploy) -> None:
    told = json.loads(deploy("--format", "json").out)

    assert (told["environment"], told["outcome"], len(told["objects"])) == ("production", "deployed", 14)
    assert told["objects"][0] == {
        "api_version": "v1",
        "kind": "Namespace",
        "namespace": None,
        "name": "ml-live",
        "what": "created",
        "pointers": [],
    }
    assert told["services"] == [
        {"model": "iris", "version": "1.0.0", "state": "in sync", "word": "", "evidence": None}
    ]


def test_an_environment_where_nothing_is_pinned_has_nothing_to_wait_for(
    deploy: Deploy, cluster: StandIn
) -> None:
    done = deploy(environment="staging")

    assert done.code == 0
    assert cluster.find("Service", "iris", "ml") is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--timeout", "soon"), "found 'soon' for --timeout"),
        (("--timeout", "1e9h"), "found '1e9h' for --timeout"),
    ],
)
def test_a_time_that_is_none_is_misuse(deploy: Deploy, arguments: tuple[str, ...], message: str) -> None:
    done = deploy(*arguments)

    assert done.code == 2
    assert message in done.err


def test_an_environment_that_is_not_there_is_misuse(deploy: Deploy) -> None:
    assert deploy(environment="porduction").code == 2


@pytest.fixture
def merged(project: Path, tmp_path: Path) -> Path:
    """The project as the newest commit of a remote's main branch."""
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(remote))
    git(project, "init", "--quiet", "--initial-branch=main")
    commit(project)
    git(project, "remote", "add", "origin", str(remote))
    git(project, "push", "--quiet", "origin", "main")
    return project


def merge(root: Path, old: str, new: str) -> None:
    """Somebody else's change of the spec comes to the remote; this clone stays where it is."""
    here = git(root, "rev-parse", "HEAD").strip()
    edit(root, old, new)
    assert main(["render"]) == 0
    commit(root)
    git(root, "push", "--quiet", "origin", "HEAD:main")
    git(root, "reset", "--quiet", "--hard", here)


def test_the_newest_commit_is_deployed(deploy: Deploy, merged: Path) -> None:
    assert deploy("--newest", "origin").code == 0


def test_an_older_commit_leaves_the_environment_to_the_newer_one(
    deploy: Deploy, merged: Path, cluster: StandIn
) -> None:
    merge(merged, "iris: 1.0.0", "iris: 1.1.0")

    done = deploy("--newest", "origin")

    assert (done.code, cluster.requests) == (0, [])
    assert done.out.endswith("is newer and deploys production: nothing is left to do here\n")


def test_a_newer_commit_that_changes_other_things_is_no_reason(deploy: Deploy, merged: Path) -> None:
    merge(merged, "staging: {}", "staging: {iris: 1.0.0}")

    assert deploy("--newest", "origin").out.endswith("production is deployed\n")


def test_a_commit_that_nobody_has_merged_is_refused(deploy: Deploy, merged: Path, cluster: StandIn) -> None:
    edit(merged, "iris: 1.0.0", "iris: 1.1.0")
    assert main(["render"]) == 0
    commit(merged)

    done = deploy("--newest", "origin")

    assert (done.code, cluster.requests) == (1, [])
    assert "HEAD is ahead of 'origin/main'" in done.err


def test_what_is_not_committed_is_refused(deploy: Deploy, merged: Path, cluster: StandIn) -> None:
    edit(merged, "iris: 1.0.0", "iris: 1.1.0")
    assert main(["render"]) == 0

    done = deploy("--newest", "origin")

    assert (done.code, cluster.requests) == (1, [])
    assert "what lies in 'manifests/production' is not what HEAD holds" in done.err


def test_a_remote_that_is_down_is_told_before_anything_is_applied(
    deploy: Deploy, merged: Path, cluster: StandIn, tmp_path: Path
) -> None:
    (tmp_path / "remote.git").rename(tmp_path / "gone.git")

    done = deploy("--newest", "origin")

    assert (done.code, cluster.requests) == (1, [])
    assert "cannot tell whether this is the newest commit" in done.err


def test_a_rollback_that_is_merged_meanwhile_ends_the_waiting(
    deploy: Deploy, merged: Path, cluster: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.after_apply = rolling

    def roll_back(_: float) -> None:
        merge(merged, "iris: 1.0.0", "iris: 1.1.0")

    monkeypatch.setattr("lockgate.cli.deploy._CLOCK", waiting.Clock(now=lambda: 0.0, sleep=roll_back))

    done = deploy("--newest", "origin")

    assert done.code == 0
    assert done.out.endswith("a newer commit deploys production: its run goes on from here\n")


def test_a_kustomization_that_asks_for_more_is_left_to_kubectl(
    deploy: Deploy, project: Path, cluster: StandIn
) -> None:
    path = project / "manifests/production/kustomization.yaml"
    assert main(["eject", "manifests/production/kustomization.yaml"]) == 0
    path.write_text(f"{path.read_text()}namePrefix: blue-\n")

    done = deploy()

    assert (done.code, cluster.requests) == (1, [])
    assert "manifests/production/kustomization.yaml: 'namePrefix' is for kustomize" in done.err
    assert "kubectl apply --server-side -k manifests/production" in done.err


def test_an_object_of_the_teams_own_is_applied_with_the_others(
    deploy: Deploy, project: Path, cluster: StandIn
) -> None:
    path = project / "manifests/production/kustomization.yaml"
    assert main(["eject", "manifests/production/kustomization.yaml"]) == 0
    path.write_text(f"{path.read_text()}  - own.yaml\n")
    (project / "manifests/production/own.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: own, namespace: ml-live}\n"
    )

    assert deploy().code == 0
    assert cluster.find("Secret", "own", "ml-live") is not None


@pytest.mark.parametrize("resource", ["../../registry/iris/1.0.0.yaml", "link.yaml", "https://example.org/a"])
def test_nothing_outside_of_the_environments_folder_is_applied(
    deploy: Deploy, project: Path, cluster: StandIn, resource: str
) -> None:
    path = project / "manifests/production/kustomization.yaml"
    assert main(["eject", "manifests/production/kustomization.yaml"]) == 0
    path.write_text(f"{path.read_text()}  - {resource}\n")
    (project / "manifests/production/link.yaml").symlink_to(project / "mlops.yaml")

    done = deploy()

    assert (done.code, cluster.requests) == (1, [])
    assert f"'{resource}'" in done.err


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", ""),
        ("- a\n", "expected a map"),
        ("kind: Secret\nmetadata: {name: x}\n", "the object has no apiVersion"),
        ("apiVersion: v1\nkind: Secret\nmetadata: x\n", "the object has no name"),
    ],
)
def test_what_is_no_object_is_told_with_its_file(
    deploy: Deploy, project: Path, cluster: StandIn, text: str, complaint: str
) -> None:
    path = project / "manifests/production/kustomization.yaml"
    assert main(["eject", "manifests/production/kustomization.yaml"]) == 0
    path.write_text(f"{path.read_text()}  - own.yaml\n")
    (project / "manifests/production/own.yaml").write_text(text)

    done = deploy()

    assert (done.code, cluster.requests) == (1, [])
    assert "manifests/production/own.yaml" in done.err
    assert complaint in done.err
