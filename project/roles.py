"""IAM roles, one a task, each under the boundary."""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from constructs import Construct

from project.permissions import Activity, Trust


def add_role(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    description: str,
    trust: Trust,
    activities: Sequence[Activity],
    boundary_arn: str,
) -> iam.CfnRole:
    """Add a role that `trust` may assume and that does `activities`.

    The policies are part of the role itself: whoever uses the role finds it complete, with no order of
    creation to get wrong.
    """
    return iam.CfnRole(
        scope,
        construct_id,
        role_name=name,
        description=description,
        assume_role_policy_document=trust.document,
        permissions_boundary=boundary_arn,
        policies=[
            iam.CfnRole.PolicyProperty(policy_name=activity.name, policy_document=activity.document)
            for activity in activities
        ],
    )
