"""VPC endpoints.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcEndpoint.html
"""

from __future__ import annotations

import json

from sandbox.engine.identifiers import derived_id
from sandbox.engine.operations import AwsError, Call
from sandbox.services.ec2 import kinds
from sandbox.services.ec2.kinds import (
    ROUTE_TABLE,
    SECURITY_GROUP,
    SUBNET,
    VPC,
    VPC_ENDPOINT,
    Record,
    Request,
    recorded,
)
from sandbox.services.ec2.vpcs import refuse

REFUSED = ("SubnetConfigurations", "ServiceNetworkArn", "ResourceConfigurationArn", "ServiceRegion")
FULL_ACCESS = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}
BY_ROUTE = ("s3", "dynamodb")
"""Services that gateway endpoints reach."""


def _policy(text: str | None) -> str:
    from sandbox.iam.documents import MalformedPolicy, parse

    if not text:
        return json.dumps(FULL_ACCESS)
    try:
        parse(text, "endpoint policy")
    except MalformedPolicy as error:
        raise AwsError("InvalidPolicyDocument", "Policy document is malformed.", status=400) from error
    return text


@recorded("CreateVpcEndpoint")
def create_vpc_endpoint(call: Call, request: Request) -> Record:
    refuse("CreateVpcEndpoint", request, REFUSED)
    vpc = kinds.get(call, VPC, request["VpcId"])
    kind, service = request.get("VpcEndpointType") or "Gateway", request.get("ServiceName") or ""
    if kind not in ("Gateway", "Interface"):
        refuse("CreateVpcEndpoint", {f"VpcEndpointType {kind}": True}, (f"VpcEndpointType {kind}",))
    if not service or (kind == "Gateway" and service.rsplit(".", 1)[-1] not in BY_ROUTE):
        raise AwsError(
            "InvalidServiceName", f"The Vpc Endpoint Service '{service}' does not exist", status=400
        )
    for table in request.get("RouteTableIds") or []:
        kinds.get(call, ROUTE_TABLE, table)
    for subnet in request.get("SubnetIds") or []:
        kinds.get(call, SUBNET, subnet)
    groups = list(request.get("SecurityGroupIds") or [])
    if kind == "Interface" and not groups:
        default = kinds.every(call, SECURITY_GROUP, VpcId=vpc["VpcId"], GroupName="default")
        groups = [item["GroupId"] for item in default]
    identifier = kinds.new_id(VPC_ENDPOINT)
    record = {
        "VpcEndpointId": identifier,
        "VpcEndpointType": kind,
        "VpcId": vpc["VpcId"],
        "ServiceName": service,
        "State": "available",
        "PolicyDocument": _policy(request.get("PolicyDocument")),
        "RouteTableIds": list(request.get("RouteTableIds") or []),
        "SubnetIds": list(request.get("SubnetIds") or []),
        "Groups": [_group(call, item) for item in groups],
        "PrivateDnsEnabled": kind == "Interface" and request.get("PrivateDnsEnabled", True),
        "RequesterManaged": False,
        "NetworkInterfaceIds": [],
        "DnsEntries": _dns_entries(call, identifier, service) if kind == "Interface" else [],
        "CreationTimestamp": call.engine.clock.now(),
        "OwnerId": call.account,
    }
    kinds.put(call, VPC_ENDPOINT, record)
    kinds.tag_new(call, VPC_ENDPOINT, identifier, request)
    return {"VpcEndpoint": kinds.shown(call, VPC_ENDPOINT, record)}


def _dns_entries(call: Call, identifier: str, service: str) -> list[Record]:
    """The names of AWS's form under which an interface endpoint would be reached, its own one first."""
    name = service.removeprefix(f"com.amazonaws.{call.region}.")
    reversed_name = ".".join(reversed(name.split(".")))
    suffix = derived_id(identifier, length=8)
    zone = derived_id(call.region, name, length=13).upper()
    return [
        {
            "DnsName": f"{identifier}-{suffix}.{reversed_name}.{call.region}.vpce.amazonaws.com",
            "HostedZoneId": f"Z{zone}",
        },
        {"DnsName": f"{reversed_name}.{call.region}.amazonaws.com", "HostedZoneId": f"Z0{zone}"},
    ]


def _group(call: Call, identifier: str) -> Record:
    found = kinds.get(call, SECURITY_GROUP, identifier)
    return {"GroupId": identifier, "GroupName": found["GroupName"]}


@recorded("DescribeVpcEndpoints")
def describe_vpc_endpoints(call: Call, request: Request) -> Record:
    return kinds.describe(call, VPC_ENDPOINT, "VpcEndpoints", request.get("VpcEndpointIds"), request)


@recorded("ModifyVpcEndpoint")
def modify_vpc_endpoint(call: Call, request: Request) -> Record:
    refuse("ModifyVpcEndpoint", request, ("SubnetConfigurations", "IpAddressType", "DnsOptions"))
    record = kinds.get(call, VPC_ENDPOINT, request["VpcEndpointId"])
    if request.get("ResetPolicy") or request.get("PolicyDocument"):
        record["PolicyDocument"] = _policy(request.get("PolicyDocument"))
    for member, kind in (("RouteTableIds", ROUTE_TABLE), ("SubnetIds", SUBNET)):
        for item in request.get(f"Add{member}") or []:
            kinds.get(call, kind, item)
            record[member].append(item)
        record[member] = [
            item
            for item in dict.fromkeys(record[member])
            if item not in (request.get(f"Remove{member}") or [])
        ]
    groups = [item["GroupId"] for item in record["Groups"]] + list(request.get("AddSecurityGroupIds") or [])
    gone = request.get("RemoveSecurityGroupIds") or []
    record["Groups"] = [_group(call, item) for item in dict.fromkeys(groups) if item not in gone]
    if request.get("PrivateDnsEnabled") is not None:
        record["PrivateDnsEnabled"] = request["PrivateDnsEnabled"]
    kinds.put(call, VPC_ENDPOINT, record)
    return {"Return": True}


@recorded("DeleteVpcEndpoints")
def delete_vpc_endpoints(call: Call, request: Request) -> Record:
    return {"Unsuccessful": kinds.delete_each(call, VPC_ENDPOINT, request["VpcEndpointIds"])}
