"""Route tables, their routes and associations.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html
"""

from __future__ import annotations

import ipaddress
import secrets

from sandbox.engine.operations import AwsError, Call
from sandbox.services.ec2 import kinds
from sandbox.services.ec2.kinds import (
    INTERNET_GATEWAY,
    NAT_GATEWAY,
    ROUTE_TABLE,
    SUBNET,
    VPC,
    VPC_ENDPOINT,
    Kind,
    Record,
    Request,
    recorded,
)

DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
TARGETS: dict[str, Kind] = {"NatGatewayId": NAT_GATEWAY, "VpcEndpointId": VPC_ENDPOINT}
REFUSED_TARGETS = (
    "TransitGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
    "EgressOnlyInternetGatewayId",
    "InstanceId",
    "NetworkInterfaceId",
    "VpcPeeringConnectionId",
)


def make(call: Call, vpc: Record, *, main: bool = False) -> Record:
    """A route table with the VPC's local route; `main`: the one of subnets that have no other."""
    identifier = kinds.new_id(ROUTE_TABLE)
    local = {
        "DestinationCidrBlock": vpc["CidrBlock"],
        "GatewayId": "local",
        "Origin": "CreateRouteTable",
        "State": "active",
    }
    record = {
        "RouteTableId": identifier,
        "VpcId": vpc["VpcId"],
        "OwnerId": call.account,
        "PropagatingVgws": [],
        "Routes": [local],
        "Associations": [_association(identifier, Main=True)] if main else [],
    }
    return kinds.put(call, ROUTE_TABLE, record)


def main_table(call: Call, vpc: str) -> Record:
    tables = kinds.every(call, ROUTE_TABLE, VpcId=vpc)
    return next(table for table in tables if any(item["Main"] for item in table["Associations"]))


def _association(table: str, **members: object) -> Record:
    return {
        "Main": False,
        "RouteTableAssociationId": "rtbassoc-" + secrets.token_hex(9)[:17],
        "RouteTableId": table,
        "AssociationState": {"State": "associated"},
        **members,
    }


@recorded("CreateRouteTable")
def create_route_table(call: Call, request: Request) -> Record:
    record = make(call, kinds.get(call, VPC, request["VpcId"]))
    kinds.tag_new(call, ROUTE_TABLE, record["RouteTableId"], request)
    return {"RouteTable": kinds.shown(call, ROUTE_TABLE, record)}


@recorded("DescribeRouteTables")
def describe_route_tables(call: Call, request: Request) -> Record:
    return kinds.describe(call, ROUTE_TABLE, "RouteTables", request.get("RouteTableIds"), request)


@recorded("DeleteRouteTable")
def delete_route_table(call: Call, request: Request) -> None:
    identifier = request["RouteTableId"]
    if kinds.get(call, ROUTE_TABLE, identifier)["Associations"]:
        raise kinds.in_use(identifier, "The routeTable '{}' has dependencies and cannot be deleted.")
    kinds.forget(call, ROUTE_TABLE, identifier)


@recorded("AssociateRouteTable")
def associate_route_table(call: Call, request: Request) -> Record:
    table = kinds.get(call, ROUTE_TABLE, request["RouteTableId"])
    if request.get("GatewayId"):
        kinds.get(call, INTERNET_GATEWAY, request["GatewayId"])
        made = _association(table["RouteTableId"], GatewayId=request["GatewayId"])
    else:
        if not request.get("SubnetId"):
            raise AwsError(
                "MissingParameter", "The request must contain the parameter subnetId or gatewayId", status=400
            )
        subnet = kinds.get(call, SUBNET, request["SubnetId"])
        if subnet["VpcId"] != table["VpcId"]:
            raise AwsError(
                "InvalidParameterValue",
                f"Route table {table['RouteTableId']} and subnet {subnet['SubnetId']} belong to different "
                "networks",
                status=400,
            )
        _check_free(call, table["VpcId"], subnet["SubnetId"])
        made = _association(table["RouteTableId"], SubnetId=subnet["SubnetId"])
    table["Associations"].append(made)
    kinds.put(call, ROUTE_TABLE, table)
    return {
        "AssociationId": made["RouteTableAssociationId"],
        "AssociationState": made["AssociationState"],
    }


def _check_free(call: Call, vpc: str, subnet: str) -> None:
    for table in kinds.every(call, ROUTE_TABLE, VpcId=vpc):
        for item in table["Associations"]:
            if item.get("SubnetId") == subnet:
                raise AwsError(
                    "Resource.AlreadyAssociated",
                    f"the specified association for route table {table['RouteTableId']} conflicts with an "
                    "existing association",
                    status=400,
                )


def _with_association(call: Call, identifier: str) -> tuple[Record, Record]:
    for table in kinds.every(call, ROUTE_TABLE):
        for item in table["Associations"]:
            if item["RouteTableAssociationId"] == identifier:
                return table, item
    raise AwsError(
        "InvalidAssociationID.NotFound", f"The association ID '{identifier}' does not exist", status=400
    )


