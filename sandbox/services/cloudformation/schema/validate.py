"""Validation of a resource's properties against its registry schema, in the words CloudFormation uses.

Text that stands for a number or a boolean is converted, as CloudFormation does ("true", "5"): what comes back
has the schema's types. Unknown values, which only another resource's creation will tell, fit anywhere.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from sandbox.services.cloudformation.schema.registry import Schema
from sandbox.services.cloudformation.template.parameters import text_of
from sandbox.services.cloudformation.template.patterns import contains
from sandbox.services.cloudformation.template.unknown import Unknown

_JAVA_NAMES = {
    "object": "JSONObject",
    "array": "JSONArray",
    "string": "String",
    "boolean": "Boolean",
    "integer": "Integer",
    "number": "Number",
}


class Invalid(Exception):
    """Properties that the schema does not allow; the message is CloudFormation's without its frame."""

    def __init__(self, logical_id: str, faults: list[str]) -> None:
        super().__init__(
            f"Properties validation failed for resource {logical_id} with message:\n" + "\n".join(faults)
        )
        self.faults = faults


def validate(logical_id: str, schema: Schema, properties: dict[str, Any]) -> dict[str, Any]:
    """The properties with the schema's types; raises Invalid with every fault found."""
    checker = _Checker(schema.data)
    result = checker.value("#", properties, {**schema.data, "type": "object"})
    for path in schema.read_only:
        if "/" not in path and path in properties:
            checker.faults.append(f"#: readOnly key [{path}] is not permitted")
    if checker.faults:
        raise Invalid(logical_id, checker.faults)
    return result


class _Checker:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self.faults: list[str] = []

    def value(self, path: str, value: Any, rule: dict[str, Any]) -> Any:
        """Checks `value` against `rule` and returns it converted; adds to `faults`."""
        if isinstance(value, Unknown):
            return value
        if "$ref" in rule:
            rule = {**self._definition(rule["$ref"]), **{k: v for k, v in rule.items() if k != "$ref"}}
        wanted = rule.get("type")
        if wanted is not None:
            converted, fits = _convert(value, wanted)
            if not fits:
                names = [
                    _JAVA_NAMES.get(name, name) for name in ([wanted] if isinstance(wanted, str) else wanted)
                ]
                self.faults.append(f"{path}: expected type: {' or '.join(names)}, found: {_java_name(value)}")
                return value
            value = converted
        self._check_enum(path, value, rule)
        if isinstance(value, str):
            self._check_text(path, value, rule)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self._check_number(path, value, rule)
        elif isinstance(value, list):
            value = self._array(path, value, rule)
        elif isinstance(value, dict):
            value = self._object(path, value, rule)
        return self._combined(path, value, rule)

    def _definition(self, reference: str) -> dict[str, Any]:
        node: Any = self._root
        for part in reference.removeprefix("#/").split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        return node

    def _check_enum(self, path: str, value: Any, rule: dict[str, Any]) -> None:
        if "enum" in rule and value not in rule["enum"]:
            self.faults.append(f"{path}: {_shown(value)} is not a valid enum value")
        if "const" in rule and value != rule["const"]:
            self.faults.append(f"{path}: {_shown(value)} is not a valid enum value")

    def _check_text(self, path: str, text: str, rule: dict[str, Any]) -> None:
        if len(text) < rule.get("minLength", 0):
            self.faults.append(f"{path}: expected minLength: {rule['minLength']}, actual: {len(text)}")
        if len(text) > rule.get("maxLength", math.inf):
            self.faults.append(f"{path}: expected maxLength: {rule['maxLength']}, actual: {len(text)}")
        pattern = rule.get("pattern")
        if pattern is not None and not contains(pattern, text):
            self.faults.append(f"{path}: failed validation constraint for keyword [pattern]")

    def _check_number(self, path: str, number: float, rule: dict[str, Any]) -> None:
        if number < rule.get("minimum", -math.inf):
            self.faults.append(f"{path}: {number} is not greater or equal to {rule['minimum']}")
        if number > rule.get("maximum", math.inf):
            self.faults.append(f"{path}: {number} is not less or equal to {rule['maximum']}")

    def _array(self, path: str, items: list[Any], rule: dict[str, Any]) -> list[Any]:
        if len(items) < rule.get("minItems", 0):
            self.faults.append(
                f"{path}: expected minimum item count: {rule['minItems']}, found: {len(items)}"
            )
        if len(items) > rule.get("maxItems", math.inf):
            self.faults.append(
                f"{path}: expected maximum item count: {rule['maxItems']}, found: {len(items)}"
            )
        if rule.get("uniqueItems") and len({_shown(item) for item in items}) != len(items):
            self.faults.append(f"{path}: array items are not unique")
        inner = rule.get("items")
        if not isinstance(inner, dict):
            return items
        return [self.value(f"{path}/{index}", item, inner) for index, item in enumerate(items)]

    def _object(self, path: str, members: dict[str, Any], rule: dict[str, Any]) -> dict[str, Any]:
        known = rule.get("properties", {})
        patterns = rule.get("patternProperties", {})
        result: dict[str, Any] = {}
        for name, member in members.items():
            inner = known.get(name)
            if inner is None:
                inner = next((found for pattern, found in patterns.items() if contains(pattern, name)), None)
            if inner is None:
                extra = rule.get("additionalProperties", True)
                if extra is False:
                    self.faults.append(f"{path}: extraneous key [{name}] is not permitted")
                inner = extra if isinstance(extra, dict) else {}
            result[name] = self.value(f"{path}/{name}", member, inner)
        self.faults.extend(f"{path}: {fault}" for fault in _key_faults(set(members), rule))
        return result

    def _combined(self, path: str, value: Any, rule: dict[str, Any]) -> Any:
        for part in rule.get("allOf", []):
            value = self.value(path, value, part)
        for keyword in ("anyOf", "oneOf"):
            if keyword not in rule:
                continue
            fitting = []
            for part in rule[keyword]:
                attempt = _Checker(self._root)
                converted = attempt.value(path, value, part)
                if not attempt.faults:
                    fitting.append(converted)
            if not fitting:
                self.faults.append(
                    f"{path}: #: no subschema matched out of the total {len(rule[keyword])} subschemas"
                )
            elif keyword == "oneOf" and len(fitting) > 1 and not _has_unknown(value):
                self.faults.append(f"{path}: #: {len(fitting)} subschemas matched instead of one")
            else:
                value = fitting[0]
        return value


