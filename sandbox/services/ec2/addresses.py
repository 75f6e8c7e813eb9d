"""Elastic IP addresses, from the blocks that are kept for documentation.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError, Call
from sandbox.services.ec2 import kinds
from sandbox.services.ec2.kinds import ELASTIC_IP, Record, Request, recorded
from sandbox.services.ec2.vpcs import refuse

BLOCKS = ("203.0.113", "198.51.100", "192.0.2")
REFUSED = ("Address", "PublicIpv4Pool", "CustomerOwnedIpv4Pool", "IpamPoolId")


@recorded("AllocateAddress")
def allocate_address(call: Call, request: Request) -> Record:
    refuse("AllocateAddress", request, REFUSED)
    taken = {item["PublicIp"] for item in kinds.every(call, ELASTIC_IP)}
    free = (f"{block}.{last}" for block in BLOCKS for last in range(1, 255))
    address = next((item for item in free if item not in taken), None)
    if address is None:
        raise AwsError(
            "AddressLimitExceeded", "The maximum number of addresses has been reached.", status=400
        )
    record = {
        "AllocationId": kinds.new_id(ELASTIC_IP),
        "Domain": "vpc",
        "PublicIp": address,
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": call.region,
    }
    kinds.put(call, ELASTIC_IP, record)
    kinds.tag_new(call, ELASTIC_IP, record["AllocationId"], request)
    return record


@recorded("DescribeAddresses")
def describe_addresses(call: Call, request: Request) -> Record:
    found = None
    if request.get("PublicIps"):
        found = [_by_address(call, item) for item in request["PublicIps"]]
    answer = kinds.describe(call, ELASTIC_IP, "Addresses", request.get("AllocationIds"), request, found)
    return {"Addresses": answer["Addresses"]}


def _by_address(call: Call, address: str) -> Record:
    for item in kinds.every(call, ELASTIC_IP, PublicIp=address):
        return item
    raise AwsError("InvalidAddress.NotFound", f"Address '{address}' not found.", status=400)


@recorded("ReleaseAddress")
def release_address(call: Call, request: Request) -> None:
    if request.get("AllocationId"):
        record = kinds.get(call, ELASTIC_IP, request["AllocationId"])
    else:
        record = _by_address(call, request.get("PublicIp") or "")
    if record.get("AssociationId"):
        raise AwsError("InvalidIPAddress.InUse", f"Address {record['PublicIp']} is in use.", status=400)
    kinds.forget(call, ELASTIC_IP, record["AllocationId"])
