"""Members of a JSON request have the types of the model: `"1"` is no number, and null is no member.

moto's parsers convert where AWS refuses, and moto's operations read the body themselves.
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError

FOUND = {str: "STRING_VALUE", bool: "BOOLEAN_VALUE", int: "NUMBER_VALUE", float: "NUMBER_VALUE"}
WANTED = {
    "string": "a String",
    "blob": "a ByteBuffer",
    "boolean": "a Boolean",
    "integer": "an Integer",
    "long": "a Long",
    "float": "a Float",
    "double": "a Double",
}


def typed(value: Any, shape: Any) -> Any:
    """The document without its nulls; AwsError SerializationException for a member of another type."""
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return value
        if not isinstance(value, dict):
            raise _refused("Expected structure or null")
        members = shape.members
        return {
            name: typed(item, members[name]) if name in members else item
            for name, item in value.items()
            if item is not None
        }
    if kind == "list":
        if not isinstance(value, list):
            raise _refused("Expected list or null")
        return [typed(item, shape.member) if item is not None else None for item in value]
    if kind == "map":
        if not isinstance(value, dict):
            raise _refused("Expected map or null")
        return {key: typed(item, shape.value) for key, item in value.items() if item is not None}
    return _scalar(value, kind)


def _scalar(value: Any, kind: str) -> Any:
    if isinstance(value, dict):
        raise _refused("Start of structure or map found where not expected.")
    if isinstance(value, list):
        raise _refused("Start of list found where not expected")
    if kind == "timestamp":
        fits = isinstance(value, int | float | str) and not isinstance(value, bool)
    elif kind in ("string", "blob"):
        fits = isinstance(value, str)
    elif kind == "boolean":
        fits = isinstance(value, bool)
    elif kind in ("integer", "long"):
        fits = (
            isinstance(value, int)
            and not isinstance(value, bool)
            or isinstance(value, float)
            and value == int(value)
        )
    else:
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    if not fits:
        found, wanted = FOUND[type(value)], WANTED.get(kind, f"a {kind}")
        raise _refused(f"{found} can not be converted to {wanted}")
    return value


def _refused(text: str) -> AwsError:
    return AwsError("SerializationException", text, status=400)
