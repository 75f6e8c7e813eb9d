"""Reading policies in tests: statements of roles, and whether one pattern lies within another."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any


def statements(role: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of a role with the name of its activity."""
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            yield policy["PolicyName"], statement


def allowed(role: dict[str, Any]) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Every (activity, action, resource, condition) that a role is allowed."""
    for activity, statement in statements(role):
        if statement["Effect"] == "Allow":
            for action in statement["Action"]:
                for resource in statement["Resource"]:
                    yield activity, action, resource, statement.get("Condition", {})


def within(inner: str, outer: str) -> bool:
    """Whether all that `inner` matches is matched by `outer` (both with `*`)."""
    return fnmatchcase(inner, outer.replace("[", "[[]"))


def grants(statement: dict[str, Any], action: str, resource: str) -> bool:
    return (
        statement["Effect"] == "Allow"
        and any(within(action, pattern) for pattern in statement["Action"])
        and any(within(resource, pattern) for pattern in statement["Resource"])
    )
