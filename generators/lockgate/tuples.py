"""`NamedTuple` as `typing` has it, to type checkers and in use, at a third of what each class takes to define.

`typing` compiles every annotation a second time. `lockgate check` defines a hundred such classes whenever it starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    from collections import namedtuple

    class _Maker(type):
        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            """A tuple type with the annotated names as fields, and all else that the class's body has."""
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = body.get("__annotations__", {})
            defaults = [body[field] for field in fields if field in body]
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            for key, value in body.items():
                if key not in fields:
                    setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_Maker):
        """What classes name as their base, and none has in the end."""


__all__ = ["NamedTuple"]
