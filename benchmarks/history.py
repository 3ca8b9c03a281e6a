"""Times `lockgate history` on a long history that is made for it, as a Markdown table.

    python benchmarks/history.py [--commits 5000] [--releases 500] [--rounds 5]

The repository has two environments and ten models. Every release is a record and two promotions, the other commits
touch other files. Each run is a process of its own.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

MODELS = [f"model-{number}" for number in range(10)]
START_SECONDS = 1_700_000_000
STEP_SECONDS = 600
_MODEL = """\
  {name}:
    owner: ops
    task: classification
    data: {{source: models.m.data:load, target: y}}
    train: {{estimator: models.m.model:build}}
    serve: {{}}
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--commits", type=int, default=5000)
    parser.add_argument("--releases", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make_repository(root, options.commits, options.releases)
        middle = START_SECONDS + options.commits * STEP_SECONDS // 2
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(middle))
        print(f"{options.commits:,} commits, {options.releases:,} releases, {options.rounds} rounds\n")
        print("| Command | Median, s | Slowest, s |\n|---|---:|---:|")
        for command in (("history", "--at", at), ("history",), ("history", "model-3", "--env", "production")):
            seconds = [_seconds(root, command) for _ in range(options.rounds)]
            name = " ".join(command)
            print(f"| `lockgate {name}` | {statistics.median(seconds):.2f} | {max(seconds):.2f} |")
    return 0


def make_repository(root: Path, commits: int, releases: int) -> None:
    """A repository whose main branch has that many commits, among them the releases with their promotions."""
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(root)], check=True)
    stream = "".join(_stream(commits, releases)).encode()
    subprocess.run(["git", "-C", str(root), "fast-import", "--quiet"], input=stream, check=True)
    subprocess.run(["git", "-C", str(root), "checkout", "--quiet", "main"], check=True)


def _stream(commits: int, releases: int) -> Iterator[str]:
    pins: dict[str, dict[str, str]] = {"staging": {}, "production": {}}
    every = max(3, commits // max(1, releases))
    released = 0
    for number in range(commits):
        name = MODELS[released % len(MODELS)]
        version = f"1.{released // len(MODELS)}.0"
        files, step = {f"notes/{number % 50}.md": f"{number}\n"}, number % every
        if released < releases and step == every - 3:
            files = {f"registry/{name}/{version}.yaml": f"model: {name}\nversion: {version}\n"}
        elif released < releases and step == every - 2:
            pins["staging"][name] = version
            files = {"mlops.yaml": _spec(pins)}
        elif released < releases and step == every - 1:
            pins["production"][name] = version
            released += 1
            files = {"mlops.yaml": _spec(pins)}
        yield _commit(number, files if number else {**files, "mlops.yaml": _spec(pins)})


def _commit(number: int, files: dict[str, str]) -> str:
    seconds = START_SECONDS + number * STEP_SECONDS
    message = f"Change {number} (#{number})\n"
    head = f"commit refs/heads/main\ncommitter Ada <ada@example.com> {seconds} +0000\n{_data(message)}"
    return head + "".join(f"M 100644 inline {path}\n{_data(text)}" for path, text in files.items()) + "\n"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _spec(pins: dict[str, dict[str, str]]) -> str:
    lines = ["apiVersion: lockgate.dev/v1\nproject: {repository: github.com/acme/flights}\nmodels:\n"]
    lines += [_MODEL.format(name=name) for name in MODELS]
    lines.append(
        "environments:\n  staging: {namespace: ml-staging}\n  production: {namespace: ml}\ndeployments:\n"
    )
    for environment, versions in pins.items():
        lines.append(f"  {environment}:{'' if versions else ' {}'}\n")
        lines += [f"    {name}: {version}\n" for name, version in versions.items()]
    return "".join(lines)


def _seconds(root: Path, command: tuple[str, ...]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-m", "lockgate", *command], cwd=root, capture_output=True, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
