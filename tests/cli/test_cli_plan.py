"""`lockgate plan`: what merging a change in a real Git repository does."""

from __future__ import annotations

import json
import resource
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Lockgate
from tests.cli.project_tree import commit, edit, git, process

IMAGE = f"ghcr.io/acme/iris@sha256:{'ab' * 32}"


@pytest.fixture
def branch(committed: Path, lockgate: Lockgate) -> Path:
    """A project that serves iris 1.0.0 and knows 1.1.0, on a branch of its own."""
    (committed / "registry/iris").mkdir(parents=True)
    for version in ("1.0.0", "1.1.0"):
        (committed / f"registry/iris/{version}.yaml").write_text(
            f"model: iris\nversion: {version}\nimage: {IMAGE}\nartifact_sha256: {'cd' * 32}\nmetrics: {{}}\n"
        )
    with (committed / "mlops.yaml").open("a") as spec:
        spec.write("deployments:\n  production: {iris: 1.0.0}\n")
    assert lockgate("render").code == 0
    commit(committed)
    git(committed, "checkout", "--quiet", "-b", "change")
    return committed


def planned(lockgate: Lockgate, *arguments: str) -> dict[str, Any]:
    outcome = lockgate("plan", "--format", "json", *arguments)
    assert outcome.code == 0, outcome.err
    document: dict[str, Any] = json.loads(outcome.out)
    return document


NOTHING: dict[str, Any] = {
    "models": [],
    "spec": [],
    "manifests": [],
    "environments": [],
    "patches": [],
    "other_files": [],
    "idle_files": [],
    "notes": [],
    "promotions": [],
    "releases": [],
}


def test_no_change_does_nothing_and_says_so(lockgate: Lockgate, branch: Path) -> None:
    assert planned(lockgate) == NOTHING
    assert lockgate("plan").out == (
        "no model: nothing runs and nothing is trained\n"
        "no environment: nothing that is deployed changes\n"
        "against main\n"
    )


def test_documentation_costs_nothing(lockgate: Lockgate, branch: Path) -> None:
    (branch / "README.md").write_text("A typo less\n")
    (branch / "docs").mkdir()
    (branch / "docs/guide.md").write_text("x\n")
    commit(branch)
    assert planned(lockgate) == {**NOTHING, "idle_files": ["README.md", "docs/guide.md"]}
    assert json.loads(lockgate("affected", "--base", "main", "--format", "json").out) == {"models": []}


def test_a_comment_in_the_spec_costs_nothing(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "environments:", "# where it runs\nenvironments:")
    assert planned(lockgate) == NOTHING


def test_more_replicas_train_nothing_and_replace_no_pod(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "serve: {}", "serve: {replicas: {min: 3}}")
    lockgate("render")
    assert planned(lockgate) == {
        **NOTHING,
        "models": [{"name": "iris", "change": "served", "stages": [], "reasons": []}],
        "spec": [{"pointer": "models.iris.serve.replicas.min", "old": 2, "new": 3}],
        "manifests": [
            {
                "path": "manifests/production/iris/horizontal-pod-autoscaler.yaml",
                "kind": "HorizontalPodAutoscaler",
                "name": "iris",
                "environment": "production",
                "change": "changed",
                "fields": [{"pointer": "/spec/minReplicas", "old": 2, "new": 3}],
            }
        ],
        "environments": [
            {
                "name": "production",
                "change": "changed",
                "namespace": "ml",
                "services": [
                    {
                        "model": "iris",
                        "change": "changed",
                        "old_version": "1.0.0",
                        "new_version": "1.0.0",
                        "image": IMAGE,
                        "rolls_out": False,
                        "strategy": "rolling",
                        "steps": [],
                        "shadow": None,
                        "test_seconds": 0,
                    }
                ],
            }
        ],
    }
    assert lockgate("plan").out.startswith(
        "iris: nothing is trained, only what serves it changes\n"
        "production (namespace ml)\n"
        "  iris 1.0.0: changed in place, no pod is replaced\n"
        "  ~ HorizontalPodAutoscaler iris\n"
        "      /spec/minReplicas: 2 → 3\n"
    )


