"""AWS-specific parameter types: their values must be in the account, and the principal must see them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.services.cloudformation.template.errors import TemplateError
from sandbox.services.cloudformation.template.functions import availability_zones

if TYPE_CHECKING:
    from sandbox.engine.clients import Session
    from sandbox.services.cloudformation.template.parameters import Values

_ASKED = {
    "AWS::EC2::Image::Id": ("ec2", "describe_images", "ImageIds"),
    "AWS::EC2::Instance::Id": ("ec2", "describe_instances", "InstanceIds"),
    "AWS::EC2::KeyPair::KeyName": ("ec2", "describe_key_pairs", "KeyNames"),
    "AWS::EC2::SecurityGroup::GroupName": ("ec2", "describe_security_groups", "GroupNames"),
    "AWS::EC2::SecurityGroup::Id": ("ec2", "describe_security_groups", "GroupIds"),
    "AWS::EC2::Subnet::Id": ("ec2", "describe_subnets", "SubnetIds"),
    "AWS::EC2::VPC::Id": ("ec2", "describe_vpcs", "VpcIds"),
    "AWS::EC2::Volume::Id": ("ec2", "describe_volumes", "VolumeIds"),
}
_LOST = ("NotFound", "Malformed", "Unknown")


def check(values: Values, session: Session, region: str) -> None:
    """TemplateError for a value that does not exist, or cannot be asked for."""
    for name, (kind, items) in values.existing().items():
        for item in items:
            if not _exists(kind, item, session, region):
                raise TemplateError(
                    f"Parameter validation failed: parameter value {item} for parameter name {name} "
                    "does not exist"
                )


def _exists(kind: str, item: str, session: Session, region: str) -> bool:
    from botocore.exceptions import ClientError

    if kind == "AWS::EC2::AvailabilityZone::Name":
        return item in availability_zones("", region)
    if kind not in _ASKED:
        raise TemplateError(f"Parameters of type {kind} are not implemented by the sandbox")
    service, method, member = _ASKED[kind]
    client: Any = session.client(service)
    try:
        getattr(client, method)(**{member: [item]})
    except ClientError as error:
        if any(word in error.response["Error"]["Code"] for word in _LOST):
            return False
        raise
    return True
