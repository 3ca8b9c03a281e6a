"""Refuses literals that look like secrets: the spec is committed, and a secret in Git is public."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from lockgate.diagnostics import Finding

Location: TypeAlias = tuple[str | int, ...]

_FORMS = {
    "an AWS access key": re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a GitHub token": re.compile(r"\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,})\b"),
    "a GitLab token": re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}\b"),
    "a Google API key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "a Slack token": re.compile(r"\bxox[abprs]-[A-Za-z0-9-]{10,}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a JSON web token": re.compile(r"\beyJ[A-Za-z0-9_-]{10,}[.]eyJ[A-Za-z0-9_-]{10,}[.]"),
    "a password in an address": re.compile(r"://[^/\s:@]+:[^/\s:@]+@"),
}
# What every form holds: one search lets nearly all text pass.
_LIKELY = re.compile(r"AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|AIza|xox|-----BEGIN|eyJ|://[^/]*@")
_SECRET_KEY = re.compile(
    r"(password|passwd|secret|token|api_?key|private_?key|credential)s?\Z", re.IGNORECASE
)
_HARMLESS = re.compile(r"(|true|false|none|null|x+|[*]+)\Z", re.IGNORECASE)


# Names give a secret away only where names are the user's own: environment variables, inputs and parameters.
_NAMED_FREELY = frozenset({"env", "with", "params"})


def check(_filled: Mapping[str, Any], written: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _walk(written, (), named_freely=False)


def _walk(
    value: Mapping[str, Any] | list[Any], location: Location, *, named_freely: bool
) -> Iterator[Finding]:
    for step, below in value.items() if isinstance(value, Mapping) else enumerate(value):
        if isinstance(below, str):
            if named_freely or _LIKELY.search(below):
                yield from _text(below, (*location, step), named_freely=named_freely)
        elif isinstance(below, (dict, list)):
            yield from _walk(below, (*location, step), named_freely=named_freely or step in _NAMED_FREELY)


def _text(text: str, location: Location, *, named_freely: bool) -> Iterator[Finding]:
    found = None
    if _LIKELY.search(text):
        found = next((kind for kind, form in _FORMS.items() if form.search(text)), None)
    if found is None and named_freely and _SECRET_KEY.search(str(location[-1])) and not _HARMLESS.match(text):
        found = "a secret"
    if found is not None:
        yield Finding(
            rule="literal-secret",
            location=location,
            message=f"this looks like {found}",
            help="take it out, replace the secret where it was made (it may have been pushed), and let the job read "
            "it at run time from the platform's own identity or a mounted file",
        )
