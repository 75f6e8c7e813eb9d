"""Transforms: what a template says once AWS's own macros have worked on it.

AWS::LanguageExtensions and AWS::Include. Fn::Length and Fn::ToJsonString stay what they are: the evaluator
knows them where the template declares the language extensions.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-aws-languageextensions.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-aws-include.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.evaluate import Evaluator
from sandbox.services.cloudformation.template.functions import is_scalar
from sandbox.services.cloudformation.template.parameters import text_of
from sandbox.services.cloudformation.template.read import read
from sandbox.services.cloudformation.template.sections import (
    INCLUDE,
    LANGUAGE,
    Template,
    checked,
    transform_name,
)
from sandbox.services.cloudformation.template.unknown import unknowns

LOOP = "Fn::ForEach::"
DEEPEST = 5
"""Loops that may be nested (quota of Fn::ForEach)."""
_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]")

Fetch = Callable[[str], str]
"""The text of the S3 object that AWS::Include names."""
Names = dict[str, str]


def process(template: Template, evaluator: Callable[[Template], Evaluator], fetch: Fetch) -> Template:
    """The template without includes and loops; itself where it has no transform.

    `evaluator` makes one that knows the parameters and no resource.
    """
    if not template.transformed:
        return template
    data = _included(template.data, fetch)
    for transform in template.transforms:
        if isinstance(transform, dict):
            data = data | _fragment(transform, fetch)
    if template.extended:
        data = _Loops(evaluator(template)).expand(data, {}, 0)
    processed = checked(json.dumps(data), data)
    if template.extended:
        _settle_policies(processed, evaluator(processed))
        processed = checked(json.dumps(data), data)
    return processed


def _fragment(transform: dict[str, Any], fetch: Fetch) -> dict[str, Any]:
    name = transform_name(transform)
    location = transform.get("Parameters", {}).get("Location")
    if name != INCLUDE or not isinstance(location, str):
        raise TemplateError(f"Transform {name} failed with: The value of parameter Location must be a string")
    return read(fetch(location))


def _included(value: Any, fetch: Fetch) -> Any:
    """Every Fn::Transform of AWS::Include replaced by what it names, members beside it kept."""
    if isinstance(value, list):
        return [_included(item, fetch) for item in value]
    if not isinstance(value, dict):
        return value
    result = {key: _included(item, fetch) for key, item in value.items() if key != "Fn::Transform"}
    if "Fn::Transform" in value:
        found = value["Fn::Transform"]
        for transform in found if isinstance(found, list) else [found]:
            result |= _fragment(transform, fetch)
    return result


class _Loops:
    """Writes Fn::ForEach out."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def expand(self, value: Any, names: Names, depth: int) -> Any:
        if isinstance(value, str):
            return substituted(value, names)
        if isinstance(value, list):
            return [self.expand(item, names, depth) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and value.get("Ref") in names:
            return names[value["Ref"]]
        result: dict[str, Any] = {}
        for key, item in value.items():
            made = (
                self._loop(key, item, names, depth + 1)
                if key.startswith(LOOP)
                else ((substituted(key, names), self.expand(item, names, depth)),)
            )
            for name, member in made:
                if name in result:
                    raise TemplateError(f"Template format error: duplicate key [{name}] made by {key}")
                result[name] = member
        return result

    def _loop(self, key: str, argument: Any, names: Names, depth: int) -> Iterator[tuple[str, Any]]:
        if depth > DEEPEST:
            raise TemplateError(f"Transform {LANGUAGE} failed with: Fn::ForEach may be nested {DEEPEST} deep")
        if not (
            isinstance(argument, list)
            and len(argument) == 3
            and isinstance(argument[0], str)
            and isinstance(argument[2], dict)
        ):
            raise TemplateError(f"Transform {LANGUAGE} failed with: Fn::ForEach layout is incorrect at {key}")
        identifier, collection, fragment = argument
        if identifier in names or identifier in self._evaluator.template.parameters:
            raise TemplateError(
                f"Transform {LANGUAGE} failed with: Fn::ForEach identifier {identifier} is in use already"
            )
        for item in self._items(key, self.expand(collection, names, depth)):
            made = self.expand(fragment, names | {identifier: item}, depth)
            yield from made.items()

    def _items(self, key: str, collection: Any) -> list[str]:
        found = self._evaluator.value(collection)
        items: list[Any] = []
        for item in found if isinstance(found, list) else [found]:
            items += item if isinstance(item, list) else [item]
        if unknowns(found) or not isinstance(found, list) or not all(map(is_scalar, items)):
            raise TemplateError(
                f"Transform {LANGUAGE} failed with: Fn::ForEach collection at {key} must be a list of "
                "strings known before a resource is made"
            )
        return list(dict.fromkeys(text_of(item) for item in items))


def substituted(text: str, names: Names) -> str:
    """`${Name}` replaced by a loop's value, `&{Name}` by its letters and digits."""
    for name, value in names.items():
        text = text.replace(f"${{{name}}}", value)
        text = text.replace(f"&{{{name}}}", _ALPHANUMERIC.sub("", value))
    return text


def _settle_policies(template: Template, evaluator: Evaluator) -> None:
    """DeletionPolicy and UpdateReplacePolicy may be functions of parameters."""
    for name, declared in template.resources.items():
        for member in ("DeletionPolicy", "UpdateReplacePolicy"):
            if isinstance(declared.get(member), dict):
                value = evaluator.value(declared[member])
                if unknowns(value) or not isinstance(value, str):
                    raise TemplateError(
                        f"Template format error: [/Resources/{name}] {member} must be a string known before "
                        "a resource is made"
                    )
                declared[member] = value
