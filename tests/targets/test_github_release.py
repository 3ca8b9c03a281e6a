"""The workflow after a merge: rights, order, and what it leaves out where there is nothing to build or to promote."""

from __future__ import annotations

from typing import Any

from tests.targets import pipeline_plans
from tests.targets.emitted import emitted
from tests.targets.released_plans import served

from lockgate.plan.model import Plan

Content = dict[str, Any]


def release(plan: Plan) -> Content:
    (found,) = (it for it in emitted(plan) if it["name"] == "Lockgate release")
    return found


def steps(job: Content, *prefixes: str) -> list[Content]:
    return [step for step in job["steps"] if step.get("uses", "").startswith(prefixes)]


def test_it_runs_after_a_push_to_the_branch_and_is_never_cancelled() -> None:
    workflow = release(served())

    assert workflow["on"] == {"push": {"branches": ["main"]}}
    assert workflow["concurrency"] == {"group": "lockgate-release", "cancel-in-progress": False}


def test_where_an_environment_waits_it_also_runs_by_the_clock() -> None:
    assert release(served(soak="24h"))["on"]["schedule"] == [{"cron": "17 * * * *"}]


def test_jobs_may_write_where_they_must_and_the_app_writes_for_them() -> None:
    jobs = release(served())["jobs"]

    assert {key: job["permissions"] for key, job in jobs.items()} == {
        "plan": {"contents": "read"},
        "fetch": {"contents": "read"},
        "image": {
            "contents": "read",
            "packages": "write",
            "id-token": "write",
            "attestations": "write",
        },
        "record": {"contents": "read", "pull-requests": "read"},
        "promote": {"contents": "read"},
    }


def test_without_an_app_the_jobs_themselves_write() -> None:
    jobs = release(served(app=False))["jobs"]

    assert jobs["record"]["permissions"] == {"contents": "write", "pull-requests": "read"}
    assert jobs["promote"]["permissions"] == {"contents": "write", "pull-requests": "write"}


def test_the_users_steps_run_where_nothing_may_be_written() -> None:
    jobs = release(served())["jobs"]

    assert [
        key for key, job in jobs.items() if any(it["name"] == "Log in to storage" for it in job["steps"])
    ] == ["fetch"]


def test_jobs_that_fetch_data_say_who_they_are_where_the_spec_lets_them() -> None:
    plan = served(oidc=True)
    (proving,) = (it["jobs"]["prove"] for it in emitted(plan) if it["name"] == "Lockgate")

    for job in (proving, release(plan)["jobs"]["fetch"]):
        assert job["permissions"] == {"contents": "read", "id-token": "write"}


def test_another_registry_is_logged_in_to_by_the_users_steps() -> None:
    job = release(served(registry="registry.example.org/ml"))["jobs"]["image"]

    assert "packages" not in job["permissions"]
    assert steps(job, "docker/login-action") == []
    assert "Log in to storage" in [step["name"] for step in job["steps"]]


def test_without_a_registry_there_is_no_image() -> None:
    jobs = release(served(registry=None))["jobs"]

    assert set(jobs) == {"plan", "fetch", "record", "promote"}
    assert jobs["record"]["needs"] == ["plan", "fetch"]


def test_without_environments_there_are_records_and_tags_only() -> None:
    assert set(release(pipeline_plans.plan())["jobs"]) == {"plan", "fetch", "record"}


def test_no_job_restores_a_cache() -> None:
    jobs = release(served())["jobs"]

    for job in jobs.values():
        assert steps(job, "actions/cache") == []
        assert all("cache" not in it["with"] for it in steps(job, "actions/setup-python"))
    (buildx,), (build,), (scan,) = (
        steps(jobs["image"], name)
        for name in ("docker/setup-buildx", "docker/build-push", "aquasecurity/trivy")
    )
    assert (buildx["with"]["cache-binary"], build["with"]["no-cache"], scan["with"]["cache"]) == (
        False,
        True,
        False,
    )


def test_promotions_are_made_on_the_newest_commit_of_the_branch() -> None:
    job = release(served())["jobs"]["promote"]

    assert steps(job, "actions/checkout")[0]["with"] == {
        "ref": "main",
        "fetch-depth": 0,
        "persist-credentials": False,
    }


def test_no_script_holds_an_expression() -> None:
    jobs = release(served())["jobs"]

    assert [step for job in jobs.values() for step in job["steps"] if "${{" in step.get("run", "")] == []
