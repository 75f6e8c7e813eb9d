"""The pure intrinsic functions: each takes evaluated arguments.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable
from typing import Any

from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.parameters import text_of
from sandbox.services.cloudformation.template.unknown import Unknown, joined, unknowns

ZONES = ("a", "b", "c")
SUB_VARIABLE = re.compile(r"\$\{([^!{}][^{}]*)\}")
_SUB_ESCAPE = re.compile(r"\$\{!([^{}]*)\}")


def is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def join(argument: Any) -> Any:
    if not (isinstance(argument, list) and len(argument) == 2 and isinstance(argument[0], str)):
        raise TemplateError(
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and "
            "(2) a list of strings to be joined or a function that returns a list of strings "
            "(such as Fn::GetAZs) to be joined."
        )
    delimiter, items = argument
    if isinstance(items, Unknown):
        return items
    if not isinstance(items, list) or not all(is_scalar(item) or isinstance(item, Unknown) for item in items):
        raise TemplateError(
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and "
            "(2) a list of strings to be joined or a function that returns a list of strings "
            "(such as Fn::GetAZs) to be joined."
        )
    return joined(items) if unknowns(items) else delimiter.join(text_of(item) for item in items)


def split(argument: Any) -> Any:
    wrong = TemplateError(
        "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and "
        "(2) a string to be split or a function that returns a string to be split."
    )
    if not (isinstance(argument, list) and len(argument) == 2):
        raise wrong
    delimiter, text = argument
    if isinstance(text, Unknown):
        return text
    if not isinstance(delimiter, str) or not delimiter or not isinstance(text, str):
        raise wrong
    return text.split(delimiter)


def select(argument: Any) -> Any:
    if not (isinstance(argument, list) and len(argument) == 2):
        raise TemplateError(
            "Template error: Fn::Select requires a list argument with two elements: an integer index "
            "and a list"
        )
    index, items = argument
    if isinstance(index, Unknown) or isinstance(items, Unknown):
        return joined(index, items)
    if not isinstance(items, list):
        raise TemplateError(
            "Template error: Fn::Select requires a list argument with two elements: an integer index "
            "and a list"
        )
    try:
        position = int(index)
    except (TypeError, ValueError):
        raise TemplateError(
            "Template error: Fn::Select requires a list argument with a valid index"
        ) from None
    if not 0 <= position < len(items):
        raise TemplateError(f"Template error: Fn::Select cannot select nonexistent value at index {position}")
    return items[position]


def base64_of(argument: Any) -> Any:
    if isinstance(argument, Unknown):
        return argument
    if not isinstance(argument, str):
        raise TemplateError("Template error: every Fn::Base64 object must have a String-typed value.")
    return base64.b64encode(argument.encode()).decode()


def cidr(argument: Any) -> Any:
    if unknowns(argument):
        return joined(argument)
    if not (isinstance(argument, list) and len(argument) in (2, 3)):
        raise TemplateError(
            "Template error: every Fn::Cidr object requires two or three parameters: "
            "(1) the IP address block, (2) the count and (3) the cidrBits."
        )
    try:
        network = ipaddress.ip_network(str(argument[0]))
        count = int(argument[1])
        bits = int(argument[2]) if len(argument) == 3 else 8
    except ValueError as error:
        raise TemplateError(f"Template error: Fn::Cidr parameters invalid: {error}") from None
    prefix = network.max_prefixlen - bits
    if not 1 <= count <= 256 or prefix < network.prefixlen or prefix > network.max_prefixlen:
        raise TemplateError(
            f"Template error: Fn::Cidr cannot make {count} blocks of /{prefix} from {network}"
        )
    if count > 2 ** (prefix - network.prefixlen):
        raise TemplateError(
            f"Template error: Fn::Cidr cannot make {count} blocks of /{prefix} from {network}"
        )
    subnets = network.subnets(new_prefix=prefix)
    return [str(next(subnets)) for _ in range(count)]


def find_in_map(argument: Any, mappings: dict[str, Any]) -> Any:
    if not (isinstance(argument, list) and len(argument) == 3):
        raise TemplateError(
            "Template error: every Fn::FindInMap object requires three parameters, the map name, map key "
            "and the attribute for return value"
        )
    if unknowns(argument):
        return joined(argument)
    if not all(is_scalar(item) for item in argument):
        raise TemplateError("Template error: every Fn::FindInMap parameter must be a string")
    name, key, attribute = (text_of(item) for item in argument)
    if name not in mappings:
        raise TemplateError(
            f"Template error: Mapping named '{name}' is not present in the 'Mappings' section"
        )
    if key not in mappings[name] or attribute not in mappings[name][key]:
        raise TemplateError(f"Template error: Unable to get mapping for {name}::{key}::{attribute}")
    return mappings[name][key][attribute]


def in_map(argument: Any, mappings: dict[str, Any]) -> bool:
    """Whether Fn::FindInMap would find something; so it would be taken to, while a key is not known yet."""
    if unknowns(argument) or not (isinstance(argument, list) and len(argument) == 3):
        return True
    name, key, attribute = (text_of(item) for item in argument)
    return attribute in mappings.get(name, {}).get(key, {})


def length(argument: Any) -> Any:
    if isinstance(argument, Unknown):
        return argument
    if not isinstance(argument, list):
        raise TemplateError("Template error: Fn::Length expects an array")
    return len(argument)


def to_json(argument: Any) -> Any:
    if not isinstance(argument, dict | list | Unknown):
        raise TemplateError("Template error: Fn::ToJsonString expects an object or an array")
    return joined(argument) if unknowns(argument) else json.dumps(argument, separators=(",", ":"))


def availability_zones(argument: Any, region: str) -> Any:
    if isinstance(argument, Unknown):
        return argument
    if not isinstance(argument, str):
        raise TemplateError("Template error: every Fn::GetAZs object must have a String-typed value.")
    return [f"{argument or region}{zone}" for zone in ZONES]


def sub_parts(argument: Any) -> tuple[str, dict[str, Any]]:
    """The text and the variables of Fn::Sub's two forms."""
    if isinstance(argument, str):
        return argument, {}
    if (
        isinstance(argument, list)
        and len(argument) == 2
        and isinstance(argument[0], str)
        and isinstance(argument[1], dict)
    ):
        return argument[0], argument[1]
    raise TemplateError(
        "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a "
        "string as first argument, and an optional second argument to specify a mapping of values to replace "
        "in the string"
    )


def sub(text: str, lookup: Callable[[str], Any]) -> Any:
    """Replaces `${name}` by `lookup(name)`; `${!name}` stands for the literal `${name}`."""
    values = {name: lookup(name.strip()) for name in SUB_VARIABLE.findall(text)}
    if unknowns(values):
        return joined(values)
    for name, value in values.items():
        if not is_scalar(value):
            raise TemplateError(
                f"Template error: variable {name} in Fn::Sub expression does not resolve to a string"
            )
    replaced = SUB_VARIABLE.sub(lambda match: text_of(values[match.group(1)]), text)
    return _SUB_ESCAPE.sub(r"${\1}", replaced) if "${!" in text else replaced
