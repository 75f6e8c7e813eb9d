"""AWS::EC2::VPC, AWS::EC2::Subnet, AWS::EC2::DHCPOptions, AWS::EC2::VPCDHCPOptionsAssociation."""

from __future__ import annotations

from typing import Any

from sandbox.services.cloudformation.resources.ec2.network import Network, set_tags, specification
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import Handler, Made, Request, resource_type

_ATTRIBUTES = ("EnableDnsHostnames", "EnableDnsSupport")


@resource_type("AWS::EC2::VPC")
class Vpc(Network):
    noun, kind, id, answer = "Vpc", "vpc", "VpcId", "Vpc"
    refused = frozenset({"Ipv4IpamPoolId", "Ipv4NetmaskLength", "VpcEncryptionControl"})
    updatable = frozenset(_ATTRIBUTES)
    apart = frozenset(_ATTRIBUTES)

    def settle(self, request: Request, identifier: str) -> None:
        for name in _ATTRIBUTES:
            if request.changed(name):
                wanted = {"Value": bool(request.properties.get(name, name == "EnableDnsSupport"))}
                request.client("ec2").modify_vpc_attribute(VpcId=identifier, **{name: wanted})

    def attributes(self, request: Request, identifier: str) -> dict[str, Any]:
        ec2 = request.client("ec2")
        where = [{"Name": "vpc-id", "Values": [identifier]}]
        vpc = ec2.describe_vpcs(VpcIds=[identifier])["Vpcs"][0]
        named = [*where, {"Name": "group-name", "Values": ["default"]}]
        group = ec2.describe_security_groups(Filters=named)["SecurityGroups"][0]
        acl = ec2.describe_network_acls(Filters=where)["NetworkAcls"][0]
        return {
            "VpcId": identifier,
            "CidrBlock": vpc["CidrBlock"],
            "CidrBlockAssociations": [item["AssociationId"] for item in vpc["CidrBlockAssociationSet"]],
            "DefaultNetworkAcl": acl["NetworkAclId"],
            "DefaultSecurityGroup": group["GroupId"],
            "Ipv6CidrBlocks": [],
        }


@resource_type("AWS::EC2::Subnet")
class Subnet(Network):
    noun, kind, id, answer = "Subnet", "subnet", "SubnetId", "Subnet"
    refused = frozenset(
        {
            "EnableDns64",
            "EnableLniAtDeviceIndex",
            "Ipv4IpamPoolId",
            "Ipv4NetmaskLength",
            "Ipv6CidrBlock",
            "Ipv6CidrBlocks",
            "Ipv6IpamPoolId",
            "Ipv6Native",
            "Ipv6NetmaskLength",
            "OutpostArn",
            "PrivateDnsNameOptionsOnLaunch",
        }
    )
    updatable = frozenset({"MapPublicIpOnLaunch", "AssignIpv6AddressOnCreation"})
    apart = updatable

    def settle(self, request: Request, identifier: str) -> None:
        for name in sorted(self.apart):
            if request.changed(name):
                wanted = {"Value": bool(request.properties.get(name, False))}
                request.client("ec2").modify_subnet_attribute(SubnetId=identifier, **{name: wanted})

    def attributes(self, request: Request, identifier: str) -> dict[str, Any]:
        subnet = request.client("ec2").describe_subnets(SubnetIds=[identifier])["Subnets"][0]
        names = ("AvailabilityZone", "AvailabilityZoneId", "CidrBlock", "SubnetId", "VpcId")
        return {name: subnet[name] for name in names} | {"Ipv6CidrBlocks": []}


@resource_type("AWS::EC2::DHCPOptions")
class DhcpOptions(Handler):
    record_only = True
    refused = frozenset({"Ipv6AddressPreferredLeaseTime"})

    def create(self, request: Request) -> Made:
        names = {
            "DomainName": "domain-name",
            "DomainNameServers": "domain-name-servers",
            "NetbiosNameServers": "netbios-name-servers",
            "NetbiosNodeType": "netbios-node-type",
            "NtpServers": "ntp-servers",
        }
        configurations = []
        for property_name, key in names.items():
            value = request.properties.get(property_name)
            if value is not None:
                values = [str(item) for item in (value if isinstance(value, list) else [value])]
                configurations.append({"Key": key, "Values": values})
        made = request.client("ec2").create_dhcp_options(
            DhcpConfigurations=configurations, TagSpecifications=specification(request, "dhcp-options")
        )
        identifier = made["DhcpOptions"]["DhcpOptionsId"]
        return Made(identifier, {"DhcpOptionsId": identifier})

    def update(self, request: Request) -> Made:
        set_tags(request, request.physical_id)
        return Made(request.physical_id, request.attributes)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("ec2").delete_dhcp_options(DhcpOptionsId=request.physical_id)


@resource_type("AWS::EC2::VPCDHCPOptionsAssociation")
class DhcpOptionsAssociation(Handler):
    record_only = True

    def create(self, request: Request) -> Made:
        options, vpc = request.properties["DhcpOptionsId"], request.properties["VpcId"]
        request.client("ec2").associate_dhcp_options(DhcpOptionsId=options, VpcId=vpc)
        return Made(f"{options}|{vpc}")

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("ec2").associate_dhcp_options(
                DhcpOptionsId="default", VpcId=request.properties["VpcId"]
            )
