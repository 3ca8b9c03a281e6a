"""The emitted dvc.yaml, judged by the real DVC: it parses, runs what it should, and runs nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.replacing import replace
from tests.targets.pipeline_plans import MODEL, pipeline, plan, stage, train_stage

from lockgate.plan.model import Pipeline, Stage
from lockgate.targets.dvc import emit
from lockgate.targets.dvc.command import shell_command
from lockgate.targets.dvc.literal import literal
from lockgate.yaml.dump import dump

dvc_parsing = pytest.importorskip("dvc.parsing", reason="DVC is missing: pip install 'lockgate[pipeline]'")

NAME = "flight-delay"
ARTIFACT = f"pipelines/{NAME}:{NAME}"
HOSTILE = (
    "${models}",
    "\\${x}",
    "\\\\${x}",
    "$${x}}",
    "${",
    "}",
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned #",
    "'\"'",
    "it's",
    "",
    " two  spaces ",
    "*",
    "~",
    "-x",
    "a\u2028touch pwned",
    "a\u0085touch pwned",
    "🚀\\",
    "!history",
    "%s",
    "&&",
    "@me",
)

SPEC = """\
models:
  flight-delay:
    data:
      as_of: "2013-07-01"
    train:
      params: {depth: 3}
    serve:
      replicas: 2
"""


def test_a_pipeline_is_emitted_as_expanded_stages() -> None:
    described = replace(
        pipeline((train_stage(NAME), _export_stage())), model=replace(MODEL, description="Late?")
    )

    (file,) = emit(plan(described))

    assert file.path == "pipelines/flight-delay/dvc.yaml"
    assert file.content == {
        "stages": {
            "train": {
                "desc": "Does one thing.",
                "cmd": "python -m lockgate_runtime train flight-delay",
                "wdir": "../..",
                "deps": ["artifacts/flight-delay/train.parquet", "models/flight_delay"],
                "params": [{"mlops.yaml": ["models.flight-delay.train"]}],
                "outs": ["artifacts/flight-delay/estimator.joblib"],
            },
            "export": {
                "desc": "Does one thing.",
                "cmd": "true",
                "wdir": "../..",
                "outs": ["artifacts/flight-delay/model"],
            },
        },
        "artifacts": {
            "flight-delay": {
                "path": "../../artifacts/flight-delay/model",
                "type": "model",
                "desc": "Late?",
                "labels": ["classification"],
            }
        },
    }


def test_known_plots_have_axes_and_others_are_left_to_dvc() -> None:
    drawn = stage("evaluate", ("true",), plots=("artifacts/flight-delay/roc.csv", "artifacts/other.csv"))

    (file,) = emit(plan(pipeline((drawn,))))

    assert not isinstance(file.content, str), "it is a document"
    assert file.content["stages"]["evaluate"]["plots"] == [
        {"artifacts/flight-delay/roc.csv": {"x": "fpr", "y": "tpr", "title": "ROC curve"}},
        "artifacts/other.csv",
    ]


def test_a_pipeline_without_an_exported_model_has_no_artifact() -> None:
    (file,) = emit(plan())

    assert list(file.content) == ["stages"]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("${}\\'\" \u2028\x85")))
)
def test_dvc_reads_every_string_literally(texts: list[str]) -> None:
    wanted = {"cmd": texts, "desc": " ".join(texts), "deps": [f"a{text}" for text in texts]}

    assert _resolved(literal({"train": wanted})) == {"train": wanted}


def test_a_command_that_dvc_would_split_is_one_item_of_a_list() -> None:
    assert shell_command(["echo", "a b"]) == "echo 'a b'"
    assert shell_command(["echo", "a\u2028b"]) == ["echo 'a\u2028b'"]
    assert shell_command(["echo", "a\nb"]) == ["echo 'a\nb'"]


@pytest.mark.slow
def test_the_process_gets_exactly_the_arguments_of_the_plan(tmp_path: Path) -> None:
    tell = "import json, os, sys; json.dump([os.getcwd(), *sys.argv[1:]], open('seen.json', 'w'))"
    hostile = stage(
        "tell", (sys.executable, "-c", tell, *HOSTILE), outs=("seen.json",), description="${x} `y`"
    )
    root = _project(tmp_path, pipeline((hostile,)))

    _dvc(root, "repro", "pipelines/flight-delay/dvc.yaml")

    assert json.loads((root / "seen.json").read_text(encoding="utf-8")) == [str(root), *HOSTILE]
    assert not (root / "pwned").exists()


@pytest.mark.slow
def test_dvc_lists_the_stages_their_order_and_the_artifact(tmp_path: Path) -> None:
    root = _project(tmp_path, _small_pipeline())

    listed = _dvc(root, "stage", "list", "--name-only", "pipelines/flight-delay/dvc.yaml").split()
    drawn = _dvc(root, "dag", "--dot", "pipelines/flight-delay/dvc.yaml")

    assert listed == [
        f"pipelines/flight-delay/dvc.yaml:{name}" for name in ("ingest", "weather", "train", "evaluate")
    ]
    edges = {("ingest", "weather"), ("weather", "train"), ("train", "evaluate")}
    assert {edge for edge in edges if _edge(*edge) in drawn} == edges
    assert drawn.count("->") == len(edges)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose pipeline has run once."""
    root = _project(tmp_path_factory.mktemp("ran"), _small_pipeline())
    assert _ran(root) == ["ingest", "weather", "train", "evaluate"]
    return root


