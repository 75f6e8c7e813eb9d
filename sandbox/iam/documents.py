"""Policy documents, compiled once by content.

Source: "IAM JSON policy elements reference" in the IAM User Guide.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sandbox.iam import patterns
from sandbox.iam.conditions import Condition, Values, compile_conditions

NONE, ACCOUNT, ROLE, DIRECT = 0, 1, 2, 3
"""How a Principal element names a requester: not at all; by its account (which delegates to the account's own
policies); by the role behind its session; or itself."""

EVERYONE = ("*", "*")
"""The form of Principal `*`."""

_ACTIONS_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `resources` None: the element is absent (trust policies have none)."""

    sid: str
    policy: str
    allows: bool
    actions: Callable[[str], object]
    not_action: bool
    resources: tuple[str, ...] | None
    not_resource: bool
    variables: bool
    conditions: tuple[Condition, ...]
    principals: tuple[tuple[str, str], ...] | None
    not_principal: bool

    def concerns(self, action: str) -> bool:
        return bool(self.actions(action)) != self.not_action

    def applies(self, resource: str, request: Values) -> bool | None:
        """Whether resource and conditions match; None where that hangs on something unknown."""
        if self.resources is not None and self._covers(resource, request) == self.not_resource:
            return False
        outcome: bool | None = True
        for condition in self.conditions:
            held = condition.holds(request)
            if held is False:
                return False
            if held is None:
                outcome = None
        return outcome

    def _covers(self, resource: str, request: Values) -> bool:
        assert self.resources is not None
        for pattern in self.resources:
            matches = patterns.resource_matcher(pattern, request.single if self.variables else None)
            if matches is None:
                # A variable without a value: NotResource of an Allow then excludes, so that nothing opens.
                if self.not_resource and self.allows:
                    return True
                continue
            if matches(resource):
                return True
        return False

    def unknown(self, request: Values) -> tuple[str, ...]:
        """The condition keys (or operators) because of which the outcome is not known."""
        return tuple(
            item.key if item.kind is not None else item.operator
            for item in self.conditions
            if item.holds(request) is None
        )

    def names(self, forms: dict[tuple[str, str], int], bounded: bool) -> int:
        """How the Principal (or NotPrincipal) element names the requester with these forms.

        A Deny with NotPrincipal spares only whom it lists at every level, account, role and session, as AWS
        may look at each; and nobody who has a permissions boundary (`bounded`). Sources: "NotPrincipal" and
        "Permissions boundaries for IAM entities" in the IAM User Guide.
        """
        if self.principals is None:
            return DIRECT
        listed = {forms[form] for form in self.principals if form in forms}
        if not self.not_principal:
            return max(listed, default=NONE)
        if self.allows:
            return NONE if listed else DIRECT
        levels = {strength for form, strength in forms.items() if form != EVERYONE}
        spared = EVERYONE in self.principals or listed >= levels
        return NONE if spared and not bounded else DIRECT


@dataclass(frozen=True, eq=False)
class Document:
    """A compiled policy document."""

    name: str
    version: str
    statements: tuple[Statement, ...]
    _by_action: dict[str, tuple[Statement, ...]] = field(default_factory=dict)

    def concerning(self, action: str) -> tuple[Statement, ...]:
        """The statements whose Action or NotAction matches (kept, as a requester repeats its actions)."""
        found = self._by_action.get(action)
        if found is None:
            found = tuple(statement for statement in self.statements if statement.concerns(action))
            if len(self._by_action) < _ACTIONS_KEPT:
                self._by_action[action] = found
        return found


class MalformedPolicy(ValueError):
    """A document that IAM would not have stored."""


@functools.lru_cache(4096)
def parse(text: str, name: str = "") -> Document:
    """Compiles a policy document; MalformedPolicy where it is none."""
    try:
        body = json.loads(text)
        version = str(body.get("Version", "2008-10-17"))
        statements = body["Statement"]
        return Document(name, version, tuple(_statement(item, version, name) for item in _list(statements)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise MalformedPolicy(f"Policy {name or 'document'} cannot be read: {error!r}") from error


def _statement(item: dict[str, Any], version: str, policy: str) -> Statement:
    effect = item["Effect"]
    if effect not in ("Allow", "Deny"):
        raise ValueError(f"Effect {effect!r}")
    variables = version == "2012-10-17"
    not_action = "NotAction" in item
    not_resource = "NotResource" in item
    resources = item.get("NotResource") if not_resource else item.get("Resource")
    not_principal = "NotPrincipal" in item
    return Statement(
        sid=str(item.get("Sid", "")),
        policy=policy,
        allows=effect == "Allow",
        actions=_action_matcher(tuple(_list(item["NotAction"] if not_action else item["Action"]))),
        not_action=not_action,
        resources=None if resources is None else tuple(_list(resources)),
        not_resource=not_resource,
        variables=variables,
        conditions=compile_conditions(item.get("Condition"), variables),
        principals=_principals(item.get("NotPrincipal") if not_principal else item.get("Principal")),
        not_principal=not_principal,
    )


def _action_matcher(names: tuple[str, ...]) -> Callable[[str], object]:
    """One expression for all of a statement's actions; case does not matter in them."""
    expression = "|".join(re.escape(name).replace(r"\*", ".*").replace(r"\?", ".") for name in names)
    return re.compile(expression, re.IGNORECASE | re.DOTALL).fullmatch


def _principals(element: Any) -> tuple[tuple[str, str], ...] | None:
    if element is None:
        return None
    if element == "*":
        return (EVERYONE,)
    return tuple(
        EVERYONE if kind == "AWS" and name == "*" else (kind, str(name))
        for kind, names in element.items()
        for name in _list(names)
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def parse_all(texts: Iterable[tuple[str, str]]) -> tuple[Document, ...]:
    """Compiles (name, text) pairs."""
    return tuple(parse(text, name) for name, text in texts)
