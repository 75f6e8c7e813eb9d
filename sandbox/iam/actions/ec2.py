"""Amazon EC2: what a request makes, as `<type>/*`, and the resources whose ids it names.

Source: "Actions, resources, and condition keys for Amazon EC2" in the Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.iam.actions import generic
from sandbox.iam.actions.check import Asked, Check

TYPES = {
    "acl": "network-acl",
    "dopt": "dhcp-options",
    "eipalloc": "elastic-ip",
    "fl": "vpc-flow-log",
    "i": "instance",
    "igw": "internet-gateway",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "subnet": "subnet",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
"""Prefix of an id → resource type of its ARN."""

MAKES = {
    "AllocateAddress": "elastic-ip",
    "CreateDhcpOptions": "dhcp-options",
    "CreateFlowLogs": "vpc-flow-log",
    "CreateInternetGateway": "internet-gateway",
    "CreateNatGateway": "natgateway",
    "CreateRouteTable": "route-table",
    "CreateSecurityGroup": "security-group",
    "CreateSubnet": "subnet",
    "CreateVpc": "vpc",
    "CreateVpcEndpoint": "vpc-endpoint",
    "AuthorizeSecurityGroupEgress": "security-group-rule",
    "AuthorizeSecurityGroupIngress": "security-group-rule",
}


def checks(asked: Asked) -> list[Check]:
    operation = asked.operation
    action, context = f"ec2:{operation}", {"ec2:Region": asked.region}
    if operation.startswith("Describe"):
        return [Check(action, ("*",), context)]
    named = {identifier: TYPES.get(identifier.partition("-")[0]) for identifier in _ids(asked.params)}
    if operation in ("CreateTags", "DeleteTags"):
        found = [asked.arn("ec2", f"{kind or '*'}/{identifier}") for identifier, kind in named.items()]
        return [Check(action, tuple(found) or ("*",), context)]
    makes = MAKES.get(operation)
    wanted = [kind for kind, _ in generic.types_of("ec2", operation)]
    found = []
    for kind in wanted:
        if kind == makes:
            found.append(asked.arn("ec2", f"{kind}/*"))
        else:
            found += [asked.arn("ec2", f"{kind}/{each}") for each, its in named.items() if its == kind]
    result = [Check(action, tuple(dict.fromkeys(found)) or ("*",), context)]
    if makes and asked.params.get("TagSpecifications"):
        made = asked.arn("ec2", f"{makes}/*")
        result.append(Check("ec2:CreateTags", (made,), context | {"ec2:CreateAction": operation}))
    return result


def _ids(value: Any) -> Iterator[str]:
    """Every id in a request, but for those inside permissions: a rule's peers are not what it is about."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name not in ("IpPermissions", "TagSpecifications", "Tags"):
                yield from _ids(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _ids(item)
    elif isinstance(value, str) and "-" in value and value.partition("-")[0] in TYPES:
        yield value
