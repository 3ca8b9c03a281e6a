"""`lockgate watch`: a failed rollout becomes a rollback's pull request, with a real `gh` and Git remotes on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.hosted import hosted
from tests.cli.project_tree import edit, git
from tests.cluster.running import ABORTED, NAMESPACE, NEW_HASH, abort, install, measure, time_out, warn
from tests.cluster.stand_in import StandIn
from tests.posting.stand_in import GitHub
from tests.registry.team import commit_and_push, head, pull

LOOK = ("watch", "production")
OPEN = (*LOOK, "--open-pr")


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    with hosted(tmp_path / "github", monkeypatch) as host:
        yield host


@pytest.fixture
def aborted(live: Path, cluster: StandIn) -> Path:
    """Iris' canary was aborted, with what it measured and what the cluster warned of."""
    install(cluster, live)
    abort(cluster)
    measure(cluster)
    warn(cluster, "Rollout", "iris", "Rollout aborted update to revision 7")
    return live


def incidents(lockgate: Lockgate) -> list[dict[str, object]]:
    return list(json.loads(lockgate(*LOOK, "--format", "json").out)["incidents"])


def show(remote: Path, branch: str, path: str) -> str:
    return git(remote, "show", f"{branch}:{path}")


def test_where_all_runs_nothing_is_wrong(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    install(cluster, live)
    done = lockgate(*LOOK)
    assert (done.code, done.out, done.err) == (0, "nothing is wrong\n", "")


def test_an_aborted_rollout_is_told(aborted: Path, lockgate: Lockgate) -> None:
    done = lockgate(*LOOK)
    assert (done.code, done.err) == (1, "")
    assert done.out == f"iris 1.0.1 in production: aborted (incident {_id(lockgate)}): {ABORTED}\n"


def test_the_evidence_is_what_was_measured_and_warned_of(aborted: Path, lockgate: Lockgate) -> None:
    (incident,) = incidents(lockgate)
    assert incident["evidence"] == {
        "message": ABORTED,
        "analyses": [
            {
                "run": f"iris-{NEW_HASH}-7",
                "metric": "availability",
                "phase": "Failed",
                "message": "failed (1) > failureLimit (0)",
                "values": ["[0.98]", "[0.97]", "[0.96]", "[0.95]", "[0.94]"],
            }
        ],
        "warnings": [
            {
                "reason": "RolloutAborted",
                "message": "Rollout aborted update to revision 7",
                "times": 2,
                "last": "2026-11-03T02:00:01Z",
            }
        ],
    }


def test_a_deployment_that_made_no_progress_is_an_incident(
    live: Path, cluster: StandIn, lockgate: Lockgate
) -> None:
    install(cluster, live)
    time_out(cluster)
    assert [(it["model"], it["state"]) for it in incidents(lockgate)] == [("wine", "degraded")]


def test_an_incident_is_the_same_however_often_it_is_looked_at(
    aborted: Path, cluster: StandIn, lockgate: Lockgate
) -> None:
    before = _id(lockgate)
    assert _id(lockgate) == before
    abort(cluster, revision="8")
    assert _id(lockgate) != before


def test_evidence_that_may_not_be_read_leaves_a_gap(
    aborted: Path, cluster: StandIn, lockgate: Lockgate
) -> None:
    cluster.refused["GET .*/events"] = 403
    (incident,) = incidents(lockgate)
    assert incident["evidence"]["gaps"] == [  # type: ignore[index]
        "events: the cluster refused (403): refused: GET /api/v1/namespaces/ml/events"
    ]


def test_what_failed_and_is_not_pinned_is_no_incident(
    aborted: Path, lockgate: Lockgate, cluster: StandIn
) -> None:
    assert lockgate("rollback", "iris", "production").code == 0
    done = lockgate(*LOOK)
    assert (done.code, done.out) == (0, "nothing is wrong\n")
    assert done.err == (
        "iris in production: the rollout of 1.0.1 was aborted, and Git pins 1.0.0: nothing to roll back\n"
    )


def test_a_spec_that_argo_refuses_is_not_the_version_s_fault(
    live: Path, cluster: StandIn, lockgate: Lockgate
) -> None:
    install(cluster, live)
    rollout = cluster.find("Rollout", "iris", NAMESPACE)
    assert rollout is not None
    rollout["status"] |= {"phase": "Degraded", "message": "InvalidSpec: no such service", "stableRS": "old"}
    rollout["status"]["conditions"] = [{"type": "InvalidSpec", "status": "True"}]
    cluster.put(rollout)
    done = lockgate(*LOOK)
    assert done.code == 1
    assert done.out == (
        "iris in production: degraded, and not because of a new version: InvalidSpec: no such service\n"
    )


def test_the_wrong_cluster_is_not_all_well(live: Path, cluster: StandIn, lockgate: Lockgate) -> None:
    done = lockgate(*LOOK)
    assert done.code == 1
    assert done.out.splitlines()[0] == (
        "iris in production: 1.0.1 is pinned, and nothing of it is in this cluster"
    )


def test_a_cluster_that_cannot_be_asked_is_an_error(
    aborted: Path, cluster: StandIn, lockgate: Lockgate
) -> None:
    cluster.refused["."] = 401
    done = lockgate(*LOOK, "--format", "json")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("error: the cluster refused (401): ")


def test_the_pull_request_rolls_back_and_marks_the_version(
    aborted: Path, remote: Path, github: GitHub, lockgate: Lockgate
) -> None:
    before = head(aborted)
    done = lockgate(*OPEN)
    assert done.code == 1
    (request,) = github.pulls
    assert request["title"] == "Roll back iris in production to 1.0.0 (was 1.0.1)"
    branch = request["head"]["ref"]
    assert branch == f"lockgate/rollback/production/iris/{_id(lockgate)}"
    assert done.out.splitlines()[-1] == f"{request['html_url']}: {request['title']}"
    changed = git(remote, "diff", "--name-only", before, branch).split()
    assert {"mlops.yaml", "registry/iris/1.0.1.rejected.yaml"} < set(changed)
    mark = show(remote, branch, "registry/iris/1.0.1.rejected.yaml")
    assert f"incident: {_id(lockgate)}" in mark
    assert "metric: availability" in mark
    assert (git(aborted, "status", "--porcelain"), head(aborted)) == ("", before)


def test_the_pull_request_has_the_evidence(aborted: Path, github: GitHub, lockgate: Lockgate) -> None:
    lockgate(*OPEN)
    body = github.pulls[0]["body"]
    for row in (
        "| `availability` | ❌ Failed | \\[0.98\\], \\[0.97\\], \\[0.96\\], \\[0.95\\], \\[0.94\\] |",
        "| 2026-11-03T02:00:01Z | RolloutAborted | Rollout aborted update to revision 7 | 2 |",
    ):
        assert row in body


def test_an_incident_has_one_pull_request(aborted: Path, github: GitHub, lockgate: Lockgate) -> None:
    lockgate(*OPEN)
    done = lockgate(*OPEN)
    assert (done.code, done.err, len(github.pulls)) == (0, "", 1)
    assert done.out.splitlines()[-1] == f"{github.pulls[0]['html_url']} is open already"


def test_a_pull_request_that_was_closed_stays_closed(
    aborted: Path, github: GitHub, lockgate: Lockgate
) -> None:
    lockgate(*OPEN)
    github.pulls[0]["state"] = "closed"
    done = lockgate(*OPEN)
    assert (done.code, len(github.pulls)) == (0, 1)
    assert done.out.splitlines()[-1] == (f"{github.pulls[0]['html_url']} was closed: it is not opened again")


def test_models_that_fail_together_have_a_pull_request_each(
    aborted: Path, cluster: StandIn, remote: Path, github: GitHub, lockgate: Lockgate
) -> None:
    time_out(cluster)
    assert lockgate(*OPEN).code == 1
    branches = [it["head"]["ref"] for it in github.pulls]
    assert [it.split("/")[3] for it in branches] == ["iris", "wine"]
    for branch, model in zip(branches, ("iris", "wine"), strict=True):
        changed = git(remote, "diff", "--name-only", "main", branch).split()
        assert [it for it in changed if it.startswith("registry/")] == [
            f"registry/{model}/1.0.1.rejected.yaml"
        ]


def test_a_pull_request_that_another_came_before_is_made_anew(
    aborted: Path, cluster: StandIn, remote: Path, github: GitHub, lockgate: Lockgate
) -> None:
    time_out(cluster)
    lockgate(*OPEN)
    iris, wine = github.pulls
    git(remote, "update-ref", "refs/heads/main", f"refs/heads/{iris['head']['ref']}")
    pull(aborted)
    wine["mergeable"] = False
    done = lockgate(*OPEN)
    assert (done.code, len(github.pulls)) == (0, 2)
    assert done.out.splitlines()[-1] == (
        f"{wine['html_url']} is made anew: the branch that it goes to has moved on"
    )
    assert git(remote, "merge-base", "main", wine["head"]["ref"]).strip() == head(aborted)


def test_where_promotions_merge_themselves_so_does_the_rollback(
    aborted: Path, github: GitHub, lockgate: Lockgate
) -> None:
    edit(aborted, "production: {namespace: ml}", "production: {namespace: ml, promote: automatic}")
    assert lockgate("render").code == 0
    commit_and_push(aborted)
    lockgate(*OPEN)
    assert [it.get("auto_merge") for it in github.pulls] == [True]


def test_without_a_sound_version_before_it_only_the_others_are_rolled_back(
    aborted: Path, cluster: StandIn, github: GitHub, lockgate: Lockgate
) -> None:
    time_out(cluster)
    (aborted / "registry/iris/1.0.0.rejected.yaml").write_text(
        'incident: one\nenvironment: staging\nreason: bad\ntime: "2026-11-01T00:00:00Z"\n'
    )
    commit_and_push(aborted)
    done = lockgate(*OPEN)
    assert done.code == 1
    assert done.err.startswith("error: iris 1.0.1 in production: 'iris' 1.0.0 was rejected itself: bad\n")
    assert [it["head"]["ref"].split("/")[3] for it in github.pulls] == ["wine"]


def test_the_first_version_of_an_environment_has_nothing_to_go_back_to(
    live: Path, github: GitHub, lockgate: Lockgate
) -> None:
    assert lockgate("promote", "iris", "staging", "--version", "1.0.1").code == 0
    commit_and_push(live)
    incident = {"environment": "staging", "model": "iris", "version": "1.0.1", "state": "aborted"}
    document = {"incidents": [{**incident, "revision": "1", "pod_hash": "abc"}], "unclear": []}
    (live / "incidents.json").write_text(json.dumps(document))
    done = lockgate("watch", "--incidents", "incidents.json", "--open-pr")
    assert (done.code, github.pulls) == (1, [])
    assert done.err == (
        "error: iris 1.0.1 in staging: cannot tell what was live in 'staging' before 'iris' 1.0.1: "
        "Git knows of no version before it\n  = help: name the version with --to\n"
    )


def test_reverting_the_revert_works_until_the_next_incident(
    aborted: Path, cluster: StandIn, remote: Path, github: GitHub, lockgate: Lockgate
) -> None:
    lockgate(*OPEN)
    first = github.pulls[0]["head"]["ref"]
    git(remote, "update-ref", "refs/heads/main", f"refs/heads/{first}")
    github.pulls[0] |= {"state": "closed", "merged_at": "now"}
    pull(aborted)
    again = ("promote", "iris", "production", "--version", "1.0.1")
    assert lockgate(*again).code == 1
    assert lockgate(*again, "--override-rejection", "it was the network").code == 0
    commit_and_push(aborted)
    assert lockgate("check").code == 0
    abort(cluster, revision="9")
    assert lockgate(*OPEN).code == 1
    second = github.pulls[1]["head"]["ref"]
    assert second != first
    assert "iris: 1.0.0" in show(remote, second, "mlops.yaml")


def test_looking_and_opening_can_be_two_steps(
    aborted: Path, cluster: StandIn, github: GitHub, lockgate: Lockgate, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = lockgate(*LOOK, "--format", "json")
    assert told.code == 1
    (aborted / "incidents.json").write_text(told.out)
    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    done = lockgate("watch", "--incidents", "incidents.json", "--open-pr")
    assert done.err == ""
    assert (done.code, len(github.pulls)) == (1, 1)
    assert lockgate("watch", "--incidents", "incidents.json", "--open-pr").code == 0


def test_a_file_of_incidents_that_a_failed_step_left_is_refused(live: Path, lockgate: Lockgate) -> None:
    (live / "incidents.json").touch()
    done = lockgate("watch", "--incidents", "incidents.json", "--open-pr")
    assert done.code == 1
    assert done.err == (
        "error: 'incidents.json' tells of no incidents: it is no JSON\n"
        "  = help: it is what `lockgate watch --format json` writes: see whether that step failed\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--format", "json", "--open-pr"), "error: --format json is of the step that looks"),
        (("production", "--incidents", "f"), "error: with --incidents no cluster is asked"),
        (("prod",), "error: mlops.yaml has no environment 'prod'"),
    ],
)
def test_what_makes_no_sense_is_refused(
    live: Path, cluster: StandIn, lockgate: Lockgate, arguments: tuple[str, ...], message: str
) -> None:
    done = lockgate("watch", *arguments)
    assert done.code == 2
    assert done.err.startswith(message)


def _id(lockgate: Lockgate) -> str:
    (incident,) = incidents(lockgate)
    return str(incident["incident"])
