"""Small specs beside all that is made of them. Read a case to learn what Lockgate writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lockgate import plan, spec, targets
from lockgate.plan.model import Record

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/mlops.yaml"))
ROOT = HERE.parents[1]
SOURCES = os.pathsep.join(str(ROOT / folder) for folder in ("", "generators", "runtime"))


def record(model: str, version: str) -> Record:
    image = f"ghcr.io/acme/{model}@sha256:{'0123456789abcdef' * 4}"
    return Record(model=model, version=version, image=image, artifact_sha256="fedcba98" * 8, metrics={})


RELEASED = {
    (model, version): record(model, version)
    for model, version in (("delay", "1.9.0"), ("delay", "1.10.0"), ("price", "0.1.0"))
}


def rendered(case: Path) -> dict[str, str]:
    reading = spec.read((case / "mlops.yaml").read_bytes())
    assert reading.spec is not None, reading.diagnostics
    planned, findings = plan.make(reading.spec, RELEASED)
    rendering = targets.render(planned)
    assert (findings, rendering.findings) == ((), ())
    return dict(rendering.files)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_spec_makes_exactly_these_files(case: Path) -> None:
    expected = case / "expected"
    made = rendered(case)
    if os.environ.get("LOCKGATE_UPDATE_GOLDEN"):
        for path, text in made.items():
            (expected / path).parent.mkdir(parents=True, exist_ok=True)
            (expected / path).write_text(text)
    kept = {
        path.relative_to(expected).as_posix(): path.read_text()
        for path in expected.rglob("*")
        if path.is_file()
    }
    assert made == kept


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_bytes_do_not_depend_on_the_hash_seed_or_the_folder(seed: str, tmp_path: Path) -> None:
    program = "from pathlib import Path; from tests.golden import test_golden as t; import sys\n"
    program += "print({case.name: t.rendered(case) for case in t.CASES})"
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": SOURCES}
    printed = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed == f"{ {case.name: rendered(case) for case in CASES} }\n"


@pytest.mark.parametrize(
    "project", [ROOT, ROOT / "examples/diabetes-progression"], ids=lambda path: path.name
)
def test_the_generated_files_of_the_examples_are_current(project: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "lockgate", "--root", str(project), "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
