"""AWS::EC2::InternetGateway, AWS::EC2::VPCGatewayAttachment, AWS::EC2::NatGateway, AWS::EC2::EIP."""

from __future__ import annotations

from sandbox.services.cloudformation.resources.ec2.network import Network, set_tags, specification
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, resource_type


@resource_type("AWS::EC2::InternetGateway")
class InternetGateway(Network):
    noun, kind, id, answer = (
        "InternetGateway",
        "internet-gateway",
        "InternetGatewayId",
        "InternetGateway",
    )


@resource_type("AWS::EC2::VPCGatewayAttachment")
class VpcGatewayAttachment(Handler):
    record_only = True
    refused = frozenset({"VpnGatewayId"})
    updatable = frozenset()

    def create(self, request: Request) -> Made:
        vpc, gateway = request.properties["VpcId"], request.properties["InternetGatewayId"]
        ec2 = request.client("ec2")
        attached = ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"][0]
        if not (request.resumed and any(item["VpcId"] == vpc for item in attached["Attachments"])):
            ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
        return Made(f"IGW|{vpc}", {"AttachmentType": "IGW"})

    def delete(self, request: Request) -> None:
        with unless_missing():
            vpc, gateway = request.properties["VpcId"], request.properties["InternetGatewayId"]
            ec2 = request.client("ec2")
            attached = ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"][0]
            if any(item["VpcId"] == vpc for item in attached["Attachments"]):
                ec2.detach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)


@resource_type("AWS::EC2::NatGateway")
class NatGateway(Network):
    noun, kind, id, answer = "NatGateway", "natgateway", "NatGatewayId", "NatGateway"
    refused = frozenset(
        {
            "AvailabilityMode",
            "AvailabilityZoneAddresses",
            "MaxDrainDurationSeconds",
            "SecondaryAllocationIds",
            "SecondaryPrivateIpAddressCount",
            "SecondaryPrivateIpAddresses",
            "VpcId",
        }
    )


@resource_type("AWS::EC2::EIP")
class ElasticIp(Handler):
    record_only = True
    refused = frozenset(
        {"Address", "InstanceId", "IpamPoolId", "NetworkBorderGroup", "PublicIpv4Pool", "TransferAddress"}
    )

    def create(self, request: Request) -> Made:
        made = request.client("ec2").allocate_address(
            Domain=request.properties.get("Domain", "vpc"),
            TagSpecifications=specification(request, "elastic-ip"),
        )
        names = ("AllocationId", "PublicIp")
        return Made(made["PublicIp"], {name: made[name] for name in names})

    def update(self, request: Request) -> Made:
        set_tags(request, request.attributes["AllocationId"])
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("ec2").release_address(AllocationId=request.attributes["AllocationId"])