def test_a_rollout_s_shadow_and_test_are_among_what_merging_does(lockgate: Lockgate, branch: Path) -> None:
    traffic = "{gateway: g, namespace: gateways, hostname: iris.acme.test, router: istio}"
    edit(branch, "serve: {}", f"serve: {{rollout: cautious, traffic: {traffic}}}")
    lockgate("render")
    (environment,) = planned(lockgate)["environments"]
    (service,) = environment["services"]
    assert (service["shadow"], service["test_seconds"]) == ({"percent": 100, "seconds": 1800}, 600)


def test_a_parameter_of_training_runs_that_stage_and_what_follows(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "depth: 3", "depth: 4")
    lockgate("render")
    effects = planned(lockgate)
    assert effects["models"] == [
        {
            "name": "iris",
            "change": "runs",
            "stages": [
                ["train", "mlops.yaml: models.iris.train.params.depth"],
                ["evaluate", "reads what 'train' writes"],
                ["export", "reads what 'train' writes"],
                ["scan", "reads what 'export' writes"],
                ["gate", "reads what 'train' writes"],
            ],
            "reasons": ["mlops.yaml: models.iris.train"],
        }
    ]
    assert effects["spec"] == [{"pointer": "models.iris.train.params.depth", "old": 3, "new": 4}]
    assert effects["environments"] == []


def test_code_of_a_model_runs_every_stage_that_reads_it(lockgate: Lockgate, branch: Path) -> None:
    (branch / "models/wine/model.py").write_text("# changed\n")
    (model,) = planned(lockgate)["models"]
    assert model["name"] == "wine"
    assert model["stages"][:2] == [
        ["ingest", "models/wine/model.py"],
        ["validate", "reads what 'ingest' writes"],
    ]
    assert [stage for stage, _ in model["stages"]] == [
        "ingest", "validate", "split", "train", "evaluate", "export", "scan", "gate",
    ]  # fmt: skip


def test_data_that_dvc_tracks_runs_the_stage_that_reads_it(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "source: models.wine.data:load", "source: data/wine.csv")
    lockgate("render")
    commit(branch)
    (branch / "data").mkdir()
    (branch / "data/wine.csv.dvc").write_text("outs: [{md5: x, path: wine.csv}]\n")
    (model,) = planned(lockgate, "--base", "HEAD")["models"]
    assert model["stages"][:2] == [
        ["ingest", "data/wine.csv.dvc"],
        ["validate", "reads what 'ingest' writes"],
    ]


def test_requirements_prove_every_model_again_but_run_no_stage(lockgate: Lockgate, branch: Path) -> None:
    (branch / "requirements.txt").write_text("scikit-learn\n")
    expected = {"change": "checked", "stages": [], "reasons": ["requirements.txt"]}
    assert planned(lockgate)["models"] == [{"name": name, **expected} for name in ("iris", "wine")]
    assert "iris: proved again, every stage is kept: requirements.txt\n" in lockgate("plan").out


def test_a_default_that_is_written_out_changes_nothing_that_holds(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "serve: {}", "serve: {replicas: {min: 2}, rollout: rolling}")
    assert planned(lockgate) == NOTHING


def test_moving_a_pin_rolls_the_version_out_and_trains_nothing(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "iris: 1.0.0", "iris: 1.1.0")
    edit(branch, "serve: {}", "serve: {rollout: {strategy: canary}, replicas: {min: 4}}")
    lockgate("render")
    commit(branch)
    effects = planned(lockgate)
    (environment,) = effects["environments"]
    (service,) = environment["services"]
    assert (service["old_version"], service["new_version"], service["image"]) == ("1.0.0", "1.1.0", IMAGE)
    assert (service["rolls_out"], service["strategy"]) == (True, "canary")
    assert service["steps"]
    assert [
        (it["change"], it["kind"], it["name"]) for it in effects["manifests"] if it["change"] != "changed"
    ] == [
        ("removed", "Deployment", "iris"),
        ("added", "Deployment", "iris-template"),
        ("added", "Rollout", "iris"),
        ("added", "Service", "iris-canary"),
        ("added", "Service", "iris-stable"),
    ]
    assert effects["models"] == [{"name": "iris", "change": "served", "stages": [], "reasons": []}]
    assert "  iris 1.0.0 → 1.1.0: rolls out, canary: " in lockgate("plan").out


