"""Text of unknown origin made fit for any page: what cannot be printed is replaced, what is too long is cut."""

from __future__ import annotations

import re

# C0 and C1 controls, surrogates, and the characters that turn the direction of text or hide in it.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def clean(text: str) -> str:
    """The text with every character that a page cannot show, or that would reorder it, replaced by U+FFFD."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def clip(text: str, length: int) -> str:
    """At most `length` characters of the text on one line, with an ellipsis where it was longer."""
    line = " ".join(text[: 8 * length].split())
    return line if len(line) <= length and len(text) <= 8 * length else line[: length - 1].rstrip() + "…"


def plural(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
