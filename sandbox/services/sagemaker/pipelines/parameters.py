"""Parameters of a pipeline: their declaration, and the values of one execution."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.services.sagemaker.pipelines.definition import DefinitionError, Parameter

_NAME = re.compile(r"[A-Za-z0-9\-_]{1,256}")
_MEMBERS = {"Name", "Type", "DefaultValue", "EnumValues"}
_TYPES: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}


def check_parameters(entries: Any) -> Iterator[str]:
    """What is wrong with the Parameters of a definition."""
    if not isinstance(entries, list):
        yield "Parameters must be a list"
        return
    seen = set()
    for entry in entries:
        name = entry.get("Name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            yield f"A parameter's Name has letters, digits, hyphens and underscores: not {json.dumps(name)}"
            continue
        if name in seen:
            yield f"Parameter names must be unique: '{name}' occurs twice"
        seen.add(name)
        yield from (f"Parameter '{name}': {reason}" for reason in _check_entry(entry))


def _check_entry(entry: dict[str, Any]) -> Iterator[str]:
    for name in sorted(set(entry) - _MEMBERS):
        yield f"unrecognized field '{name}'"
    kind = entry.get("Type")
    if kind not in _TYPES:
        yield f"Type must be one of {', '.join(_TYPES)}"
        return
    values = entry.get("EnumValues")
    if values is not None and (not isinstance(values, list) or not all(_is(kind, value) for value in values)):
        yield f"EnumValues must be a list of values of type {kind}"
    default = entry.get("DefaultValue")
    if default is not None and not _is(kind, default):
        yield f"the DefaultValue {json.dumps(default)} is not of type {kind}"
    elif default is not None and values and default not in values:
        yield f"the DefaultValue {json.dumps(default)} is not one of the EnumValues {json.dumps(values)}"


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES[kind]) and (kind == "Boolean" or not isinstance(value, bool))


def bind(declared: dict[str, Parameter], given: dict[str, str]) -> dict[str, Any]:
    """The values of one execution: what was given (always text), else the defaults.

    DefinitionError for a parameter that is unknown, has no value, or a value of another type.
    """
    unknown = sorted(set(given) - set(declared))
    if unknown:
        raise DefinitionError(
            f"Parameters [{', '.join(unknown)}] are not defined in the pipeline definition."
        )
    values = {
        name: _convert(parameter, given[name]) if name in given else parameter.default
        for name, parameter in declared.items()
    }
    missing = sorted(name for name, value in values.items() if value is None)
    if missing:
        raise DefinitionError(
            f"Parameters [{', '.join(missing)}] have no default value: give a value for each."
        )
    return values


def _convert(parameter: Parameter, text: str) -> Any:
    try:
        value = _CONVERSIONS[parameter.type](text)
    except ValueError:
        raise DefinitionError(
            f"The value '{text}' of parameter '{parameter.name}' is not of type {parameter.type}."
        ) from None
    if parameter.values is not None and value not in parameter.values:
        allowed = ", ".join(map(str, parameter.values))
        raise DefinitionError(
            f"The value '{text}' of parameter '{parameter.name}' is not one of [{allowed}]."
        )
    return value


def _boolean(text: str) -> bool:
    return (
        {"true": True, "false": False}[text.lower()] if text.lower() in ("true", "false") else _refuse(text)
    )


def _refuse(text: str) -> bool:
    raise ValueError(text)


def _integer(text: str) -> int:
    return int(text) if re.fullmatch(r"[+-]?\d+", text) else int(_refuse(text))


def _float(text: str) -> float:
    # float() would also read "nan" and "inf", which are no JSON numbers.
    return (
        float(text) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) else float(_refuse(text))
    )


_CONVERSIONS: dict[str, Callable[[str], Any]] = {
    "String": str,
    "Integer": _integer,
    "Float": _float,
    "Boolean": _boolean,
}
