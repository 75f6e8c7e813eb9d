"""The kinds of records: how they are called, found, tagged, filtered and listed.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from __future__ import annotations

import fnmatch
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page

Record = dict[str, Any]
Request = Mapping[str, Any]
TAG = "tag"
"""Records by resource id: its tags."""


@dataclass(frozen=True)
class Kind:
    """`type`: as in ARNs and TagSpecifications. `missing`: error code and text where an id is not known.

    `filters`: filter name → member, dots for members of members (lists on the way are flattened).
    """

    type: str
    id: str
    prefix: str
    missing: tuple[str, str]
    filters: Mapping[str, str]


VPC = Kind(
    "vpc",
    "VpcId",
    "vpc-",
    ("InvalidVpcID.NotFound", "The vpc ID '{}' does not exist"),
    {
        "vpc-id": "VpcId",
        "cidr": "CidrBlock",
        "cidr-block": "CidrBlock",
        "cidr-block-association.cidr-block": "CidrBlockAssociationSet.CidrBlock",
        "is-default": "IsDefault",
        "isDefault": "IsDefault",
        "owner-id": "OwnerId",
        "state": "State",
        "dhcp-options-id": "DhcpOptionsId",
    },
)
SUBNET = Kind(
    "subnet",
    "SubnetId",
    "subnet-",
    ("InvalidSubnetID.NotFound", "The subnet ID '{}' does not exist"),
    {
        "subnet-id": "SubnetId",
        "subnet-arn": "SubnetArn",
        "vpc-id": "VpcId",
        "cidr": "CidrBlock",
        "cidr-block": "CidrBlock",
        "availability-zone": "AvailabilityZone",
        "availabilityZone": "AvailabilityZone",
        "availability-zone-id": "AvailabilityZoneId",
        "default-for-az": "DefaultForAz",
        "defaultForAz": "DefaultForAz",
        "map-public-ip-on-launch": "MapPublicIpOnLaunch",
        "owner-id": "OwnerId",
        "state": "State",
    },
)
ROUTE_TABLE = Kind(
    "route-table",
    "RouteTableId",
    "rtb-",
    ("InvalidRouteTableID.NotFound", "The routeTable ID '{}' does not exist"),
    {
        "route-table-id": "RouteTableId",
        "vpc-id": "VpcId",
        "owner-id": "OwnerId",
        "association.main": "Associations.Main",
        "association.subnet-id": "Associations.SubnetId",
        "association.route-table-id": "Associations.RouteTableId",
        "association.route-table-association-id": "Associations.RouteTableAssociationId",
        "association.gateway-id": "Associations.GatewayId",
        "route.destination-cidr-block": "Routes.DestinationCidrBlock",
        "route.gateway-id": "Routes.GatewayId",
        "route.nat-gateway-id": "Routes.NatGatewayId",
        "route.state": "Routes.State",
    },
)
INTERNET_GATEWAY = Kind(
    "internet-gateway",
    "InternetGatewayId",
    "igw-",
    ("InvalidInternetGatewayID.NotFound", "The internetGateway ID '{}' does not exist"),
    {
        "internet-gateway-id": "InternetGatewayId",
        "attachment.vpc-id": "Attachments.VpcId",
        "attachment.state": "Attachments.State",
        "owner-id": "OwnerId",
    },
)
NAT_GATEWAY = Kind(
    "natgateway",
    "NatGatewayId",
    "nat-",
    ("NatGatewayNotFound", "The Nat Gateway {} was not found"),
    {
        "nat-gateway-id": "NatGatewayId",
        "state": "State",
        "subnet-id": "SubnetId",
        "vpc-id": "VpcId",
    },
)
ELASTIC_IP = Kind(
    "elastic-ip",
    "AllocationId",
    "eipalloc-",
    ("InvalidAllocationID.NotFound", "The allocation ID '{}' does not exist"),
    {
        "allocation-id": "AllocationId",
        "association-id": "AssociationId",
        "domain": "Domain",
        "public-ip": "PublicIp",
        "instance-id": "InstanceId",
        "network-interface-id": "NetworkInterfaceId",
    },
)
SECURITY_GROUP = Kind(
    "security-group",
    "GroupId",
    "sg-",
    ("InvalidGroup.NotFound", "The security group '{}' does not exist"),
    {
        "group-id": "GroupId",
        "group-name": "GroupName",
        "description": "Description",
        "vpc-id": "VpcId",
        "owner-id": "OwnerId",
        "ip-permission.cidr": "IpPermissions.IpRanges.CidrIp",
        "ip-permission.from-port": "IpPermissions.FromPort",
        "ip-permission.group-id": "IpPermissions.UserIdGroupPairs.GroupId",
        "ip-permission.protocol": "IpPermissions.IpProtocol",
        "ip-permission.to-port": "IpPermissions.ToPort",
    },
)
SECURITY_GROUP_RULE = Kind(
    "security-group-rule",
    "SecurityGroupRuleId",
    "sgr-",
    ("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '{}' does not exist"),
    {"group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId"},
)
NETWORK_ACL = Kind(
    "network-acl",
    "NetworkAclId",
    "acl-",
    ("InvalidNetworkAclID.NotFound", "The networkAcl ID '{}' does not exist"),
    {"network-acl-id": "NetworkAclId", "vpc-id": "VpcId", "default": "IsDefault", "owner-id": "OwnerId"},
)
VPC_ENDPOINT = Kind(
    "vpc-endpoint",
    "VpcEndpointId",
    "vpce-",
    ("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '{}' does not exist"),
    {
        "vpc-endpoint-id": "VpcEndpointId",
        "vpc-id": "VpcId",
        "service-name": "ServiceName",
        "vpc-endpoint-state": "State",
        "vpc-endpoint-type": "VpcEndpointType",
    },
)
FLOW_LOG = Kind(
    "vpc-flow-log",
    "FlowLogId",
    "fl-",
    ("InvalidFlowLogId.NotFound", "FlowLog {} was not found"),
    {
        "flow-log-id": "FlowLogId",
        "resource-id": "ResourceId",
        "log-group-name": "LogGroupName",
        "log-destination-type": "LogDestinationType",
        "traffic-type": "TrafficType",
        "deliver-log-status": "DeliverLogsStatus",
    },
)
DHCP_OPTIONS = Kind(
    "dhcp-options",
    "DhcpOptionsId",
    "dopt-",
    ("InvalidDhcpOptionID.NotFound", "The dhcpOption ID '{}' does not exist"),
    {"dhcp-options-id": "DhcpOptionsId", "owner-id": "OwnerId"},
)
KINDS = (
    VPC,
    SUBNET,
    ROUTE_TABLE,
    INTERNET_GATEWAY,
    NAT_GATEWAY,
    ELASTIC_IP,
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
    NETWORK_ACL,
    VPC_ENDPOINT,
    FLOW_LOG,
    DHCP_OPTIONS,
)


def recorded(name: str) -> Callable[..., Any]:
    """Registers an operation of records. It runs in one transaction, after the account's default network is
    there, and not at all for a dry run."""

    def register(function: Callable[[Call, Request], Record | None]) -> Any:
        @operation("ec2", name, record_only=True)
        def run(call: Call, DryRun: bool = False, **request: Any) -> Record | None:
            from sandbox.services.ec2 import defaults

            if DryRun:
                raise AwsError(
                    "DryRunOperation", "Request would have succeeded, but DryRun flag is set.", status=412
                )
            with call.engine.store.transaction():
                defaults.ensure(call)
                return function(call, request)

        return function

    return register


def new_id(kind: Kind) -> str:
    return kind.prefix + secrets.token_hex(9)[:17]


def put(call: Call, kind: Kind, record: Record) -> Record:
    call.records(kind.type).put(record[kind.id], record)
    return record


def get(call: Call, kind: Kind, identifier: str) -> Record:
    """The record of an id; AwsError in the kind's own words where there is none."""
    record = call.records(kind.type).get(identifier)
    if record is None:
        code, text = kind.missing
        raise AwsError(code, text.format(identifier), status=400)
    return record