@recorded("DisassociateRouteTable")
def disassociate_route_table(call: Call, request: Request) -> None:
    table, item = _with_association(call, request["AssociationId"])
    if item["Main"]:
        raise AwsError(
            "InvalidParameterValue",
            f"cannot disassociate the main route table association {request['AssociationId']}",
            status=400,
        )
    table["Associations"].remove(item)
    kinds.put(call, ROUTE_TABLE, table)


@recorded("ReplaceRouteTableAssociation")
def replace_route_table_association(call: Call, request: Request) -> Record:
    table, item = _with_association(call, request["AssociationId"])
    other = kinds.get(call, ROUTE_TABLE, request["RouteTableId"])
    table["Associations"].remove(item)
    kinds.put(call, ROUTE_TABLE, table)
    kept = {key: value for key, value in item.items() if key in ("Main", "SubnetId", "GatewayId")}
    made = _association(other["RouteTableId"], **kept)
    other = kinds.get(call, ROUTE_TABLE, request["RouteTableId"])
    other["Associations"].append(made)
    kinds.put(call, ROUTE_TABLE, other)
    return {
        "NewAssociationId": made["RouteTableAssociationId"],
        "AssociationState": made["AssociationState"],
    }


def dissociate_subnet(call: Call, subnet: str) -> None:
    """With a subnet goes its association."""
    for table in kinds.every(call, ROUTE_TABLE):
        kept = [item for item in table["Associations"] if item.get("SubnetId") != subnet]
        if kept != table["Associations"]:
            kinds.put(call, ROUTE_TABLE, table | {"Associations": kept})


def _destination(request: Request) -> tuple[str, str]:
    for member in DESTINATIONS:
        if request.get(member):
            value = str(request[member])
            if member == "DestinationCidrBlock":
                try:
                    value = str(ipaddress.IPv4Network(value, strict=False))
                except ValueError:
                    raise AwsError(
                        "InvalidParameterValue",
                        f"Value ({value}) for parameter destinationCidrBlock is invalid. This is not a valid "
                        "CIDR block.",
                        status=400,
                    ) from None
            return member, value
    raise AwsError(
        "MissingParameter", "The request must contain the parameter destinationCidrBlock", status=400
    )


def _target(call: Call, request: Request) -> Record:
    for member in REFUSED_TARGETS:
        if request.get(member):
            raise AwsError(
                "UnsupportedOperation",
                f"Routes to a {member} are not implemented by the sandbox.",
                status=400,
            )
    gateway = request.get("GatewayId")
    if gateway:
        kinds.get(call, INTERNET_GATEWAY if gateway.startswith("igw-") else VPC_ENDPOINT, gateway)
        return {"GatewayId": gateway}
    for member, kind in TARGETS.items():
        if request.get(member):
            kinds.get(call, kind, request[member])
            return {"GatewayId" if kind is VPC_ENDPOINT else member: request[member]}
    raise AwsError(
        "MissingParameter", "The request must contain a target of the route, such as gatewayId", status=400
    )


@recorded("CreateRoute")
def create_route(call: Call, request: Request) -> Record:
    table = kinds.get(call, ROUTE_TABLE, request["RouteTableId"])
    member, value = _destination(request)
    target = _target(call, request)
    for route in table["Routes"]:
        if route.get(member) == value:
            raise AwsError(
                "RouteAlreadyExists", f"The route identified by {value} already exists.", status=400
            )
    table["Routes"].append({member: value, "Origin": "CreateRoute", "State": "active", **target})
    kinds.put(call, ROUTE_TABLE, table)
    return {"Return": True}


def _route(table: Record, member: str, value: str) -> Record:
    for route in table["Routes"]:
        if route.get(member) == value:
            return dict(route)
    raise AwsError(
        "InvalidRoute.NotFound",
        f"no route with destination-cidr-block {value} in route table {table['RouteTableId']}",
        status=400,
    )


@recorded("ReplaceRoute")
def replace_route(call: Call, request: Request) -> None:
    table = kinds.get(call, ROUTE_TABLE, request["RouteTableId"])
    member, value = _destination(request)
    known = _route(table, member, value)
    made = {member: value, "Origin": known["Origin"], "State": "active", **_target(call, request)}
    table["Routes"] = [made if route == known else route for route in table["Routes"]]
    kinds.put(call, ROUTE_TABLE, table)


@recorded("DeleteRoute")
def delete_route(call: Call, request: Request) -> None:
    table = kinds.get(call, ROUTE_TABLE, request["RouteTableId"])
    known = _route(table, *_destination(request))
    if known.get("GatewayId") == "local":
        raise AwsError(
            "InvalidParameterValue",
            f"cannot remove local route {known['DestinationCidrBlock']} in route table "
            f"{table['RouteTableId']}",
            status=400,
        )
    table["Routes"].remove(known)
    kinds.put(call, ROUTE_TABLE, table)
