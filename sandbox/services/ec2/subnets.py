"""Subnets.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html
"""

from __future__ import annotations

import ipaddress

from sandbox.engine.operations import AwsError, Call
from sandbox.services.ec2 import kinds, routes
from sandbox.services.ec2.kinds import NAT_GATEWAY, SUBNET, VPC, VPC_ENDPOINT, Record, Request, recorded
from sandbox.services.ec2.vpcs import network, refuse
from sandbox.services.ec2.zones import zone, zones_of

RESERVED = 5
"""Addresses of each subnet that AWS keeps."""
REFUSED = ("Ipv6CidrBlock", "Ipv6Native", "OutpostArn", "Ipv4IpamPoolId", "Ipv6IpamPoolId")
_CHANGEABLE = ("MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation", "EnableDns64")


def make(call: Call, vpc_id: str, block: str, zone_name: str, *, default: bool = False) -> Record:
    """A subnet in a VPC; AwsError for a block outside of it or taken."""
    vpc = kinds.get(call, VPC, vpc_id)
    cidr = network(block, "InvalidSubnet.Range")
    if not cidr.subnet_of(ipaddress.IPv4Network(vpc["CidrBlock"])):
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{block}' is invalid.", status=400)
    for other in kinds.every(call, SUBNET, VpcId=vpc_id):
        if cidr.overlaps(ipaddress.IPv4Network(other["CidrBlock"])):
            raise AwsError(
                "InvalidSubnet.Conflict", f"The CIDR '{block}' conflicts with another subnet", status=400
            )
    place = zone(call.region, zone_name)
    identifier = kinds.new_id(SUBNET)
    record = {
        "SubnetId": identifier,
        "SubnetArn": call.arn(f"subnet/{identifier}"),
        "VpcId": vpc_id,
        "OwnerId": call.account,
        "State": "available",
        "CidrBlock": str(cidr),
        "AvailableIpAddressCount": cidr.num_addresses - RESERVED,
        "AvailabilityZone": place["ZoneName"],
        "AvailabilityZoneId": place["ZoneId"],
        "DefaultForAz": default,
        "MapPublicIpOnLaunch": default,
        "AssignIpv6AddressOnCreation": False,
        "EnableDns64": False,
        "Ipv6Native": False,
        "Ipv6CidrBlockAssociationSet": [],
        "PrivateDnsNameOptionsOnLaunch": {
            "HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": False,
            "EnableResourceNameDnsAAAARecord": False,
        },
    }
    return kinds.put(call, SUBNET, record)


@recorded("CreateSubnet")
def create_subnet(call: Call, request: Request) -> Record:
    refuse("CreateSubnet", request, REFUSED)
    if not request.get("CidrBlock"):
        raise AwsError("MissingParameter", "The request must contain the parameter cidrBlock", status=400)
    zones = zones_of(call.region)
    by_id = {item["ZoneId"]: item["ZoneName"] for item in zones}
    wanted = request.get("AvailabilityZone") or by_id.get(request.get("AvailabilityZoneId", ""))
    record = make(call, request["VpcId"], request["CidrBlock"], wanted or zones[0]["ZoneName"])
    kinds.tag_new(call, SUBNET, record["SubnetId"], request)
    return {"Subnet": kinds.shown(call, SUBNET, record)}


@recorded("DescribeSubnets")
def describe_subnets(call: Call, request: Request) -> Record:
    return kinds.describe(call, SUBNET, "Subnets", request.get("SubnetIds"), request)


@recorded("ModifySubnetAttribute")
def modify_subnet_attribute(call: Call, request: Request) -> None:
    record = kinds.get(call, SUBNET, request["SubnetId"])
    given = {name for name, value in request.items() if name != "SubnetId" and value is not None}
    refuse("ModifySubnetAttribute", request, tuple(sorted(given - set(_CHANGEABLE))))
    kinds.put(call, SUBNET, record | {name: request[name]["Value"] for name in given})


@recorded("DeleteSubnet")
def delete_subnet(call: Call, request: Request) -> None:
    identifier = request["SubnetId"]
    kinds.get(call, SUBNET, identifier)
    endpoints = [
        item for item in kinds.every(call, VPC_ENDPOINT) if identifier in (item.get("SubnetIds") or [])
    ]
    if endpoints or kinds.every(call, NAT_GATEWAY, SubnetId=identifier, State="available"):
        raise kinds.in_use(identifier, "The subnet '{}' has dependencies and cannot be deleted.")
    routes.dissociate_subnet(call, identifier)
    kinds.forget(call, SUBNET, identifier)
