"""VPCs and their attributes.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html
"""

from __future__ import annotations

import ipaddress

from sandbox.engine.operations import AwsError, Call
from sandbox.services.ec2 import kinds, routes, security_groups
from sandbox.services.ec2.kinds import (
    DHCP_OPTIONS,
    INTERNET_GATEWAY,
    NETWORK_ACL,
    ROUTE_TABLE,
    SECURITY_GROUP,
    SUBNET,
    VPC,
    VPC_ENDPOINT,
    Record,
    Request,
    recorded,
)

ATTRIBUTES = ("EnableDnsHostnames", "EnableDnsSupport", "EnableNetworkAddressUsageMetrics")
REFUSED = (
    "AmazonProvidedIpv6CidrBlock",
    "Ipv6CidrBlock",
    "Ipv6Pool",
    "Ipv4IpamPoolId",
    "Ipv6IpamPoolId",
    "VpcEncryptionControl",
)


def refuse(operation: str, request: Request, members: tuple[str, ...]) -> None:
    """AwsError naming the first member that the sandbox does not implement."""
    for member in members:
        if request.get(member):
            raise AwsError(
                "UnsupportedOperation",
                f"{member} of {operation} is not implemented by the sandbox.",
                status=400,
            )


def network(block: str, code: str) -> ipaddress.IPv4Network:
    """A block of /16 to /28, its host bits cleared as AWS does."""
    try:
        found = ipaddress.IPv4Network(block, strict=False)
    except ValueError:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({block}) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
            status=400,
        ) from None
    if not 16 <= found.prefixlen <= 28:
        raise AwsError(code, f"The CIDR '{block}' is invalid.", status=400)
    return found


def make(call: Call, block: str, *, tenancy: str = "default", default: bool = False) -> Record:
    """A VPC with what comes with each: a main route table, a default security group and network ACL."""
    cidr = str(network(block, "InvalidVpc.Range"))
    identifier = kinds.new_id(VPC)
    state = {"State": "associated"}
    record = {
        "VpcId": identifier,
        "OwnerId": call.account,
        "State": "available",
        "CidrBlock": cidr,
        "DhcpOptionsId": _default_options(call),
        "InstanceTenancy": tenancy,
        "IsDefault": default,
        "CidrBlockAssociationSet": [
            {
                "AssociationId": "vpc-cidr-assoc-" + identifier.removeprefix("vpc-"),
                "CidrBlock": cidr,
                "CidrBlockState": state,
            }
        ],
    }
    attributes = {"EnableDnsHostnames": default, "EnableDnsSupport": True}
    call.records("vpc-attribute").put(identifier, attributes)
    kinds.put(call, VPC, record)
    routes.make(call, record, main=True)
    security_groups.make(call, identifier, "default", "default VPC security group")
    _default_acl(call, identifier)
    return record


def _default_options(call: Call) -> str:
    known = kinds.every(call, DHCP_OPTIONS)
    if known:
        return str(known[0]["DhcpOptionsId"])
    domain = "ec2.internal" if call.region == "us-east-1" else f"{call.region}.compute.internal"
    configurations = [("domain-name", domain), ("domain-name-servers", "AmazonProvidedDNS")]
    made = {
        "DhcpOptionsId": kinds.new_id(DHCP_OPTIONS),
        "OwnerId": call.account,
        "DhcpConfigurations": [{"Key": key, "Values": [{"Value": value}]} for key, value in configurations],
    }
    return str(kinds.put(call, DHCP_OPTIONS, made)["DhcpOptionsId"])


def _default_acl(call: Call, vpc: str) -> None:
    entries = [
        {
            "CidrBlock": "0.0.0.0/0",
            "Egress": egress,
            "Protocol": "-1",
            "RuleAction": action,
            "RuleNumber": number,
        }
        for egress in (True, False)
        for number, action in ((100, "allow"), (32767, "deny"))
    ]
    record = {
        "NetworkAclId": kinds.new_id(NETWORK_ACL),
        "VpcId": vpc,
        "IsDefault": True,
        "OwnerId": call.account,
        "Associations": [],
        "Entries": entries,
    }
    kinds.put(call, NETWORK_ACL, record)


@recorded("CreateVpc")
def create_vpc(call: Call, request: Request) -> Record:
    refuse("CreateVpc", request, REFUSED)
    if not request.get("CidrBlock"):
        raise AwsError("MissingParameter", "The request must contain the parameter cidrBlock", status=400)
    record = make(call, request["CidrBlock"], tenancy=request.get("InstanceTenancy") or "default")
    kinds.tag_new(call, VPC, record["VpcId"], request)
    return {"Vpc": kinds.shown(call, VPC, record)}


@recorded("DescribeVpcs")
def describe_vpcs(call: Call, request: Request) -> Record:
    return kinds.describe(call, VPC, "Vpcs", request.get("VpcIds"), request)


@recorded("DescribeNetworkAcls")
def describe_network_acls(call: Call, request: Request) -> Record:
    return kinds.describe(call, NETWORK_ACL, "NetworkAcls", request.get("NetworkAclIds"), request)


@recorded("DeleteVpc")
def delete_vpc(call: Call, request: Request) -> None:
    identifier = request["VpcId"]
    kinds.get(call, VPC, identifier)
    own = kinds.every(call, SECURITY_GROUP, VpcId=identifier)
    tables = kinds.every(call, ROUTE_TABLE, VpcId=identifier)
    gateways = [
        item
        for item in kinds.every(call, INTERNET_GATEWAY)
        if any(each["VpcId"] == identifier for each in item["Attachments"])
    ]
    others = [group for group in own if group["GroupName"] != "default"]
    if (
        others
        or gateways
        or len(tables) > 1
        or kinds.every(call, SUBNET, VpcId=identifier)
        or kinds.every(call, VPC_ENDPOINT, VpcId=identifier)
    ):
        raise kinds.in_use(identifier, "The vpc '{}' has dependencies and cannot be deleted.")
    for group in own:
        security_groups.remove(call, group["GroupId"])
    for table in tables:
        kinds.forget(call, ROUTE_TABLE, table["RouteTableId"])
    for acl in kinds.every(call, NETWORK_ACL, VpcId=identifier):
        kinds.forget(call, NETWORK_ACL, acl["NetworkAclId"])
    call.records("vpc-attribute").delete(identifier)
    kinds.forget(call, VPC, identifier)


@recorded("DescribeVpcAttribute")
def describe_vpc_attribute(call: Call, request: Request) -> Record:
    kinds.get(call, VPC, request["VpcId"])
    name = request["Attribute"][:1].upper() + request["Attribute"][1:]
    if name not in ATTRIBUTES:
        raise AwsError(
            "InvalidParameterValue",
            f"Value ({request['Attribute']}) for parameter attribute is invalid.",
            status=400,
        )
    kept = call.records("vpc-attribute").get(request["VpcId"]) or {}
    return {"VpcId": request["VpcId"], name: {"Value": kept.get(name, False)}}


@recorded("ModifyVpcAttribute")
def modify_vpc_attribute(call: Call, request: Request) -> None:
    kinds.get(call, VPC, request["VpcId"])
    kept = call.records("vpc-attribute").get(request["VpcId"]) or {}
    kept |= {name: request[name]["Value"] for name in ATTRIBUTES if request.get(name)}
    call.records("vpc-attribute").put(request["VpcId"], kept)
