"""AWS::EC2::RouteTable, AWS::EC2::Route, AWS::EC2::SubnetRouteTableAssociation."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources import convert
from sandbox.services.cloudformation.resources.ec2.network import Network
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, resource_type

_DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")


@resource_type("AWS::EC2::RouteTable")
class RouteTable(Network):
    noun, kind, id, answer = "RouteTable", "route-table", "RouteTableId", "RouteTable"


@resource_type("AWS::EC2::Route")
class Route(Handler):
    record_only = True

    def create(self, request: Request) -> Made:
        ec2 = request.client("ec2")
        ec2.create_route(**convert.parameters(ec2, "CreateRoute", request.properties))
        return self._made(request)

    def update(self, request: Request) -> Made:
        ec2 = request.client("ec2")
        ec2.replace_route(**convert.parameters(ec2, "ReplaceRoute", request.properties))
        return self._made(request)

    def delete(self, request: Request) -> None:
        where = {"RouteTableId": request.properties["RouteTableId"], **self._destination(request)}
        with unless_missing():
            request.client("ec2").delete_route(**where)

    def _made(self, request: Request) -> Made:
        block = next(iter(self._destination(request).values()), "")
        return Made(f"{request.properties['RouteTableId']}|{block}", {"CidrBlock": block})

    def _destination(self, request: Request) -> dict[str, Any]:
        return {name: request.properties[name] for name in _DESTINATIONS if name in request.properties}


@resource_type("AWS::EC2::SubnetRouteTableAssociation")
class SubnetRouteTableAssociation(Handler):
    record_only = True

    def create(self, request: Request) -> Made:
        """A subnet has one table: an association that is there, as after a cut-off attempt, is replaced."""
        ec2, properties = request.client("ec2"), request.properties
        where = [{"Name": "association.subnet-id", "Values": [properties["SubnetId"]]}]
        for table in ec2.describe_route_tables(Filters=where)["RouteTables"]:
            for item in table["Associations"]:
                if item.get("SubnetId") == properties["SubnetId"]:
                    made = ec2.replace_route_table_association(
                        AssociationId=item["RouteTableAssociationId"], RouteTableId=properties["RouteTableId"]
                    )
                    return self._made(made["NewAssociationId"])
        made = ec2.associate_route_table(
            RouteTableId=properties["RouteTableId"], SubnetId=properties["SubnetId"]
        )
        return self._made(made["AssociationId"])

    def update(self, request: Request) -> Made:
        made = request.client("ec2").replace_route_table_association(
            AssociationId=request.physical_id, RouteTableId=request.properties["RouteTableId"]
        )
        return self._made(made["NewAssociationId"])

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("ec2").disassociate_route_table(AssociationId=request.physical_id)

    def _made(self, identifier: str) -> Made:
        return Made(identifier, {"Id": identifier})