def test_a_new_version_alone_is_told_by_its_fields(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "iris: 1.0.0", "iris: 1.1.0")
    (change,) = planned(lockgate)["manifests"]
    assert change["kind"] == "Deployment"
    assert {(it["old"], it["new"]) for it in change["fields"]} == {("1.0.0", "1.1.0")}
    assert change["fields"][-1]["pointer"].startswith("/spec/template/")


def test_a_promotion_is_told_first_with_what_its_records_lack(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "iris: 1.0.0", "iris: 1.1.0")
    edit(branch, "namespace: ml}", "namespace: ml, reviewers: ['@acme/ml']}")
    lines = lockgate("plan").out.splitlines()
    assert lines[:6] == [
        "Promotes iris 1.1.0 to production (was 1.0.0)",
        "  ! registry/iris/1.1.0.yaml does not say: released, author, metrics.",
        "  ! registry/iris/1.0.0.yaml does not say: released, author, metrics.",
        "  · production names no reviewers: whoever may merge decides.",
        "  released in between",
        "    1.1.0  its record says nothing",
    ]
    assert lockgate("plan", "--format", "md").out.startswith(
        "### Promotion: iris 1.0.0 → 1.1.0 in production\n"
    )
    (promotion,) = planned(lockgate)["promotions"]
    assert (promotion["direction"], promotion["old"], promotion["new"]) == ("promotion", "1.0.0", "1.1.0")


def test_metrics_of_both_versions_stand_on_the_terminal(lockgate: Lockgate, branch: Path) -> None:
    for version, metrics in (("1.0.0", "{f1: 0.70, mae: 2}"), ("1.1.0", "{f1: 0.72}")):
        path = branch / f"registry/iris/{version}.yaml"
        path.write_text(path.read_text().replace("metrics: {}", f"metrics: {metrics}"))
    edit(branch, "iris: 1.0.0", "iris: 1.1.0")
    text = lockgate("plan").out
    assert "  f1: 0.700 → 0.720 (+0.020, better by value)\n" in text
    assert "  mae: 2.000 → –\n" in text  # noqa: RUF001 - the dash of what is not there


def test_a_pin_of_a_base_that_cannot_be_read_is_still_known(lockgate: Lockgate, branch: Path) -> None:
    now = (branch / "mlops.yaml").read_text()
    (branch / "mlops.yaml").write_text(now.replace("owner: botany", "ownr: botany"))
    commit(branch)
    (branch / "mlops.yaml").write_text(now.replace("iris: 1.0.0", "iris: 1.1.0"))
    (promotion,) = planned(lockgate, "--base", "HEAD")["promotions"]
    assert (promotion["direction"], promotion["old"]) == ("promotion", "1.0.0")


def test_a_change_of_a_model_tells_what_is_known_of_its_next_version(
    lockgate: Lockgate, branch: Path
) -> None:
    edit(branch, "depth: 3", "depth: 4")
    expected: dict[str, Any] = {
        "model": "iris",
        "newest": "1.1.0",
        "outcome": "depends",
        "version": None,
        "reason": "whether it is a major, minor or patch is told by the model that comes out",
        "image": None,
        "promotions": [],
    }
    assert planned(lockgate)["releases"] == [expected]
    assert (
        "iris becomes the next version after 1.1.0 if its artifact is not that of 1.1.0: whether it is "
        in lockgate("plan").out
    )
    edit(branch, "owner: botany", "owner: botany\n    release: {bump: minor}")
    said = {**expected, "version": "1.2.0", "reason": "minor: the spec says so"}
    assert planned(lockgate)["releases"] == [said]