def _key_faults(names: set[str], rule: dict[str, Any]) -> Iterator[str]:
    for name in rule.get("required", []):
        if name not in names:
            yield f"required key [{name}] not found"
    either = rule.get("requiredXor", [])
    if either and len(names & set(either)) != 1:
        yield f"exactly one of the keys [{', '.join(either)}] is required"
    some = rule.get("requiredOr", [])
    if some and not names & set(some):
        yield f"at least one of the keys [{', '.join(some)}] is required"
    for name, others in rule.get("dependentRequired", {}).items():
        if name in names:
            yield from (f"property [{other}] is required" for other in others if other not in names)
    for name, others in rule.get("dependentExcluded", {}).items():
        if name in names:
            clashes = [other for other in others if other in names]
            yield from (f"key [{other}] is not permitted beside [{name}]" for other in clashes)


def _convert(value: Any, wanted: str | list[str]) -> tuple[Any, bool]:
    """(value as one of the wanted types, whether it could be)."""
    options = [wanted] if isinstance(wanted, str) else wanted
    for option in options:
        if _is(value, option):
            return value, True
    for option in options:
        converted = _as(value, option)
        if converted is not None:
            return converted, True
    return value, False


def _is(value: Any, option: str) -> bool:
    match option:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
    return False


def _as(value: Any, option: str) -> Any:
    if isinstance(value, dict | list):
        return None
    text = text_of(value)
    match option:
        case "string":
            return text
        case "boolean":
            return {"true": True, "false": False}.get(text.lower())
        case "integer" | "number":
            try:
                number = float(text)
            except ValueError:
                return None
            if number.is_integer() and "." not in text:
                return int(text)
            if number.is_integer() and option == "integer":
                return int(number)
            return number if option == "number" and math.isfinite(number) else None
    return None


def _java_name(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    names = {dict: "JSONObject", list: "JSONArray", str: "String", int: "Integer", float: "Double"}
    return names.get(type(value), type(value).__name__)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=repr)


def _has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_unknown(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_unknown(item) for item in value)
    return isinstance(value, Unknown)
