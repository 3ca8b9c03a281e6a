"""A request that is refused: with which status, why, and which columns of which rows are wrong; as an answer's body."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

MOST_ERRORS = 20
_LONGEST = 60
_UNANSWERED = "no-answer"
_encode = msgspec.json.Encoder().encode


class ColumnError(NamedTuple):
    """One wrong column; `row` counts from 0 and is None where the column is wrong as a whole.

    `unanswered` is what is wrong with the model rather than with the row: it is allowed, and there is no answer to it.
    """

    row: int | None
    column: str
    message: str
    unanswered: bool = False


class Refused(Exception):  # noqa: N818 - the answer to a request, not a failure of ours
    """Why a request is not answered with predictions. `reason` is a label's value: few, in kebab-case."""

    def __init__(self, status: int, reason: str, message: str, errors: tuple[ColumnError, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message
        self.errors = errors

    def body(self, request_id: str) -> bytes:
        """The answer's JSON. Clients of the Open Inference Protocol read `error` alone."""
        errors = [{"row": it.row, "column": it.column, "message": it.message} for it in self.errors]
        return _encode({"error": self.message, "reason": self.reason, "id": request_id, "errors": errors})


def malformed(message: str) -> Refused:
    """The body cannot be read at all."""
    return Refused(400, "malformed-body", message)


def wrong_body(message: str) -> Refused:
    """The body can be read, but is not of the form that the route takes."""
    return Refused(422, "wrong-body", message)


def too_many_rows(count: int, most: int) -> Refused:
    """The request is bigger than one request may be."""
    return Refused(
        413, "too-many-rows", f"{count} rows in one request, expected at most {most}: send fewer at once"
    )


def too_big(what: str, most: int) -> Refused:
    """The body is small, but what it unpacks to is not."""
    return Refused(
        413, "too-big-unpacked", f"{what} unpacks to more than {most} bytes: send fewer rows at once"
    )


def wrong_columns(errors: list[ColumnError]) -> Refused:
    """Columns that the model's signature does not allow, or that the model has no answer to, if that is all.

    The message names the first, for who sees it alone.
    """
    first = errors[0]
    place = (
        f"column {quoted(first.column)}"
        if first.row is None
        else f"row {first.row}, column {quoted(first.column)}"
    )
    more = min(len(errors), MOST_ERRORS) - 1
    also = f" ({'at least ' if len(errors) >= MOST_ERRORS else ''}{more} more in 'errors')" if more else ""
    status, reason = (424, _UNANSWERED) if all(it.unanswered for it in errors) else (422, "wrong-column")
    return Refused(status, reason, f"{place}: {first.message}{also}", tuple(errors[:MOST_ERRORS]))


def no_number(row: int) -> Refused:
    """The model's answer is NaN or infinite: whoever reads a label beside it would take it for an answer."""
    return Refused(424, _UNANSWERED, f"row {row}: the model's answer to it is no finite number")


def quoted(text: str) -> str:
    """For an error: in quotes, of bounded length, and with nothing in it that is not printable."""
    return f"'{printable(text)}'"


def printable(text: str) -> str:
    """Of bounded length, and with nothing in it that is not printable."""
    clipped = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in clipped)
