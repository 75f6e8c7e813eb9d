"""Condition elements: every operator, with IfExists, ForAllValues, ForAnyValue and Null.

Source: "IAM JSON policy elements: Condition operators" and "Multivalued context keys" in the IAM User Guide.
A condition has three outcomes: True, False, and None where the sandbox does not know the key's value.
"""

from __future__ import annotations

import base64
import binascii
import functools
import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sandbox.iam import patterns


class Values(Protocol):
    """What a request says about condition keys (keys in lower case)."""

    def get(self, key: str) -> tuple[str, ...] | None: ...

    def known(self, key: str) -> bool: ...

    def single(self, key: str) -> str | None: ...


Compare = Callable[[str, str], bool]


_DECIMAL = re.compile(r"[+-]?\d+(?:\.\d+)?")
_W3C = re.compile(
    r"(\d{4})-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?", re.ASCII
)
"""Dates as W3C's profile of ISO 8601 has them; a bare year is a number of seconds."""


def _number(text: str) -> float | None:
    return float(text) if _DECIMAL.fullmatch(text) and text.isascii() else None


@functools.lru_cache(2048)
def _moment(text: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 date or of epoch seconds."""
    number = _number(text)
    if number is not None:
        return number
    found = _W3C.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    whole = f"{year}-{month}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}"
    try:
        moment = datetime.fromisoformat(whole + (zone or "Z").replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment.timestamp() + float(f"0.{fraction or 0}")


def _ordered(read: Callable[[str], float | None], holds: Callable[[float, float], bool]) -> Compare:
    def compare(have: str, want: str) -> bool:
        left, right = read(have), read(want)
        return left is not None and right is not None and holds(left, right)

    return compare


@functools.lru_cache(2048)
def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    _, slash, length = text.partition("/")
    if slash and not (length.isdecimal() and length.isascii()):
        return None  # a netmask is no CIDR notation
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _in_network(have: str, want: str) -> bool:
    network, address = _network(want), _network(have)
    return bool(
        network
        and address
        and network.version == address.version
        and int(network.network_address) <= int(address.network_address)
        and int(address.broadcast_address) <= int(network.broadcast_address)
    )


def _same_bytes(have: str, want: str) -> bool:
    try:
        return base64.b64decode(have, validate=True) == base64.b64decode(want, validate=True)
    except (binascii.Error, ValueError):
        return False


def _same_truth(have: str, want: str) -> bool:
    return have.lower() == want.lower() and have.lower() in ("true", "false")


def _orders(prefix: str, read: Callable[[str], float | None]) -> dict[str, Compare]:
    return {
        f"{prefix}equals": _ordered(read, lambda a, b: a == b),
        f"{prefix}lessthan": _ordered(read, lambda a, b: a < b),
        f"{prefix}lessthanequals": _ordered(read, lambda a, b: a <= b),
        f"{prefix}greaterthan": _ordered(read, lambda a, b: a > b),
        f"{prefix}greaterthanequals": _ordered(read, lambda a, b: a >= b),
    }


_TEXT = "text"
_GLOB = "glob"
_ARN = "arn"

_COMPARE: dict[str, Compare | str] = {
    "stringequals": _TEXT,
    "stringequalsignorecase": lambda have, want: have.casefold() == want.casefold(),
    "stringlike": _GLOB,
    "arnequals": _ARN,
    "arnlike": _ARN,
    "bool": _same_truth,
    "binaryequals": _same_bytes,
    "ipaddress": _in_network,
    **_orders("numeric", _number),
    **_orders("date", _moment),
}

_NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator applied to one key. `kind` None: an operator that does not exist."""

    operator: str
    key: str
    values: tuple[str, ...]
    kind: str | None
    negated: bool
    if_exists: bool
    qualifier: str
    variables: bool

    def holds(self, request: Values) -> bool | None:
        """True or False; None where the outcome hangs on a key or an operator that is not known."""
        if self.kind is None:
            return None
        have = request.get(self.key)
        if have is None and not request.known(self.key):
            return None
        if self.kind == "null":
            return ("false" if have else "true") in (value.lower() for value in self.values)
        if not have or (self.qualifier and not any(have)):
            # For the set operators, empty text is a null data set as well ("Multivalued context keys").
            if self.if_exists or self.qualifier == "forallvalues":
                return True
            return self.negated and self.qualifier != "foranyvalue"
        if self.qualifier == "forallvalues":
            return all(self._one(value, request) != self.negated for value in have)
        if self.qualifier == "foranyvalue":
            return any(self._one(value, request) != self.negated for value in have)
        return any(self._one(value, request) for value in have) != self.negated

    def _one(self, have: str, request: Values) -> bool:
        """Does `have` match any of the policy's values (before negation)?"""
        assert self.kind
        compare = _COMPARE[self.kind]
        for want in self.values:
            if self.variables and "${" in want:
                if self._with_variables(compare, have, want, request):
                    return True
            elif compare is _TEXT:
                if have == want:
                    return True
            elif compare is _GLOB:
                if patterns.glob(want)(have):
                    return True
            elif compare is _ARN:
                if patterns.arn_condition(want)(have):
                    return True
            elif not isinstance(compare, str) and compare(have, want):
                return True
        return False

    @staticmethod
    def _with_variables(compare: Compare | str, have: str, want: str, request: Values) -> bool:
        if compare is _GLOB:
            match = patterns.glob_with_variables(want, request.single)
            return bool(match and match(have))
        if compare is _ARN:
            matches = patterns.arn_with_variables(want, request.single)
            return bool(matches and matches(have))
        text = patterns.substitute(want, request.single)
        if text is None:
            return False
        return have == text if isinstance(compare, str) else compare(have, text)


def compile_conditions(element: object, variables: bool) -> tuple[Condition, ...]:
    """The Condition element of a statement as a flat list, all of which must hold."""
    if not element:
        return ()
    if not isinstance(element, dict):
        raise ValueError("Condition is not an object")
    return tuple(
        _compile(operator, key, wanted, variables)
        for operator, pairs in element.items()
        for key, wanted in pairs.items()
    )


def _compile(operator: str, key: str, wanted: object, variables: bool) -> Condition:
    qualifier, _, base = operator.lower().rpartition(":")
    if_exists = base.endswith("ifexists") and base != "null"
    base = base.removesuffix("ifexists")
    kind: str | None = _NEGATED.get(base, base)
    if kind not in _COMPARE and kind != "null" or qualifier not in ("", "forallvalues", "foranyvalue"):
        kind = None
    # "You can't use a policy variable with other operators, such as Numeric, Date, Boolean, Binary,
    # IP Address, or Null" ("Where you can use policy variables", IAM User Guide).
    variables = variables and bool(kind) and str(kind).startswith(("string", "arn"))
    values = tuple(_text(value) for value in (wanted if isinstance(wanted, list) else [wanted]))
    return Condition(operator, key.lower(), values, kind, base in _NEGATED, if_exists, qualifier, variables)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def keys(conditions: Sequence[Condition]) -> tuple[str, ...]:
    return tuple(condition.key for condition in conditions)