def test_the_first_release_of_a_model_is_known_and_so_is_who_promotes_it(
    lockgate: Lockgate, branch: Path
) -> None:
    edit(branch, "github.com/acme/flights\n", "github.com/acme/flights\n  image_registry: ghcr.io/acme\n")
    edit(branch, "target: grape}", "target: grape}\n    serve: {}")
    edit(
        branch,
        "production: {namespace: ml}",
        "staging: {namespace: ml-staging, promote: automatic}\n"
        "  production: {namespace: ml, requires: [staging], soak: 2h, reviewers: ['@acme/ml']}",
    )
    (branch / "models/wine/model.py").write_text("# changed\n")
    text = lockgate("plan").out
    assert (
        "wine becomes 1.0.0 if its gates hold: the first release\n"
        "  promoted to staging: proposed after the release, merged by itself, when its checks pass\n"
        "  promoted to production: proposed once it has been live in staging for 2 h, "
        "merged with the approval of one of @acme/ml\n"
    ) in text


def test_a_new_environment_and_a_removed_model_are_told(lockgate: Lockgate, branch: Path) -> None:
    edit(
        branch,
        "production: {namespace: ml}",
        "production: {namespace: ml}\n  staging: {namespace: ml-staging}",
    )
    text = (branch / "mlops.yaml").read_text()
    start, end = text.index("  wine:"), text.index("environments:")
    (branch / "mlops.yaml").write_text(text[:start] + text[end:])
    effects = planned(lockgate)
    assert [(it["name"], it["change"]) for it in effects["models"]] == [
        ("iris", "served"),
        ("wine", "removed"),
    ]
    assert [(it["name"], it["change"]) for it in effects["environments"]] == [("staging", "added")]
    assert "pipelines/wine/dvc.yaml" in effects["other_files"]
    assert [it["pointer"] for it in effects["spec"]] == ["models.wine", "environments.staging"]


def test_another_namespace_is_no_rollout_and_is_said(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "namespace: ml}", "namespace: science}")
    (note,) = planned(lockgate)["notes"]
    assert note == (
        "production moves from namespace ml to science: all of it is made anew there, without a rollout, and "
        "whoever applies the manifests has to remove what was"
    )


def test_patches_in_force_are_told_with_what_became_of_them(lockgate: Lockgate, branch: Path) -> None:
    patch = (
        "patches:\n  more-disk:\n    target: manifests/production/iris/service.yaml\n    reason: they need it\n"
        "    set: {/metadata/annotations: {a: b}}\n"
    )
    with (branch / "mlops.yaml").open("a") as spec:
        spec.write(patch)
    known = {
        "name": "more-disk",
        "target": "manifests/production/iris/service.yaml",
        "reason": "they need it",
        "files": ["manifests/production/iris/service.yaml"],
    }
    lockgate("render")
    assert planned(lockgate)["patches"] == [{**known, "change": "added"}]
    commit(branch)
    assert planned(lockgate, "--base", "HEAD") == {**NOTHING, "patches": [{**known, "change": None}]}
    edit(branch, "{a: b}", "{a: c}")
    effects = planned(lockgate, "--base", "HEAD")
    assert effects["patches"] == [{**known, "change": "changed"}]
    (change,) = effects["manifests"]
    assert change["fields"] == [{"pointer": "/metadata/annotations/a", "old": "b", "new": "c"}]


def test_what_the_base_gained_since_is_not_of_this_change(lockgate: Lockgate, branch: Path) -> None:
    git(branch, "checkout", "--quiet", "main")
    edit(branch, "depth: 3", "depth: 9")
    commit(branch)
    git(branch, "checkout", "--quiet", "change")
    assert planned(lockgate) == NOTHING


@pytest.mark.parametrize(
    ("spec", "note"),
    [
        (None, "the base has no mlops.yaml: all that the spec makes is new"),
        ("apiVersion: [", "the base's mlops.yaml has errors: all that the spec makes counts as new"),
    ],
)
def test_without_a_spec_before_everything_is_new(
    lockgate: Lockgate, branch: Path, spec: str | None, note: str
) -> None:
    path = branch / "mlops.yaml"
    now = path.read_text()
    path.unlink() if spec is None else path.write_text(spec)
    commit(branch)
    path.write_text(now)
    effects = planned(lockgate, "--base", "HEAD")
    assert effects["notes"] == [note]
    assert {stage[1] for model in effects["models"] for stage in model["stages"]} == {"is new"}
    assert {it["change"] for it in effects["manifests"]} == {"added"}


