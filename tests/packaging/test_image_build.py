"""The generated Dockerfile, built without a Docker engine: the server in it answers, and two builds are equal."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.packaging.local_base import write_base
from tests.server.model_folder import write_folder
from tests.server.observed import reference_of, signature_of
from tests.targets.test_image import rendered

from lockgate.contract import SHA256SUMS
from lockgate.plan.image import ARTIFACT_SHA256, dockerfile
from lockgate.targets.image.bases import BASES

ROOT = Path(__file__).parents[2]
BASE = "localhost/base:local"
SPEC = """\
apiVersion: lockgate.dev/v1
project: {repository: github.com/acme/buses}
models:
  late-bus:
    owner: ops
    task: classification
    data: {source: data/buses.csv, target: late}
    train: {estimator: "models.late_bus.model:build"}
    serve: {}
environments: {production: {namespace: ml}}
deployments: {}
"""


class Builder:
    """`buildah` with a store of its own that holds the base image."""

    def __init__(self, tool: str, store: Path) -> None:
        self._command = [
            tool,
            "--root",
            f"{store}/root",
            "--runroot",
            f"{store}/run",
            "--storage-driver",
            "vfs",
        ]

    def run(self, *arguments: str | Path) -> str:
        return output(*self._command, *arguments)

    def build(self, project: Path, sha256: str, tag: str) -> str:
        """What the build printed where it failed; empty where it did not."""
        path = project / dockerfile("late-bus")
        command = [
            *self._command, "build", "--no-cache", "--isolation", "chroot", "--timestamp", "0", "--tag", tag,
            "--build-arg", f"{ARTIFACT_SHA256}={sha256}", "--ignorefile", f"{path}.dockerignore", "--file", str(path),
            str(project),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def refused(self, container: str) -> str | None:
        """What the kernel forbids, as it does inside of other containers; None where a program runs."""
        command = [*self._command, "run", "--isolation", "chroot", container, "--", "python", "-c", "pass"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        forbidden = "not permitted" in done.stderr or "permission denied" in done.stderr
        return done.stderr.strip()[-300:] if forbidden else None

    def layers(self, tag: str) -> list[str]:
        described = json.loads(self.run("inspect", "--type", "image", tag))
        return list(described["OCIv1"]["rootfs"]["diff_ids"])

    @contextmanager
    def served(self, tag: str) -> Iterator[str]:
        """The address of the server that the image starts, at a free port of this machine."""
        container = self.run("from", tag).strip()
        listening = ["--model", "/model", "--card", "/card.md", "--port", "0"]
        command = [*self._command, "run", "--isolation", "chroot", container, "--"]
        entrypoint = ["python", "-m", "lockgate_runtime", "serve", *listening]
        with subprocess.Popen(
            [*command, *entrypoint], stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as server:
            assert server.stdout is not None, "it is read"
            try:
                found = re.search(r"http://\S+/", server.stdout.readline())
                assert found, "the server says where it is"
                yield found[0]
            finally:
                os.killpg(server.pid, signal.SIGTERM)


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Builder:
    tool = shutil.which("buildah")
    if tool is None or os.geteuid() != 0:
        pytest.skip("building an image needs root, and buildah (Debian: apt-get install buildah)")
    made = Builder(tool, tmp_path_factory.mktemp("store"))
    tree = tmp_path_factory.mktemp("base")
    write_base(tree)
    container = made.run("from", "scratch").strip()
    made.run("copy", "--quiet", container, tree, "/")
    refused = made.refused(container)
    if refused is not None:
        pytest.skip(f"this machine lets nobody run a container, not even root: {refused}")
    made.run("commit", "--quiet", container, BASE)
    return made


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an exported model, whose requirements are this repository's wheel and its locked libraries."""
    root = tmp_path_factory.mktemp("project")
    build = ("-m", "build", "--wheel", "--no-isolation", "--outdir", root / "wheels", ROOT)
    output(sys.executable, *build)
    (wheel,) = (root / "wheels").iterdir()
    shutil.copy(ROOT / "constraints.txt", root)
    (root / "requirements.txt").write_text(
        f"--constraint constraints.txt\nlockgate[serve] @ file:///src/wheels/{wheel.name}\n"
    )
    write_folder(root / "artifacts/late-bus/model", signature_of(), reference_of())
    (root / "artifacts/late-bus/card.md").write_text("# late-bus\n")
    for path, text in rendered(SPEC).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text.replace(BASES["3.11"].reference, BASE))
    return root


def output(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def sha256_of(project: Path) -> str:
    sums = project / "artifacts/late-bus/model" / SHA256SUMS
    return hashlib.sha256(sums.read_bytes()).hexdigest()


@pytest.mark.slow
def test_the_server_in_the_image_answers_and_a_second_build_has_the_same_layers(
    builder: Builder, project: Path
) -> None:
    for tag in ("one", "two"):
        assert builder.build(project, sha256_of(project), tag) == ""
    row = json.dumps({"rows": [{"distance": 1.5, "line": "2"}]}).encode()

    with builder.served("one") as address:
        request = urllib.request.Request(
            f"{address}v1/predict", data=row, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            (prediction,) = json.load(answer)["predictions"]
    assert prediction == {"prediction": "True", "probability": pytest.approx(0.5, abs=0.01)}
    assert builder.layers("one") == builder.layers("two")


@pytest.mark.slow
def test_a_model_other_than_the_one_that_was_judged_is_not_built_in(builder: Builder, project: Path) -> None:
    assert "sha256" in builder.build(project, "0" * 64, "other")
