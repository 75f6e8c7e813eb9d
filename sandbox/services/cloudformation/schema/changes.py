"""What a change of properties means for a resource: nothing, an update in place, a new resource."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sandbox.services.cloudformation.schema.registry import Schema
from sandbox.services.cloudformation.template.unknown import unknowns


@dataclass(frozen=True)
class Change:
    """One property that changes. `recreation`: Never, Conditionally or Always."""

    path: str
    recreation: str
    before: Any
    after: Any


def changes(schema: Schema, before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """The properties that differ, by their first differing path that the schema speaks of."""
    found = []
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old != new:
            found.append(Change(name, _recreation(schema, name, old, new), old, new))
    return found


def replacement(found: Collection[Change]) -> str:
    """True, False or Conditional, as change sets say it."""
    kinds = {change.recreation for change in found}
    if "Always" in kinds:
        return "True"
    return "Conditional" if "Conditionally" in kinds else "False"


def _recreation(schema: Schema, name: str, old: Any, new: Any) -> str:
    always = any(_differs(path, name, old, new) for path in schema.create_only)
    perhaps = any(_differs(path, name, old, new) for path in schema.conditional_create_only)
    if not always and not perhaps:
        return "Never"
    # A value that another resource will decide may turn out to be the same.
    return "Conditionally" if perhaps or unknowns(new) else "Always"


def _differs(path: str, name: str, old: Any, new: Any) -> bool:
    first, *rest = path.split("/")
    return first == name and _at(old, rest) != _at(new, rest)


def _at(value: Any, path: list[str]) -> Any:
    for index, part in enumerate(path):
        if part == "*" and isinstance(value, list):
            return [_at(item, path[index + 1 :]) for item in value]
        value = value.get(part) if isinstance(value, dict) else None
    return value
