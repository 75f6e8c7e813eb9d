"""Step Functions: ARNs are told by the request; a qualified machine's ARN is asked without its qualifier.

Source: the Service Authorization Reference, and "Granting permissions to use versions and aliases" in the
Step Functions Developer Guide: version and alias are the condition key states:StateMachineQualifier.
"""

from __future__ import annotations

from sandbox.iam.actions.check import Asked, Check, Unmapped

_WITHOUT = frozenset(
    (
        "ListActivities",
        "ListStateMachines",
        "SendTaskFailure",
        "SendTaskHeartbeat",
        "SendTaskSuccess",
        "ValidateStateMachineDefinition",
    )
)
_MEMBERS = ("executionArn", "mapRunArn", "activityArn", "resourceArn")
_MACHINES = ("stateMachineArn", "stateMachineAliasArn", "stateMachineVersionArn")


def checks(asked: Asked) -> list[Check]:
    action = f"states:{asked.operation}"
    if asked.operation in _WITHOUT:
        return [Check(action, ("*",))]
    if asked.operation == "TestState":
        return _test_state(asked)
    name = asked.first("name") or ""
    if asked.operation == "CreateActivity":
        return [Check(action, (asked.arn("states", f"activity:{name}"),))]
    if asked.operation == "CreateStateMachine":
        return _published(asked, Check(action, (asked.arn("states", f"stateMachine:{name}"),)))
    given = asked.first(*_MACHINES)
    if asked.operation == "CreateStateMachineAlias":
        given = asked.first("routingConfiguration.stateMachineVersionArn")
        resource, _ = _unqualified(given or "")
        return [Check(action, (resource,), {"states:StateMachineQualifier": name})]
    if given is not None:
        resource, qualifier = _unqualified(given)
        context = {"states:StateMachineQualifier": qualifier} if qualifier else {}
        return _published(asked, Check(action, (resource,), context))
    resource = asked.first(*_MEMBERS) or ("*" if asked.operation == "ListExecutions" else "")
    if not resource:
        raise Unmapped(action, "the request names no resource")
    return [Check(action, (resource,))]


def _unqualified(arn: str) -> tuple[str, str]:
    parts = arn.split(":")
    return ":".join(parts[:7]), ":".join(parts[7:])


def _published(asked: Asked, check: Check) -> list[Check]:
    """`publish` makes a version, which has a permission of its own."""
    if asked.params.get("publish") is not True:
        return [check]
    return [check, Check("states:PublishStateMachineVersion", check.resources)]


def _test_state(asked: Asked) -> list[Check]:
    found = [Check("states:TestState", ("*",))]
    role = asked.first("roleArn")
    if role:
        found.append(Check("iam:PassRole", (role,), {"iam:PassedToService": "states.amazonaws.com"}))
    if asked.params.get("revealSecrets") is True:
        found.append(Check("states:RevealSecrets", ("*",)))
    return found
