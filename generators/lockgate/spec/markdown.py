"""Text that others wrote, made safe to stand in GitHub's Markdown: in a paragraph or in a table's cell."""

from __future__ import annotations

import re
import unicodedata

# As entities they are text to Markdown and HTML, wherever they stand.
_SPECIAL = re.compile(r"""[\\`*_{}\[\]<>()#&|~$!"']|^[-+=]|(?<=^[0-9]{1})[.)]""")
_MENTION = re.compile(r"@(?=\w)")
_REFERENCE = re.compile(r"(?i)(?:#|\bgh-)(?=[0-9])")
_SCHEME = re.compile(r"(?i)(?<=[a-z0-9+.-]):(?=//)|(?<=\bmailto):|(?<=\bxmpp):")
_WWW = re.compile(r"(?i)(?<=\bwww)\.")
_ORDERED = re.compile(r"^([0-9]{1,9})([.)])(?=\s|$)")
