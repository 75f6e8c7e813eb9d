"""Sets of DHCP options.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateDhcpOptions.html
"""

from __future__ import annotations

from sandbox.engine.operations import Call
from sandbox.services.ec2 import kinds
from sandbox.services.ec2.kinds import DHCP_OPTIONS, VPC, Record, Request, recorded


@recorded("CreateDhcpOptions")
def create_dhcp_options(call: Call, request: Request) -> Record:
    record: Record = {
        "DhcpOptionsId": kinds.new_id(DHCP_OPTIONS),
        "OwnerId": call.account,
        "DhcpConfigurations": [
            {"Key": item["Key"], "Values": [{"Value": value} for value in item.get("Values") or []]}
            for item in request["DhcpConfigurations"]
        ],
    }
    kinds.put(call, DHCP_OPTIONS, record)
    kinds.tag_new(call, DHCP_OPTIONS, record["DhcpOptionsId"], request)
    return {"DhcpOptions": kinds.shown(call, DHCP_OPTIONS, record)}


@recorded("DescribeDhcpOptions")
def describe_dhcp_options(call: Call, request: Request) -> Record:
    return kinds.describe(call, DHCP_OPTIONS, "DhcpOptions", request.get("DhcpOptionsIds"), request)


@recorded("AssociateDhcpOptions")
def associate_dhcp_options(call: Call, request: Request) -> None:
    vpc = kinds.get(call, VPC, request["VpcId"])
    identifier = request["DhcpOptionsId"]
    if identifier != "default":
        kinds.get(call, DHCP_OPTIONS, identifier)
    kinds.put(call, VPC, vpc | {"DhcpOptionsId": identifier})


@recorded("DeleteDhcpOptions")
def delete_dhcp_options(call: Call, request: Request) -> None:
    identifier = request["DhcpOptionsId"]
    kinds.get(call, DHCP_OPTIONS, identifier)
    if kinds.every(call, VPC, DhcpOptionsId=identifier):
        raise kinds.in_use(identifier, "The dhcpOptions '{}' has dependencies and cannot be deleted.")
    kinds.forget(call, DHCP_OPTIONS, identifier)