def test_generated_files_of_the_base_are_not_trusted(lockgate: Lockgate, branch: Path) -> None:
    path = branch / "manifests/production/iris/service.yaml"
    path.write_text(path.read_text().replace("iris", "other"))
    commit(branch)
    lockgate("render", "--force", "manifests/production/iris/service.yaml")
    effects = planned(lockgate, "--base", "HEAD")
    assert effects["manifests"] == []
    (note,) = effects["notes"]
    assert note.startswith(
        "1 generated file of the base is not what its spec makes with this Lockgate (manifests/"
    )


def test_an_ejected_manifest_counts_as_it_lies_there(lockgate: Lockgate, branch: Path) -> None:
    path = "manifests/production/iris/service-account.yaml"
    assert lockgate("eject", path).code == 0
    commit(branch)
    (branch / path).write_text((branch / path).read_text().replace("false", "true"))
    effects = planned(lockgate, "--base", "HEAD")
    (change,) = effects["manifests"]
    assert change["fields"] == [{"pointer": "/automountServiceAccountToken", "old": False, "new": True}]
    assert effects["notes"] == [
        f"ejected files count as they lie there, and what they do to pipelines is not known: {path}"
    ]


def test_an_ejected_file_that_is_no_yaml_is_left_out(lockgate: Lockgate, branch: Path) -> None:
    path = "manifests/production/iris/service-account.yaml"
    assert lockgate("eject", path).code == 0
    commit(branch)
    (branch / path).write_text("{{ helm }}: [")
    assert [it["change"] for it in planned(lockgate, "--base", "HEAD")["manifests"]] == ["removed"]


def test_values_cannot_steer_the_terminal_or_the_page(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "depth: 3", 'depth: "\\e[2J|<img src=x onerror=alert(1)>@team"')
    text = lockgate("plan").out
    assert "\x1b" not in text
    markdown = lockgate("plan", "--format", "md").out
    assert "<img" not in markdown
    assert "@team" not in markdown


def test_the_page_is_the_reports_own_section(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "depth: 3", "depth: 4")
    page = lockgate("plan", "--format", "md").out
    assert page.startswith("### When this merges\n")
    assert "train.params.depth" in page


def test_errors_in_the_spec_are_told_first(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "owner: botany", "ownr: botany")
    assert lockgate("plan").code == 1


def test_an_unknown_base_is_a_usage_error(lockgate: Lockgate, branch: Path) -> None:
    outcome = lockgate("plan", "--base", "--output=x")
    assert outcome.code == 2
    outcome = lockgate("plan", "--base", "nonsense")
    assert (outcome.code, outcome.err.splitlines()[0]) == (2, "error: Git knows no commit 'nonsense'")


def test_the_base_is_the_remote_branch_where_there_is_one(lockgate: Lockgate, branch: Path) -> None:
    git(branch, "update-ref", "refs/remotes/origin/main", "main")
    assert lockgate("plan").out.endswith("against origin/main\n")


def test_a_plan_changes_nothing_on_the_disk(lockgate: Lockgate, branch: Path) -> None:
    edit(branch, "depth: 3", "depth: 4")
    before = {path: path.read_bytes() for path in branch.rglob("*") if path.is_file()}
    lockgate("plan")
    assert {path: path.read_bytes() for path in branch.rglob("*") if path.is_file()} == before


@pytest.mark.slow
def test_a_plan_takes_less_than_a_second_of_the_processor(branch: Path) -> None:
    edit(branch, "depth: 3", "depth: 4")
    assert min(seconds_of_plan(branch) for _ in range(3)) < 1


def seconds_of_plan(root: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert process(root, "plan").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
