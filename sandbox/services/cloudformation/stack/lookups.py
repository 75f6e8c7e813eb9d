"""Answers to references: for a plan, which may not know yet, and for a deployment, which must."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.services.cloudformation.schema.registry import is_custom
from sandbox.services.cloudformation.stack.records import Record, Stacks
from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.parameters import MASK
from sandbox.services.cloudformation.template.unknown import Unknown

Stored = Callable[[str], str]
"""The value of a dynamic reference (`ssm:name:1`); `dynamic.values_of` reads them."""


class Recorder:
    """Knows nothing and remembers which resources were asked for: the dependencies."""

    def __init__(self) -> None:
        self.used: set[str] = set()
        self.imports: set[str] = set()

    def ref(self, logical_id: str) -> Any:
        self.used.add(logical_id)
        return Unknown((logical_id, None))

    def attribute(self, logical_id: str, attribute: str) -> Any:
        self.used.add(logical_id)
        return Unknown((logical_id, attribute))

    def imported(self, name: str) -> Any:
        self.imports.add(name)
        return Unknown(("AWS::Import", name))

    def stored(self, name: str) -> Any:
        return Unknown(("AWS::DynamicReference", name))


class Planned:
    """Answers with what exists now; Unknown for what will be created or replaced."""

    def __init__(self, stacks: Stacks, existing: dict[str, Record], stored: Stored) -> None:
        self._stacks = stacks
        self._existing = existing
        self.stored: Stored = stored
        self.undecided: set[str] = set()
        self.changing: set[str] = set()
        self.imports: set[str] = set()

    def ref(self, logical_id: str) -> Any:
        record = self._existing.get(logical_id)
        if record is None or logical_id in self.undecided or not record.get("PhysicalResourceId"):
            return Unknown((logical_id, None))
        return record["PhysicalResourceId"]

    def attribute(self, logical_id: str, attribute: str) -> Any:
        record = self._existing.get(logical_id)
        if record is None or logical_id in self.undecided or logical_id in self.changing:
            return Unknown((logical_id, attribute))
        found = attribute_of(record, attribute)
        return Unknown((logical_id, attribute)) if found is None else found

    def imported(self, name: str) -> Any:
        self.imports.add(name)
        return self._stacks.exported(name)


class Live:
    """Answers with what the resources are now. Every resource asked for has been deployed."""

    def __init__(self, stacks: Stacks, stack_id: str, stored: Stored) -> None:
        self._stacks = stacks
        self._stack_id = stack_id
        self.stored: Stored = stored
        self.imports: set[str] = set()

    def _record(self, logical_id: str) -> Record:
        record = self._stacks.resource(self._stack_id, logical_id)
        if record is None or not record.get("PhysicalResourceId"):
            raise TemplateError(
                f"Template format error: Unresolved resource dependencies [{logical_id}] "
                "in the Resources block of the template"
            )
        return record

    def ref(self, logical_id: str) -> Any:
        return self._record(logical_id)["PhysicalResourceId"]

    def attribute(self, logical_id: str, attribute: str) -> Any:
        record = self._record(logical_id)
        found = attribute_of(record, attribute)
        if found is None and is_custom(record["ResourceType"]):
            raise TemplateError(
                f"CustomResource attribute error: Vendor response doesn't contain {attribute} attribute in "
                f"object {self._stack_id}|{logical_id}"
            )
        if found is None:
            raise TemplateError(
                f"Attribute '{attribute}' does not exist for resource {logical_id} ({record['ResourceType']})"
            )
        return found

    def imported(self, name: str) -> Any:
        self.imports.add(name)
        return self._stacks.exported(name)


class Shown(Live):
    """As Live, for what is shown in events: no secret, and dynamic references as they were written."""

    def __init__(self, stacks: Stacks, stack_id: str) -> None:
        super().__init__(stacks, stack_id, lambda reference: f"{{{{resolve:{reference}}}}}")

    def attribute(self, logical_id: str, attribute: str) -> Any:
        return MASK if self._record(logical_id).get("NoEcho") else super().attribute(logical_id, attribute)


def attribute_of(record: Record, attribute: str) -> Any:
    """An attribute: what creation returned, else the property of that name; None when there is neither."""
    attributes = record.get("Attributes") or {}
    if attribute in attributes:
        return attributes[attribute]
    if is_custom(record["ResourceType"]):
        return None
    value: Any = record.get("Properties") or {}
    for part in attribute.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
