"""Plain data as YAML in block style: deterministic, never folded, and read alike by YAML 1.1 and 1.2."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

# Words that YAML 1.1, YAML 1.2 or both take for null, a boolean, a merge or a default.
_WORD = re.compile(r"~|null|true|false|yes|no|on|off|y|n|<<|=", re.IGNORECASE)

# Anything that some reader may take for a number, a time or a date; a version of three numbers is none of them.
_NUMBER_LIKE = re.compile(
    r"(?![0-9]+(?:\.[0-9]+){2,}$)(?:"
    r"(?=.*[0-9])[-+.0-9_:eE]+|[-+._]+|[-+]?0[xXoObB][0-9a-fA-F_]+"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*|[-+]?\.(?i:inf|nan))"
)

# What cannot stand raw: controls, line breaks of YAML 1.1, and characters that do not show or that reorder text.
_HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u061c\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ud800-\udfff"
    "\ufeff\ufff0-\uffff\U000e0000-\U000e0fff"
)
_ESCAPED = f'["\\\\\t\n{_HIDDEN}]'
_INDICATOR = re.compile(r"-(?: |$)|[?:]|[,\[\]{}#&*!|>'\"%@`]|---|\.\.\.")
_SIMPLE = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.-]*(?: [A-Za-z0-9_/.-]+)*")
_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}

# Readers look no further than 1,024 characters for the ':' after a key.
_LONGEST_SIMPLE_KEY = 1000


def dump(document: Mapping[str, Any] | list[Any], head: str = "") -> str:
    """The document as YAML, which ends with a line break, below the head; TypeError for anything but plain data."""
    if not isinstance(document, (Mapping, list)):
        raise TypeError(f"a document is a mapping or a list, not {type(document).__name__}")
    if not document:
        return f"{head}{_empty(document)}\n"
    written = [head]
    _block(document, "", "", written.append)
    return "".join(written)


def dump_scalar(value: object) -> str:
    """The scalar on one line, in quotes where it needs them; TypeError for anything but a scalar."""
    if isinstance(value, str):
        return _text(value)
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return repr(value)
    if isinstance(value, float):
        return _float(value)
    raise TypeError(f"cannot write {type(value).__name__} as YAML")


def double_quoted(text: str) -> str:
    """The text in double quotes, with escapes for all that does not show."""
    return f'"{re.sub(_ESCAPED, _escape, text)}"'


def needs_escapes(text: str) -> bool:
    """Whether only double quotes can hold the text on one line."""
    return "\t" in text or "\n" in text or _hides(text)


def _hides(text: str) -> bool:
    """Whether there is anything but tabs and line breaks that cannot stand raw."""
    if text.isascii():
        return not text.replace("\t", "").replace("\n", "").isprintable()
    return re.search(f"[{_HIDDEN}]", text) is not None


def _block(node: Mapping[str, Any] | list[Any], indent: str, first: str, add: Callable[[str], None]) -> None:
    """Adds a collection that is not empty; `first` is the indentation that its first line still needs."""
    # Most lines are a word, or a key with a word, and need no call of their own.
    if isinstance(node, list):
        for item in node:
            if isinstance(item, str) and "\n" not in item:
                add(f"{first}- {_text(item)}\n")
            else:
                add(f"{first}-")
                _after(item, indent, "", add)
            first = indent
        return
    below = f"{indent}  "
    for key, value in node.items():
        start = _key(key) or f"? {_text(key)}\n{indent}:"
        if isinstance(value, str) and "\n" not in value:
            add(f"{first}{start} {_text(value)}\n")
        elif isinstance(value, dict) and value:
            add(f"{first}{start}\n")
            _block(value, below, below, add)
        else:
            add(f"{first}{start}")
            _after(value, indent, below, add)
        first = indent


def _after(value: object, indent: str, below: str, add: Callable[[str], None]) -> None:
    """Adds what follows a '-' or a key's ':'; `below` indents a collection's first line, and is empty after a '-'."""
    if isinstance(value, str):
        add(f" {_literal(value, indent)}\n" if "\n" in value else f" {_text(value)}\n")
    elif isinstance(value, (dict, list, Mapping)):  # common types first: abstract ones are slow to ask for
        if not value:
            add(f" {_empty(value)}\n")
        else:
            add("\n" if below else " ")
            _block(value, f"{indent}  ", below, add)
    else:
        add(f" {dump_scalar(value)}\n")


def _empty(node: Mapping[str, Any] | list[Any]) -> str:
    return "[]" if isinstance(node, list) else "{}"


def _literal(text: str, indent: str) -> str:
    """The text as a literal block, or quoted where a block would lose something or hide it."""
    if _hides(text) or not text.strip(" \t\n"):
        return double_quoted(text)
    body = text.rstrip("\n")
    line_breaks = len(text) - len(body)
    chomping = ("-", "")[line_breaks] if line_breaks < 2 else "+"
    indicator = "2" if text[0] in " \t\n" else ""
    start = f"\n{indent}  "
    lines = f"\n{body}".replace("\n", start)
    if body[0] == "\n" or "\n\n" in body:  # empty lines stay empty
        lines = re.sub(rf"{start}(?=\n)", "\n", lines)
    return f"|{indicator}{chomping}{lines}" + "\n" * max(line_breaks - 1, 0)


@lru_cache(maxsize=4096)
def _key(key: object) -> str:
    """The key and its ':'; empty for one that is too long to stand before it."""
    if not isinstance(key, str):
        raise TypeError(f"a key is a string, not {type(key).__name__}")
    name = _text(key)
    return f"{name}:" if len(name) <= _LONGEST_SIMPLE_KEY else ""


@lru_cache(maxsize=8192)
def _text(text: str) -> str:
    if _SIMPLE.fullmatch(text) and not _WORD.fullmatch(text):
        return text
    if needs_escapes(text):
        return double_quoted(text)
    if _is_plain(text):
        return text
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


def _is_plain(text: str) -> bool:
    if not text or text[0] == " " or text[-1] in " :" or ": " in text or " #" in text:
        return False
    if _INDICATOR.match(text) or _WORD.fullmatch(text):
        return False
    return _NUMBER_LIKE.fullmatch(text) is None


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    # YAML 1.1 reads '1e-05' as text: a float has a dot there.
    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa}.0{e}{exponent}" if e and "." not in mantissa else f"{mantissa}{e}{exponent}"
