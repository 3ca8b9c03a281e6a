"""Instructions of a Dockerfile → its text. Arguments are JSON arrays and quoted values: no shell reads any of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from lockgate.tuples import NamedTuple


class Instruction(NamedTuple):
    """One instruction; `text` is what follows the keyword, quoted already."""

    keyword: str
    text: str

    def __str__(self) -> str:
        return f"{self.keyword} {self.text}"


def base(reference: str, stage: str = "") -> Instruction:
    """The image that a stage starts from."""
    return Instruction("FROM", f"{reference} AS {stage}" if stage else reference)


def argument(name: str) -> Instruction:
    """What the build may be told."""
    return Instruction("ARG", name)


def environment(variables: Mapping[str, str]) -> Instruction:
    return Instruction("ENV", _pairs(variables))


def labels(values: Mapping[str, str]) -> Instruction:
    """Values may name an `ARG` as `${NAME}`."""
    return Instruction("LABEL", _pairs(values))


def run(command: Sequence[str], *, mount: str = "") -> Instruction:
    """A program with its arguments, without a shell."""
    return Instruction("RUN", f"--mount={mount} {json.dumps(command)}" if mount else json.dumps(command))


def copy(source: str, target: str, *, stage: str = "") -> Instruction:
    option = f"--from={stage} " if stage else ""
    return Instruction("COPY", option + json.dumps([source, target]))


def command(keyword: str, parts: Sequence[str]) -> Instruction:
    """`ENTRYPOINT`, `CMD` or `HEALTHCHECK … CMD`, as an array."""
    return Instruction(keyword, json.dumps(parts))


def word(keyword: str, text: str) -> Instruction:
    return Instruction(keyword, text)


def dockerfile(stages: Iterable[Sequence[Instruction]]) -> str:
    """The stages with an empty line between them; a list of values goes on in the lines below."""
    return "\n\n".join("\n".join(map(str, stage)) for stage in stages) + "\n"


def _pairs(values: Mapping[str, str]) -> str:
    return " \\\n    ".join(f"{name}={_quoted(value)}" for name, value in values.items())


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
