"""Shapes on which the other program departs from AWS's documentation, and on which it is therefore not asked.

Each says the page of the IAM User Guide that decides, and what the other program does instead. A case that
has one of them is left out, whatever either side would say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from conformance.cases import Case, Policy, requester
from conformance.conditions import base_of
from sandbox.iam import patterns
from sandbox.iam.documents import DIRECT

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class Line:
    """An operator on a key in a Condition element; `have`: the request's values, None where missing."""

    operator: str
    values: tuple[str, ...]
    have: tuple[str, ...] | None

    @property
    def base(self) -> str:
        return base_of(self.operator)

    @property
    def negated(self) -> bool:
        return "Not" in self.base


def statements(policy: Policy | None) -> Iterator[dict[str, Any]]:
    body = [] if policy is None else policy["Statement"]
    yield from body if isinstance(body, list) else [body]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def lines(case: Case) -> Iterator[Line]:
    context = {key.lower(): value for key, value in case.context.items()}
    for policy in case.policies():
        for statement in statements(policy):
            for operator, pairs in statement.get("Condition", {}).items():
                for key, values in pairs.items():
                    have = context.get(key.lower())
                    yield Line(
                        operator,
                        tuple(str(value) for value in _list(values)),
                        None if have is None else tuple(_list(have)),
                    )


def _unfilled(case: Case, text: str) -> bool:
    """Whether a variable in the text has neither value nor default in the request."""
    context = {key.lower(): value for key, value in case.context.items()}
    return "${" in text and any(
        kind == "variable" and default is None and not isinstance(context.get(name), str)
        for kind, name, default in patterns.parts(text)
    )


def _session_named(case: Case) -> bool:
    """It limits by the session policy what a resource's policy grants to the session itself (or to `*`)."""
    if case.session is None:
        return False
    forms = requester(case).forms
    for statement in statements(case.resource_policy):
        element = statement.get("Principal")
        if statement["Effect"] != "Allow":
            continue
        if element is None or element == "*":
            return True
        if any(
            name == "*" or forms.get((kind, name)) == DIRECT
            for kind, names in element.items()
            for name in _list(names)
        ):
            return True
    return False


def _negated_without_value(case: Case) -> bool:
    """A negated operator matches what a variable without a value stands for; it lets the statement fail."""
    return any(line.negated and any(_unfilled(case, value) for value in line.values) for line in lines(case))


def _deny_not_resource_without_value(case: Case) -> bool:
    """A variable without a value matches no resource, so NotResource covers all; it drops the Deny."""
    return any(
        statement["Effect"] == "Deny"
        and any(_unfilled(case, value) for value in _list(statement.get("NotResource", [])))
        for policy in case.policies()
        for statement in statements(policy)
    )


def _escape_without_like(case: Case) -> bool:
    """`${*}`, `${?}` and `${$}` stand for the character itself; without Like it takes them as written."""
    return any(
        line.base.startswith("String")
        and "Like" not in line.base
        and any(f"${{{char}}}" in value for char in "*?$")
        for line in lines(case)
        for value in line.values
    )


def _old_version(case: Case) -> bool:
    """Without Version 2012-10-17 variables are literal text; it fills them in."""
    return any("${" in str(policy) and policy.get("Version") != "2012-10-17" for policy in case.policies())


def _negated_malformed(case: Case) -> bool:
    """Negated matching is the opposite of matching; it lets both fail for a value of another kind."""
    valid: dict[str, Callable[[str], bool]] = {
        "Numeric": lambda text: bool(_NUMBER.fullmatch(text)),
        "Date": lambda text: text[:1].isdigit(),
        "Arn": lambda text: text.count(":") >= 5,
        "NotIp": lambda text: (
            text[:1].isdigit() and not text.endswith(("/33", ".300")) or text.startswith("fe80")
        ),
    }
    return any(
        line.negated
        and line.base.startswith(kind)
        and not all(map(of_kind, (*line.values, *(line.have or ()))))
        for line in lines(case)
        for kind, of_kind in valid.items()
    )