def every(call: Call, kind: Kind, **members: Any) -> list[Record]:
    """The records of a kind with these values."""
    found = call.records(kind.type).list()
    return [item for item in found if all(item.get(name) == value for name, value in members.items())]


def forget(call: Call, kind: Kind, identifier: str) -> None:
    call.records(kind.type).delete(identifier)
    call.records(TAG).delete(identifier)


def tag(call: Call, identifier: str, tags: Iterable[Mapping[str, str]]) -> None:
    """Adds or replaces tags of a resource."""
    merged = (call.records(TAG).get(identifier) or {}) | {item["Key"]: item.get("Value", "") for item in tags}
    if len(merged) > 50:
        raise AwsError(
            "TagLimitExceeded", "You have reached the maximum number of tags for the resource.", status=400
        )
    call.records(TAG).put(identifier, merged)


def tag_new(call: Call, kind: Kind, identifier: str, request: Request) -> None:
    """The tags that a request's TagSpecifications give to what it makes."""
    for item in request.get("TagSpecifications") or []:
        if item.get("ResourceType") != kind.type:
            raise AwsError(
                "InvalidParameterValue",
                f"'{item.get('ResourceType')}' is not a valid taggable resource type for this operation.",
                status=400,
            )
        tag(call, identifier, item.get("Tags") or [])


