"""Amazon ECR: repositories, whose names may hold slashes.

Source: "Actions, resources, and condition keys for Amazon Elastic Container Registry" in the Service
Authorization Reference.
"""

from __future__ import annotations

from sandbox.iam.actions import generic
from sandbox.iam.actions.check import Asked, Check


def checks(asked: Asked) -> list[Check]:
    action = f"ecr:{asked.operation}"
    named = [
        item if item.startswith("arn:") else asked.arn("ecr", f"repository/{item}")
        for member in ("resourceArn", "repositoryName", "repositoryNames")
        for item in asked.get(member)
    ]
    if not named and asked.operation == "DescribeRepositories":
        named = [asked.arn("ecr", "repository/*")]
    return [Check(action, tuple(named) or generic.resources(asked, "ecr", asked.operation))]