def _negated_other_family(case: Case) -> bool:
    """An IPv6 address is not an IPv4 one; its NotIpAddress with a plain address (no range) says otherwise."""
    return any(
        line.base == "NotIpAddress"
        and any(
            "/" not in value and (":" in value) != (":" in have)
            for value in line.values
            for have in line.have or ()
        )
        for line in lines(case)
    )


def _any_value_if_exists(case: Case) -> bool:
    """…IfExists is true for a missing key with any operator but Null; its ForAnyValue is false still."""
    return any(
        line.operator.startswith("ForAnyValue:") and line.operator.endswith("IfExists") and line.have is None
        for line in lines(case)
    )


def _empty_set(case: Case) -> bool:
    """For set operators empty text is a null data set, as if the key were missing; it compares the text."""
    return any(":" in line.operator and line.have is not None and not any(line.have) for line in lines(case))


def _not_resource_cut_short(case: Case) -> bool:
    """NotResource is all that its patterns do not match; it makes an exception of patterns cut short."""
    return any(
        value != "*" and value.count(":") < 5
        for policy in case.policies()
        for statement in statements(policy)
        for value in _list(statement.get("NotResource", []))
    )


def _wild_resource_type(case: Case) -> bool:
    """Wildcards reach over slashes after the fifth colon; it takes what stands before the first literally."""
    for policy in case.policies():
        for statement in statements(policy):
            for value in (*_list(statement.get("Resource", [])), *_list(statement.get("NotResource", []))):
                pieces = value.split(":", 5)
                if len(pieces) < 6 or pieces[2:5] == ["s3", "", ""]:
                    continue
                head = re.match(r"(?:\$\{[^}]*\}|[^/:])*[/:]", pieces[5])
                if head and re.search(r"[*?$]", head[0]):
                    return True
    return False


def _partly_spared(case: Case) -> bool:
    """NotPrincipal with Deny has to list account, role and session; it spares whom any one level lists."""
    listed_at = requester(case).forms
    for statement in statements(case.resource_policy):
        element = statement.get("NotPrincipal")
        if statement["Effect"] != "Deny" or element is None or case.boundary is not None:
            continue
        listed = {
            listed_at[form] for form in (("AWS", name) for name in _list(element["AWS"])) if form in listed_at
        }
        if listed and not listed >= {level for form, level in listed_at.items() if form != ("*", "*")}:
            return True
    return False


EXCLUSIONS: dict[str, tuple[str, Callable[[Case], bool]]] = {
    "session policy under a grant to the session": ("Session policies", _session_named),
    "negated operator, variable without value": (
        "Variables and tags: Policy variables with no value",
        _negated_without_value,
    ),
    "Deny NotResource, variable without value": (
        "Variables and tags: Policy variables with no value",
        _deny_not_resource_without_value,
    ),
    "escaped character without Like": (
        "Variables and tags: Specifying special characters",
        _escape_without_like,
    ),
    "variables in the older Version": ("JSON policy elements: Version", _old_version),
    "negated operator, malformed value": ("Condition operators: negated matching", _negated_malformed),
    "NotIpAddress over address families": (
        "Condition operators: IP address condition operators",
        _negated_other_family,
    ),
    "ForAnyValue…IfExists, missing key": ("Condition operators: …IfExists", _any_value_if_exists),
    "set operator, empty text": ("Multivalued context keys", _empty_set),
    "NotResource cut short": ("JSON policy elements: NotResource", _not_resource_cut_short),
    "wildcard in the resource's type": ("JSON policy elements: Resource", _wild_resource_type),
    "NotPrincipal with some levels only": ("AWS JSON policy elements: NotPrincipal", _partly_spared),
}
"""Name → (page of the IAM User Guide, whether a case has the shape)."""


def excluded(case: Case) -> str | None:
    """The name of the first shape that a case has, or None."""
    return next((name for name, (_, has) in EXCLUSIONS.items() if has(case)), None)
