"""Where words go: two streams, colour where it is wanted, and nothing that could steer the reader's terminal."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Literal, TextIO, TypeAlias

from lockgate.tuples import NamedTuple

ColourChoice: TypeAlias = Literal["auto", "always", "never"]

_RESET = "\x1b[0m"
_CLEAR_LINE = "\r\x1b[K"


class Terminal(NamedTuple):
    """Results go to `out`, complaints to `err`; `live` is whether `out` can rewrite its last line."""

    out: TextIO
    err: TextIO
    out_colour: bool
    err_colour: bool
    live: bool

    def say(self, line: str = "") -> None:
        print(line, file=self.out, flush=self.live)

    def write(self, text: str) -> None:
        """Text as it is, for machines."""
        self.out.write(text)

    def error(self, line: str) -> None:
        print(line, file=self.err)

    def transient(self, line: str) -> None:
        """A line that the next `clear` takes away; nothing where that is not possible."""
        if self.live:
            print(line, end="", file=self.out, flush=True)

    def clear(self) -> None:
        if self.live:
            print(_CLEAR_LINE, end="", file=self.out)

    def green(self, text: str) -> str:
        return _painted(text, 32) if self.out_colour else text

    def yellow(self, text: str) -> str:
        return _painted(text, 33) if self.out_colour else text

    def red(self, text: str) -> str:
        return _painted(text, 31) if self.out_colour else text

    def alarm(self, text: str) -> str:
        """Red, for a complaint."""
        return _painted(text, 31) if self.err_colour else text

    def dim(self, text: str) -> str:
        return _painted(text, 2) if self.out_colour else text


def make_terminal(out: TextIO, err: TextIO, environment: Mapping[str, str], choice: ColourChoice) -> Terminal:
    """The process's streams as they are; text that a stream cannot encode is written with escapes."""
    for stream in (out, err):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    return Terminal(
        out=out,
        err=err,
        out_colour=wants_colour(out, environment, choice),
        err_colour=wants_colour(err, environment, choice),
        live=out.isatty() and environment.get("TERM") != "dumb",
    )


def wants_colour(stream: TextIO, environment: Mapping[str, str], choice: ColourChoice) -> bool:
    """The option decides, then NO_COLOR, then FORCE_COLOR, then whether somebody is looking."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environment.get("TERM") != "dumb"


def printable(text: str) -> str:
    """The text without characters that steer a terminal; tabs stay."""
    return "".join(
        character if character.isprintable() or character == "\t" else _escaped(character)
        for character in text
    )


def plural(count: int, noun: str) -> str:
    """`1 file`, `13,000 files`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _painted(text: str, code: int) -> str:
    return f"\x1b[{code}m{text}{_RESET}"
