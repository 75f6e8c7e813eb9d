"""Permissions as named activities: a role is a list of things it does, each readable on its own.

An activity becomes one inline policy of its role, under the activity's name, so that the IAM console tells
*what for* as well as *what*. Policy documents are plain data: no CDK here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Statement = dict[str, Any]


@dataclass(frozen=True)
class Activity:
    """One thing that a role does. The name is the inline policy's: letters only, at most 128."""

    name: str
    statements: tuple[Statement, ...]

    @property
    def document(self) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": list(self.statements)}


def allow(
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, Mapping[str, Any]] | None = None,
) -> Statement:
    return _statement("Allow", actions, resources, conditions)


def deny(
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, Mapping[str, Any]] | None = None,
) -> Statement:
    return _statement("Deny", actions, resources, conditions)


def _statement(
    effect: str,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, Mapping[str, Any]] | None,
) -> Statement:
    statement: Statement = {"Effect": effect, "Action": list(actions), "Resource": list(resources)}
    if conditions:
        statement["Condition"] = {operator: dict(keys) for operator, keys in conditions.items()}
    return statement


def pass_role(role_arns: Sequence[str], service: str, *, name: str) -> Activity:
    """Hand exactly these roles to exactly this service."""
    condition = {"StringEquals": {"iam:PassedToService": service}}
    return Activity(name, (allow(["iam:PassRole"], role_arns, condition),))


def never_approve_models() -> Activity:
    """Who builds a model cannot approve it. The condition key exists for both actions, and so does the gap.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemaker.html
    """
    actions = ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"]
    condition = {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}}
    return Activity("NeverApproveModels", (deny(actions, ["*"], condition),))


@dataclass(frozen=True)
class Trust:
    """Which service may assume a role, and on behalf of what.

    `source_arn` (may hold wildcards) and `account` guard against the confused deputy. CloudFormation passes
    neither when it assumes a service role: leave both out for it.
    """

    service: str
    account: str | None = None
    source_arn: str | None = None

    @property
    def document(self) -> dict[str, Any]:
        statement: Statement = {
            "Effect": "Allow",
            "Principal": {"Service": self.service},
            "Action": "sts:AssumeRole",
        }
        condition: dict[str, Any] = {}
        if self.account is not None:
            condition["StringEquals"] = {"aws:SourceAccount": self.account}
        if self.source_arn is not None:
            condition["ArnLike"] = {"aws:SourceArn": self.source_arn}
        if condition:
            statement["Condition"] = condition
        return {"Version": "2012-10-17", "Statement": [statement]}
