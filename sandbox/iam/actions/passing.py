"""iam:PassRole: every role that a request hands to a service.

Source: "Grant a user permissions to pass a role to an AWS service" in the IAM User Guide, and the dependent
actions of the Service Authorization Reference. CodePipeline checks the pipeline's and the actions' own roles;
a role in a CloudFormation action's configuration is passed by the pipeline's role when the action runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.iam.actions.check import Asked, Check

ROLE_MEMBERS = frozenset(
    [
        "role",
        "rolearn",
        "executionrolearn",
        "executionrole",
        "servicerole",
        "servicerolearn",
        "defaultexecutionrole",
        "deliverlogspermissionarn",
        "studiowebportalrole",
        "clusterrole",
        "instancerolearn",
        "servicecatalogrole",
        "batchservicerole",
        "serviceroleoverride",
        "smsrole",
        "snscallerrole",
        "actionloglinerolearn",
        "importrolearn",
        "automationexecutionrolearn",
        "runtimerole",
        "resourceaccessrole",
        "loggingrole",
        "servicelinkedrolearn",
    ]
)
"""Members (in lower case) that hold a role's ARN and hand it over."""

PASSED_TO = {
    "sagemaker": "sagemaker.amazonaws.com",
    "codebuild": "codebuild.amazonaws.com",
    "codepipeline": "codepipeline.amazonaws.com",
    "cloudformation": "cloudformation.amazonaws.com",
    "events": "events.amazonaws.com",
    "scheduler": "scheduler.amazonaws.com",
    "stepfunctions": "states.amazonaws.com",
    "lambda": "lambda.amazonaws.com",
    "logs": "logs.amazonaws.com",
    "ssm": "ssm.amazonaws.com",
    "servicecatalog": "servicecatalog.amazonaws.com",
    "cloudwatch": "cloudwatch.amazonaws.com",
    "application-autoscaling": "application-autoscaling.amazonaws.com",
}
"""The service principal that a service's operations pass roles to."""

PASSED_BY = {
    ("ec2", "CreateFlowLogs"): "vpc-flow-logs.amazonaws.com",
    ("cloudwatch", "PutMetricStream"): "streams.metrics.cloudwatch.amazonaws.com",
}
"""Operations that pass to another principal than their service's."""

_VERBS = (
    "Create",
    "Update",
    "Put",
    "Start",
    "Register",
    "Import",
    "Execute",
    "Continue",
    "Rollback",
    "Delete",
    "Add",
    "Send",
)
_NOT_DEEPER = {
    "codepipeline": frozenset({"configuration"}),
    "events": frozenset({"input"}),
    "lambda": frozenset({"environment", "tags"}),
}


def checks(asked: Asked, main: tuple[str, ...]) -> list[Check]:
    """A check for each role passed. `main`: ARNs that the operation itself is about."""
    service = PASSED_BY.get((asked.service, asked.operation)) or PASSED_TO.get(asked.service)
    if service is None or not asked.operation.startswith(_VERBS):
        return []
    roles = dict.fromkeys(
        role
        for role in _roles(asked.params, _NOT_DEEPER.get(asked.service, frozenset()))
        if _local(asked, role)
    )
    if asked.service == "servicecatalog":
        roles |= dict.fromkeys(_launch_role(asked))
    context = {"iam:PassedToService": service}
    if len(main) == 1 and main[0].startswith("arn:") and "*" not in main[0]:
        context["iam:AssociatedResourceArn"] = main[0]
    return [Check("iam:PassRole", (role,), context) for role in roles]


def _roles(value: Any, skip: frozenset[str]) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            if isinstance(item, str):
                if str(name).lower() in ROLE_MEMBERS and ":role/" in item:
                    yield item
            elif str(name).lower() not in skip:
                yield from _roles(item, skip)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _roles(item, skip)


def _local(asked: Asked, role: str) -> bool:
    """Roles of another account cannot be passed: services assume them, which their trust decides."""
    return role.split(":")[4] == asked.account


def _launch_role(asked: Asked) -> list[str]:
    """The role in a launch constraint's parameters, by ARN or by its name in this account."""
    if asked.operation not in ("CreateConstraint", "UpdateConstraint"):
        return []
    try:
        body = json.loads(asked.params.get("Parameters") or "{}")
    except ValueError:
        return []
    if not isinstance(body, dict):
        return []
    name = body.get("LocalRoleName")
    found = body.get("RoleArn") or (asked.arn("iam", f"role/{name}", regional=False) if name else None)
    return [found] if found else []
