"""Stack policies: which resources an update may touch.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

from sandbox.services.cloudformation.template.errors import TemplateError

Record = dict[str, Any]
_ACTIONS = {"Update:Modify", "Update:Replace", "Update:Delete", "Update:*"}


class Denied(Exception):
    """The stack policy does not let the update touch a resource."""


def parse(body: str) -> list[dict[str, Any]]:
    """The statements of a policy; raises TemplateError for one that AWS would not take."""
    try:
        statements = json.loads(body)["Statement"]
    except (ValueError, KeyError, TypeError):
        raise TemplateError("Error validating stack policy: Invalid stack policy") from None
    statements = statements if isinstance(statements, list) else [statements]
    for statement in statements:
        if not isinstance(statement, dict) or not isinstance(statement.get("Condition", {}), dict):
            raise TemplateError("Error validating stack policy: Invalid stack policy")
        known = {"Effect", "Action", "NotAction", "Principal", "Resource", "NotResource", "Condition", "Sid"}
        surplus = set(statement) - known
        if surplus or statement.get("Effect") not in ("Allow", "Deny") or statement.get("Principal") != "*":
            raise TemplateError("Error validating stack policy: Invalid stack policy")
        actions = _list(statement.get("Action", statement.get("NotAction", [])))
        if not all(isinstance(action, str) and action in _ACTIONS for action in actions):
            raise TemplateError("Error validating stack policy: Invalid action in stack policy")
        for operator, tests in statement.get("Condition", {}).items():
            if operator not in ("StringEquals", "StringLike") or list(tests) != ["ResourceType"]:
                raise TemplateError(f"Stack policy condition {operator} is not implemented by the sandbox")
    return statements


def enforce(stack: Record, target: Record, record: Record, action: str) -> None:
    """Raises Denied unless the policy in force allows `action` on the resource."""
    body = target.get("StackPolicyDuringUpdate") or stack.get("StackPolicy")
    if not body:
        return
    resource = f"LogicalResourceId/{record['LogicalResourceId']}"
    allowed = False
    for index, statement in enumerate(parse(body), 1):
        if not _applies(statement, action, resource, record["ResourceType"]):
            continue
        if statement["Effect"] == "Deny":
            raise Denied(
                f"Action denied by stack policy: Statement [#{index}] does not allow [{action}] "
                f"for resource [{resource}]"
            )
        allowed = True
    if not allowed:
        raise Denied(f"Action not allowed by stack policy: no statement allows [{action}] for [{resource}]")


def _applies(statement: dict[str, Any], action: str, resource: str, kind: str) -> bool:
    actions = _list(statement.get("Action", statement.get("NotAction", [])))
    named = any(fnmatchcase(action, pattern) for pattern in actions)
    if named == ("NotAction" in statement):
        return False
    resources = _list(statement.get("Resource", statement.get("NotResource", [])))
    named = any(fnmatchcase(resource, pattern) for pattern in resources)
    if named == ("NotResource" in statement):
        return False
    return all(
        any(
            fnmatchcase(kind, pattern) if operator == "StringLike" else kind == pattern
            for pattern in _list(tests["ResourceType"])
        )
        for operator, tests in statement.get("Condition", {}).items()
    )


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
