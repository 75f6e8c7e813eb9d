"""Template text to plain data: JSON, or YAML with the short form of every intrinsic function.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html
"""

from __future__ import annotations

import json
from typing import Any

import yaml

from sandbox.services.cloudformation.template.errors import TemplateError

_PLAIN_TAGS = {"Ref": "Ref", "Condition": "Condition"}
FUNCTIONS = (
    "Base64",
    "Cidr",
    "And",
    "Equals",
    "If",
    "Not",
    "Or",
    "FindInMap",
    "ForEach",
    "GetAtt",
    "GetAZs",
    "ImportValue",
    "Join",
    "Length",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
    "EachMemberEquals",
    "EachMemberIn",
    "RefAll",
    "ValueOf",
    "ValueOfAll",
    "Contains",
)
# Timestamps stay the text they were written as: a format version is not a date.
_TEXT_TAGS = {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:str", "tag:yaml.org,2002:value"}

MAX_DEPTH = 200
_TOO_DEEP = "Template format error: the template is nested too deeply."

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(body: str) -> dict[str, Any]:
    """The template's data; raises TemplateError for text that is not well-formed or not an object."""
    try:
        data = _read_json(body) if body.lstrip().startswith("{") else _read_yaml(body)
    except RecursionError:
        raise TemplateError(_TOO_DEEP) from None
    if not isinstance(data, dict):
        raise TemplateError("Template format error: unsupported structure.")
    return data


def _read_json(body: str) -> Any:
    try:
        return json.loads(body, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        where = f"(line {error.lineno}, column {error.colno})"
        raise TemplateError(f"Template format error: JSON not well-formed. {where}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise TemplateError(f"Template format error: duplicate key [{key}]")
        result[key] = value
    return result


def _read_yaml(body: str) -> Any:
    try:
        _check_depth(body)
        node = yaml.compose(body, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise TemplateError(f"Template format error: YAML not well-formed.{where}") from None
    except yaml.YAMLError:
        raise TemplateError("Template format error: YAML not well-formed.") from None
    return _Reader().value(node) if node else None


def _check_depth(body: str) -> None:
    """libyaml composes recursively, without a limit: what is nested deeper would end the process."""
    depth = 0
    for event in yaml.parse(body, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise TemplateError(_TOO_DEEP)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Reader:
    """Walks YAML nodes. Aliases are refused as CloudFormation refuses them; keys must not repeat."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._scalars = yaml.constructor.SafeConstructor()

    def value(self, node: yaml.Node) -> Any:
        if id(node) in self._seen:
            raise TemplateError("Template error: YAML aliases are not allowed in CloudFormation templates")
        self._seen.add(id(node))
        if node.tag.startswith("!"):
            return self._function(node)
        return self._plain(node)

    def _plain(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        if node.tag in _TEXT_TAGS or node.tag.startswith("!"):
            return node.value
        try:
            return self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError):
            mark = node.start_mark
            where = f"(line {mark.line + 1}, column {mark.column + 1})"
            raise TemplateError(f"Template format error: YAML not well-formed. {where}") from None

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Any]:
        pairs = []
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                mark = key.start_mark
                where = f"(line {mark.line + 1}, column {mark.column + 1})"
                raise TemplateError(f"Template format error: YAML not well-formed. {where}")
            pairs.append((key.value, self.value(value)))
        return _object(pairs)

    def _function(self, node: yaml.Node) -> Any:
        name = node.tag[1:]
        value = self._plain(node)
        if name in _PLAIN_TAGS:
            return {_PLAIN_TAGS[name]: value}
        if name not in FUNCTIONS:
            raise TemplateError(f"Template format error: unsupported YAML tag !{name}")
        if name == "GetAtt" and isinstance(value, str):
            logical_id, dot, attribute = value.partition(".")
            value = [logical_id, attribute] if dot else value
        return {f"Fn::{name}": value}