def shown(call: Call, kind: Kind, record: Record) -> Record:
    """A record as the API shows it, with its tags."""
    tags = call.records(TAG).get(record[kind.id]) or {}
    return record | {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def values(record: Any, path: str) -> list[str]:
    """The values at a path, lists flattened, as filters compare them."""
    found = [record]
    for name in path.split("."):
        found = [item[name] for item in found if isinstance(item, dict) and name in item]
        found = [piece for item in found for piece in (item if isinstance(item, list) else [item])]
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in found]


def passes(record: Record, filters: Iterable[Request], paths: Mapping[str, str]) -> bool:
    """Whether a shown record passes all filters; AwsError for one that its kind does not have."""
    for item in filters:
        name, wanted = item["Name"], item.get("Values") or []
        tags = {each["Key"]: each["Value"] for each in record.get("Tags") or []}
        if name.startswith("tag:"):
            actual = [tags[name[4:]]] if name[4:] in tags else []
        elif name == "tag-key":
            actual = list(tags)
        elif name in paths:
            actual = values(record, paths[name])
        else:
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid", status=400)
        if not any(fnmatch.fnmatchcase(text, pattern) for text in actual for pattern in wanted):
            return False
    return True


def describe(
    call: Call, kind: Kind, member: str, ids: Iterable[str] | None, request: Request, found: Any = None
) -> Record:
    """The answer of a Describe operation: the named records, or all that pass the filters, a page of them."""
    filters = request.get("Filters") or request.get("Filter") or []
    for item in filters:
        if not item["Name"].startswith("tag") and item["Name"] not in kind.filters:
            raise AwsError("InvalidParameterValue", f"The filter '{item['Name']}' is invalid", status=400)
    if found is None:
        found = [get(call, kind, each) for each in ids] if ids else call.records(kind.type).list()
    matching = [
        item
        for item in (shown(call, kind, record) for record in found)
        if passes(item, filters, kind.filters)
    ]
    token, limit = request.get("NextToken"), request.get("MaxResults")
    items, following = page(matching, token, limit, error="InvalidNextToken", default=1000)
    return {member: items} | ({"NextToken": following} if following else {})


def in_use(identifier: str, text: str) -> AwsError:
    """What AWS says of a deletion that other resources stand in the way of."""
    return AwsError("DependencyViolation", text.format(identifier), status=400)


def delete_each(call: Call, kind: Kind, ids: Iterable[str]) -> list[Record]:
    """Forgets the records of these ids; what could not be found, as UnsuccessfulItems."""
    failed = []
    for identifier in ids:
        try:
            get(call, kind, identifier)
        except AwsError as error:
            said = {"Code": error.code, "Message": error.message}
            failed.append({"ResourceId": identifier, "Error": said})
        else:
            forget(call, kind, identifier)
    return failed
