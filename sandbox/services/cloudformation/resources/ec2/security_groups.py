"""AWS::EC2::SecurityGroup, AWS::EC2::SecurityGroupIngress, AWS::EC2::SecurityGroupEgress."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.services.cloudformation.resources.ec2.network import set_tags, specification
from sandbox.services.cloudformation.resources.errors import unless_missing
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    left_behind,
    resource_type,
)

_EVERYTHING = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
_PEERS = {
    "CidrIp": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "SourcePrefixListId": ("PrefixListIds", "PrefixListId"),
    "DestinationPrefixListId": ("PrefixListIds", "PrefixListId"),
    "SourceSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    "SourceSecurityGroupName": ("UserIdGroupPairs", "GroupName"),
    "DestinationSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
}


def permission(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule's properties as an IpPermission of the API."""
    found: dict[str, Any] = {"IpProtocol": str(rule["IpProtocol"])}
    found |= {name: int(rule[name]) for name in ("FromPort", "ToPort") if name in rule}
    said = {"Description": rule["Description"]} if "Description" in rule else {}
    for name, (member, key) in _PEERS.items():
        if name in rule:
            found[member] = [{key: rule[name], **said}]
    return found


@resource_type("AWS::EC2::SecurityGroup")
class SecurityGroup(Handler):
    record_only = True

    def create(self, request: Request) -> Made:
        ec2, properties = request.client("ec2"), request.properties
        vpc = {"VpcId": properties["VpcId"]} if "VpcId" in properties else {}
        identifier = ec2.create_security_group(
            GroupName=request.name("GroupName"),
            Description=properties["GroupDescription"],
            TagSpecifications=specification(request, "security-group"),
            **vpc,
        )["GroupId"]
        with left_behind(Made(identifier)):
            self._set_rules(request, identifier)
            return self._made(request, identifier)

    def update(self, request: Request) -> Made:
        self._set_rules(request, request.physical_id)
        set_tags(request, request.physical_id)
        return self._made(request, request.physical_id)

    def delete(self, request: Request) -> None:
        with unless_missing():
            request.client("ec2").delete_security_group(GroupId=request.physical_id)

    def _made(self, request: Request, identifier: str) -> Made:
        found = request.client("ec2").describe_security_groups(GroupIds=[identifier])["SecurityGroups"][0]
        return Made(identifier, {"GroupId": identifier, "Id": identifier, "VpcId": found["VpcId"]})

    def _set_rules(self, request: Request, identifier: str) -> None:
        """Rules of the property come and go with it; without egress rules the group lets everything out."""
        ec2 = request.client("ec2")
        for direction, authorize, revoke in (
            ("Ingress", ec2.authorize_security_group_ingress, ec2.revoke_security_group_ingress),
            ("Egress", ec2.authorize_security_group_egress, ec2.revoke_security_group_egress),
        ):
            name = f"SecurityGroup{direction}"
            default = [_EVERYTHING] if direction == "Egress" else []
            wanted = [permission(rule) for rule in request.properties.get(name, [])] or default
            # A new group has the default already.
            had = [permission(rule) for rule in request.previous.get(name, [])] or default
            for item in (rule for rule in had if rule not in wanted):
                with unless_missing():
                    revoke(GroupId=identifier, IpPermissions=[item])
            for item in (rule for rule in wanted if rule not in had):
                authorize(GroupId=identifier, IpPermissions=[item])


class Rule(Handler):
    record_only = True
    updatable = frozenset()
    direction: ClassVar[str]

    def create(self, request: Request) -> Made:
        properties = dict(request.properties)
        ec2 = request.client("ec2")
        if "GroupId" in properties:
            group = {"GroupId": properties["GroupId"]}
        else:
            group = {"GroupName": properties["GroupName"]}
        authorize = getattr(ec2, f"authorize_security_group_{self.direction}")
        added = authorize(**group, IpPermissions=[permission(properties)])["SecurityGroupRules"][0]
        identifier = added["SecurityGroupRuleId"]
        return Made(identifier, {"Id": identifier, "GroupId": added["GroupId"]})

    def delete(self, request: Request) -> None:
        revoke = getattr(request.client("ec2"), f"revoke_security_group_{self.direction}")
        with unless_missing():
            revoke(
                GroupId=request.attributes["GroupId"],
                SecurityGroupRuleIds=[request.physical_id],
            )


@resource_type("AWS::EC2::SecurityGroupIngress")
class SecurityGroupIngress(Rule):
    direction = "ingress"
    refused = frozenset({"SourceSecurityGroupOwnerId"})


@resource_type("AWS::EC2::SecurityGroupEgress")
class SecurityGroupEgress(Rule):
    direction = "egress"
