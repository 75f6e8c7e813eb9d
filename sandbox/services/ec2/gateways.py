"""Internet gateways and NAT gateways.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError, Call
from sandbox.services.ec2 import kinds
from sandbox.services.ec2.kinds import (
    ELASTIC_IP,
    INTERNET_GATEWAY,
    NAT_GATEWAY,
    SUBNET,
    VPC,
    Record,
    Request,
    recorded,
)
from sandbox.services.ec2.vpcs import refuse

REFUSED = (
    "AvailabilityMode",
    "VpcId",
    "AvailabilityZoneAddresses",
    "SecondaryAllocationIds",
    "SecondaryPrivateIpAddresses",
    "SecondaryPrivateIpAddressCount",
)


def make(call: Call, vpc: str | None = None) -> Record:
    """An internet gateway, attached to a VPC if one is given."""
    record = {
        "InternetGatewayId": kinds.new_id(INTERNET_GATEWAY),
        "OwnerId": call.account,
        "Attachments": [{"State": "available", "VpcId": vpc}] if vpc else [],
    }
    return kinds.put(call, INTERNET_GATEWAY, record)


@recorded("CreateInternetGateway")
def create_internet_gateway(call: Call, request: Request) -> Record:
    record = make(call)
    kinds.tag_new(call, INTERNET_GATEWAY, record["InternetGatewayId"], request)
    return {"InternetGateway": kinds.shown(call, INTERNET_GATEWAY, record)}


@recorded("DescribeInternetGateways")
def describe_internet_gateways(call: Call, request: Request) -> Record:
    ids = request.get("InternetGatewayIds")
    return kinds.describe(call, INTERNET_GATEWAY, "InternetGateways", ids, request)


@recorded("AttachInternetGateway")
def attach_internet_gateway(call: Call, request: Request) -> None:
    gateway = kinds.get(call, INTERNET_GATEWAY, request["InternetGatewayId"])
    vpc = kinds.get(call, VPC, request["VpcId"])["VpcId"]
    if gateway["Attachments"]:
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"resource {gateway['InternetGatewayId']} is already attached to network "
            f"{gateway['Attachments'][0]['VpcId']}",
            status=400,
        )
    for other in kinds.every(call, INTERNET_GATEWAY):
        if any(item["VpcId"] == vpc for item in other["Attachments"]):
            raise AwsError(
                "InvalidParameterValue",
                f"Network {vpc} already has an internet gateway attached",
                status=400,
            )
    attached = [{"State": "available", "VpcId": vpc}]
    kinds.put(call, INTERNET_GATEWAY, gateway | {"Attachments": attached})


@recorded("DetachInternetGateway")
def detach_internet_gateway(call: Call, request: Request) -> None:
    gateway = kinds.get(call, INTERNET_GATEWAY, request["InternetGatewayId"])
    if not any(item["VpcId"] == request["VpcId"] for item in gateway["Attachments"]):
        raise AwsError(
            "Gateway.NotAttached",
            f"resource {gateway['InternetGatewayId']} is not attached to network {request['VpcId']}",
            status=400,
        )
    kinds.put(call, INTERNET_GATEWAY, gateway | {"Attachments": []})


@recorded("DeleteInternetGateway")
def delete_internet_gateway(call: Call, request: Request) -> None:
    identifier = request["InternetGatewayId"]
    if kinds.get(call, INTERNET_GATEWAY, identifier)["Attachments"]:
        raise kinds.in_use(identifier, "The internetGateway '{}' has dependencies and cannot be deleted.")
    kinds.forget(call, INTERNET_GATEWAY, identifier)


@recorded("CreateNatGateway")
def create_nat_gateway(call: Call, request: Request) -> Record:
    refuse("CreateNatGateway", request, REFUSED)
    if not request.get("SubnetId"):
        raise AwsError("MissingParameter", "The request must contain the parameter subnetId", status=400)
    subnet = kinds.get(call, SUBNET, request["SubnetId"])
    kind = request.get("ConnectivityType") or "public"
    identifier = kinds.new_id(NAT_GATEWAY)
    address: Record = {"PrivateIp": subnet["CidrBlock"].rsplit(".", 1)[0] + ".5", "IsPrimary": True}
    if kind == "public":
        address |= _associated(call, request.get("AllocationId"))
    record = {
        "NatGatewayId": identifier,
        "SubnetId": subnet["SubnetId"],
        "VpcId": subnet["VpcId"],
        "State": "available",
        "ConnectivityType": kind,
        "CreateTime": call.engine.clock.now(),
        "NatGatewayAddresses": [address | {"Status": "succeeded"}],
    }
    kinds.put(call, NAT_GATEWAY, record)
    kinds.tag_new(call, NAT_GATEWAY, identifier, request)
    return {"NatGateway": kinds.shown(call, NAT_GATEWAY, record)}


def _associated(call: Call, allocation: str | None) -> Record:
    """The address of a public gateway, taken by it."""
    if not allocation:
        raise AwsError("MissingParameter", "The request must contain the parameter allocationId", status=400)
    address = kinds.get(call, ELASTIC_IP, allocation)
    if address.get("AssociationId"):
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"Elastic IP address [{allocation}] is already associated",
            status=400,
        )
    association = "eipassoc-" + allocation.removeprefix("eipalloc-")
    kinds.put(call, ELASTIC_IP, address | {"AssociationId": association})
    return {"AllocationId": allocation, "AssociationId": association, "PublicIp": address["PublicIp"]}


@recorded("DescribeNatGateways")
def describe_nat_gateways(call: Call, request: Request) -> Record:
    return kinds.describe(call, NAT_GATEWAY, "NatGateways", request.get("NatGatewayIds"), request)


@recorded("DeleteNatGateway")
def delete_nat_gateway(call: Call, request: Request) -> Record:
    """AWS shows a deleted gateway for another hour; here too it stays, as `deleted`."""
    record = kinds.get(call, NAT_GATEWAY, request["NatGatewayId"])
    for item in record["NatGatewayAddresses"]:
        address = call.records(ELASTIC_IP.type).get(item.get("AllocationId", ""))
        if address:
            address.pop("AssociationId", None)
            kinds.put(call, ELASTIC_IP, address)
    ended = {"State": "deleted", "DeleteTime": call.engine.clock.now()}
    kinds.put(call, NAT_GATEWAY, record | ended)
    return {"NatGatewayId": record["NatGatewayId"]}