@pytest.mark.slow
def test_only_what_a_change_touches_runs_again(ran: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(ran, tmp_path / "project"))

    _change_spec(root, "replicas: 2", "replicas: 3")
    assert _ran(root) == []

    _change_spec(root, "depth: 3", "depth: 4")
    assert _ran(root) == ["train", "evaluate"]

    _change_spec(root, "2013-07-01", "2013-08-01")
    assert _ran(root) == ["ingest", "weather", "train", "evaluate"]


@pytest.mark.slow
def test_a_run_that_dvc_has_seen_is_taken_from_its_cache_and_git_stays_clean(
    ran: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(ran, tmp_path / "project"))
    _change_spec(root, "depth: 3", "depth: 4")
    _ran(root)
    _change_spec(root, "depth: 4", "depth: 3")

    output = _dvc(root, "repro", "pipelines/flight-delay/dvc.yaml")
    untracked = _git(root, "status", "--porcelain", "--untracked-files=all", "--", "artifacts").split()

    assert "Stage 'pipelines/flight-delay/dvc.yaml:train' is cached" in output
    assert "Running stage" not in output
    assert untracked == []
    assert not list((root / "artifacts").rglob(".gitignore"))


@pytest.mark.slow
def test_metrics_plots_and_artifacts_are_found_from_the_root(ran: Path) -> None:
    metrics = json.loads(_dvc(ran, "metrics", "show", "--json"))
    plots = json.loads(_dvc(ran, "plots", "show", "--json"))
    artifact = _python(ran, f"from dvc.repo import Repo; print(Repo().artifacts.get_path({ARTIFACT!r}))")

    assert metrics[""]["data"] == {"artifacts/flight-delay/metrics.json": {"data": {"auc": 0.5}}}
    assert list(plots["data"]) == ["artifacts/flight-delay/roc.csv"]
    assert artifact == "artifacts/flight-delay/model\n"


def _small_pipeline() -> Pipeline:
    folder = f"artifacts/{NAME}"
    draw = f'printf "fpr,tpr\\n0,0\\n1,1\\n" > {folder}/roc.csv; echo "{{\\"auc\\": 0.5}}" > {folder}/metrics.json'
    return pipeline(
        (
            _copies("ingest", f"{folder}/raw", key="data", word="as_of"),
            _copies("weather", "artifacts/weather", deps=(f"{folder}/raw",)),
            _copies("train", f"{folder}/model", key="train", word="depth", deps=("artifacts/weather",)),
            stage(
                "evaluate",
                ("sh", "-c", draw),
                deps=(f"{folder}/model",),
                metrics=(f"{folder}/metrics.json",),
                plots=(f"{folder}/roc.csv",),
            ),
        )
    )


def _copies(
    name: str, path: str, *, key: str = "", word: str = "nothing", deps: tuple[str, ...] = ()
) -> Stage:
    """A stage that writes its inputs and the spec's lines with the word, so that a change of them goes on."""
    script = (
        'out=$1 word=$2; shift 2; mkdir -p "${out%/*}";'
        ' { grep -e "$word" mlops.yaml; cat /dev/null "$@"; } > "$out"'
    )
    command = ("sh", "-c", script, "sh", path, word, *deps)
    return stage(name, command, deps=deps, params=(f"models.{NAME}.{key}",) if key else (), outs=(path,))


def _export_stage() -> Stage:
    return stage("export", ("true",), outs=("artifacts/flight-delay/model",))


def _project(tmp_path: Path, *pipelines: Pipeline) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "mlops.yaml").write_text(SPEC, encoding="utf-8")
    (root / ".gitignore").write_text("/artifacts/\n", encoding="utf-8")
    for file in emit(plan(*pipelines)):
        (root / file.path).parent.mkdir(parents=True)
        assert not isinstance(file.content, str), "it is a document"
        (root / file.path).write_text(dump(file.content), encoding="utf-8")
    _git(root, "init", "--quiet")
    _dvc(root, "init", "--quiet")
    return root


def _ran(root: Path) -> list[str]:
    """The stages that DVC ran to bring the pipeline up to date, in order."""
    output = _dvc(root, "repro", "pipelines/flight-delay/dvc.yaml")
    running = [line for line in output.splitlines() if line.startswith("Running stage")]
    return [line.rpartition(":")[0].rpartition(":")[2].strip("'") for line in running]


def _edge(start: str, end: str) -> str:
    return f'"pipelines/flight-delay/dvc.yaml:{start}" -> "pipelines/flight-delay/dvc.yaml:{end}"'


def _change_spec(root: Path, old: str, new: str) -> None:
    text = (root / "mlops.yaml").read_text(encoding="utf-8")
    assert old in text
    (root / "mlops.yaml").write_text(text.replace(old, new), encoding="utf-8")


def _resolved(stages: dict[str, object]) -> object:
    """What DVC's own resolver makes of the stages, after a round trip through the file's text."""
    document = yaml.safe_load(dump({"stages": stages}))
    context = dvc_parsing.Context()
    dvc_parsing.check_syntax_errors(document["stages"]["train"], "train", "dvc.yaml")
    return context.resolve(document["stages"])


def _dvc(root: Path, *arguments: str) -> str:
    return _run(root, sys.executable, "-m", "dvc", *arguments)


def _git(root: Path, *arguments: str) -> str:
    return _run(root, "git", *arguments)


def _python(root: Path, script: str) -> str:
    return _run(root, sys.executable, "-c", script)


def _run(root: Path, *command: str) -> str:
    environment = os.environ | {"DVC_NO_ANALYTICS": "1", "SHELL": "/bin/sh", "HOME": str(root.parent)}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
