"""Our `NamedTuple` makes what that of `typing` makes."""

from __future__ import annotations

import inspect
import pickle
import typing

import pytest

from lockgate import tuples


class Ours(tuples.NamedTuple):
    """Two numbers."""

    first: int
    second: int | None = None

    @property
    def both(self) -> tuple[int, int | None]:
        return (self.first, self.second)


class Theirs(typing.NamedTuple):
    """Two numbers."""

    first: int
    second: int | None = None

    @property
    def both(self) -> tuple[int, int | None]:
        return (self.first, self.second)


def test_classes_are_equal_in_all_that_can_be_asked_of_them() -> None:
    for name in ("__doc__", "__bases__", "__mro__", "_fields", "_field_defaults", "__module__"):
        assert repr(getattr(Ours, name)).replace("Ours", "Theirs") == repr(getattr(Theirs, name))
    assert inspect.signature(Ours) == inspect.signature(Theirs).replace(
        parameters=[it.replace(annotation=it.empty) for it in inspect.signature(Theirs).parameters.values()]
    )
    assert typing.get_type_hints(Ours) == typing.get_type_hints(Theirs)


def test_values_are_made_changed_compared_and_kept_alike() -> None:
    ours, theirs = Ours(1)._replace(second=2), Theirs(1)._replace(second=2)
    assert (ours.both, ours._asdict(), hash(ours)) == (theirs.both, theirs._asdict(), hash(theirs))
    assert repr(ours) == "Ours(first=1, second=2)"
    assert pickle.loads(pickle.dumps(ours)) == ours
    assert ours == (1, 2)


def test_fields_cannot_be_set() -> None:
    with pytest.raises(AttributeError):
        Ours(1).first = 2  # type: ignore[misc]
