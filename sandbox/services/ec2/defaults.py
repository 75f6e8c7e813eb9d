"""What each region of an account has from the beginning: a VPC with a subnet for each zone.

https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
"""

from __future__ import annotations

from sandbox.engine.operations import Call
from sandbox.services.ec2 import kinds
from sandbox.services.ec2.zones import zones_of

CIDR = "172.31.0.0/16"


def ensure(call: Call) -> None:
    """Makes the default VPC where nobody has asked EC2 for anything before. In a transaction."""
    marks = call.records("default")
    if marks.get(call.region):
        return
    marks.put(call.region, {"made": call.engine.clock.now()})
    from sandbox.services.ec2 import gateways, routes, subnets, vpcs

    vpc = vpcs.make(call, CIDR, default=True)
    gateway = gateways.make(call, vpc["VpcId"])
    table = routes.main_table(call, vpc["VpcId"])
    table["Routes"].append(
        {
            "DestinationCidrBlock": "0.0.0.0/0",
            "GatewayId": gateway["InternetGatewayId"],
            "Origin": "CreateRoute",
            "State": "active",
        }
    )
    kinds.put(call, kinds.ROUTE_TABLE, table)
    for index, zone in enumerate(zones_of(call.region)):
        block = f"172.31.{16 * index}.0/20"
        subnets.make(call, vpc["VpcId"], block, zone["ZoneName"], default=True)
