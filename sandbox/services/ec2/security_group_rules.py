"""Rules of security groups: kept one by one, shown as permissions too.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

from sandbox.engine.operations import AwsError, Call
from sandbox.services.ec2 import kinds
from sandbox.services.ec2.kinds import SECURITY_GROUP, SECURITY_GROUP_RULE, Record, Request, recorded

MAXIMUM = 60
"""Rules of one direction of a group, AWS's default quota."""
_IDENTITY = ("IsEgress", "IpProtocol", "FromPort", "ToPort", "CidrIpv4", "CidrIpv6", "PrefixListId")
_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}


def add(call: Call, group: Record, permissions: list[Record], *, egress: bool) -> list[Record]:
    """Adds the rules of permissions to a group; AwsError for one that is there."""
    known = kinds.every(call, SECURITY_GROUP_RULE, GroupId=group["GroupId"], IsEgress=egress)
    added: list[Record] = []
    for rule in (each for item in permissions for each in _rules(call, group, item, egress)):
        if any(_same(rule, other) for other in (*known, *added)):
            raise AwsError(
                "InvalidPermission.Duplicate",
                f'the specified rule "{_worded(rule)}" already exists',
                status=400,
            )
        added.append(rule)
    if len(known) + len(added) > MAXIMUM:
        raise AwsError(
            "RulesPerSecurityGroupLimitExceeded",
            "The maximum number of rules per security group has been reached.",
            status=400,
        )
    for rule in added:
        kinds.put(call, SECURITY_GROUP_RULE, rule)
    return added


def _rules(call: Call, group: Record, item: Record, egress: bool) -> Iterator[Record]:
    protocol = str(item.get("IpProtocol", "-1")).lower()
    protocol = _PROTOCOLS.get(protocol, protocol)
    every = protocol == "-1"
    low, high = (-1, -1) if every else (item.get("FromPort", -1), item.get("ToPort", -1))
    if protocol in ("tcp", "udp") and not 0 <= low <= high <= 65535:
        raise AwsError(
            "InvalidParameterValue",
            f"Invalid value '{low}' for fromPort or '{high}' for toPort. Must be between 0 and 65535.",
            status=400,
        )
    for peer, description in _peers(call, item):
        rule = {
            "SecurityGroupRuleId": kinds.new_id(SECURITY_GROUP_RULE),
            "GroupId": group["GroupId"],
            "GroupOwnerId": call.account,
            "IsEgress": egress,
            "IpProtocol": protocol,
            "FromPort": low,
            "ToPort": high,
            **peer,
        }
        yield rule | ({"Description": description} if description else {})


def _peers(call: Call, item: Record) -> Iterator[tuple[Record, str | None]]:
    for each in item.get("IpRanges") or []:
        yield {"CidrIpv4": _block(each["CidrIp"], ipaddress.IPv4Network)}, each.get("Description")
    for each in item.get("Ipv6Ranges") or []:
        yield {"CidrIpv6": _block(each["CidrIpv6"], ipaddress.IPv6Network)}, each.get("Description")
    for each in item.get("PrefixListIds") or []:
        yield {"PrefixListId": each["PrefixListId"]}, each.get("Description")
    for each in item.get("UserIdGroupPairs") or []:
        identifier = each.get("GroupId")
        if not identifier:
            named = kinds.every(call, SECURITY_GROUP, GroupName=each.get("GroupName"))
            identifier = named[0]["GroupId"] if named else str(each.get("GroupName"))
        other = kinds.get(call, SECURITY_GROUP, identifier)
        referred = {"GroupId": identifier, "UserId": call.account, "VpcId": other["VpcId"]}
        yield {"ReferencedGroupInfo": referred}, each.get("Description")


def _block(text: str, kind: Any) -> str:
    try:
        return str(kind(text, strict=False))
    except ValueError:
        raise AwsError("InvalidParameterValue", f"CIDR block {text} is malformed", status=400) from None


def _same(one: Record, other: Record) -> bool:
    group = [rule.get("ReferencedGroupInfo", {}).get("GroupId") for rule in (one, other)]
    return group[0] == group[1] and all(one.get(name) == other.get(name) for name in _IDENTITY)


def _worded(rule: Record) -> str:
    peer = (
        rule.get("CidrIpv4")
        or rule.get("CidrIpv6")
        or rule.get("PrefixListId")
        or rule["ReferencedGroupInfo"]["GroupId"]
    )
    if rule["IpProtocol"] == "-1":
        return f"peer: {peer}, ALL, ALLOW"
    ports = f"from port: {rule['FromPort']}, to port: {rule['ToPort']}"
    return f"peer: {peer}, {rule['IpProtocol'].upper()}, {ports}, ALLOW"


def permissions(call: Call, group: str) -> Record:
    """IpPermissions and IpPermissionsEgress of a group."""
    found: dict[bool, dict[tuple[Any, ...], Record]] = {False: {}, True: {}}
    for rule in kinds.every(call, SECURITY_GROUP_RULE, GroupId=group):
        key = (rule["IpProtocol"], rule["FromPort"], rule["ToPort"])
        ports = {} if rule["IpProtocol"] == "-1" else {"FromPort": key[1], "ToPort": key[2]}
        empty: Record = {
            "IpProtocol": key[0],
            **ports,
            "IpRanges": [],
            "Ipv6Ranges": [],
            "PrefixListIds": [],
            "UserIdGroupPairs": [],
        }
        item = found[rule["IsEgress"]].setdefault(key, empty)
        said = {"Description": rule["Description"]} if "Description" in rule else {}
        if "CidrIpv4" in rule:
            item["IpRanges"].append({"CidrIp": rule["CidrIpv4"], **said})
        elif "CidrIpv6" in rule:
            item["Ipv6Ranges"].append({"CidrIpv6": rule["CidrIpv6"], **said})
        elif "PrefixListId" in rule:
            item["PrefixListIds"].append({"PrefixListId": rule["PrefixListId"], **said})
        else:
            pair = {name: rule["ReferencedGroupInfo"][name] for name in ("GroupId", "UserId")}
            item["UserIdGroupPairs"].append(pair | said)
    return {
        "IpPermissions": list(found[False].values()),
        "IpPermissionsEgress": list(found[True].values()),
    }


def _asked(call: Call, request: Request) -> tuple[Record, list[Record]]:
    """The group of a request and its permissions, which may stand in the older members."""
    identifier = request.get("GroupId")
    if not identifier:
        named = kinds.every(call, SECURITY_GROUP, GroupName=request.get("GroupName"))
        identifier = named[0]["GroupId"] if named else str(request.get("GroupName"))
    group = kinds.get(call, SECURITY_GROUP, identifier)
    given = list(request.get("IpPermissions") or [])
    if request.get("IpProtocol"):
        plain = {name: request[name] for name in ("IpProtocol", "FromPort", "ToPort") if name in request}
        if request.get("CidrIp"):
            plain["IpRanges"] = [{"CidrIp": request["CidrIp"]}]
        if request.get("SourceSecurityGroupName"):
            plain["UserIdGroupPairs"] = [{"GroupName": request["SourceSecurityGroupName"]}]
        given.append(plain)
    return group, given


def _authorize(call: Call, request: Request, *, egress: bool) -> Record:
    group, given = _asked(call, request)
    if not given:
        raise AwsError("MissingParameter", "The request must contain the parameter ipPermissions", status=400)
    added = add(call, group, given, egress=egress)
    for rule in added:
        kinds.tag_new(call, SECURITY_GROUP_RULE, rule["SecurityGroupRuleId"], request)
    return {
        "Return": True,
        "SecurityGroupRules": [kinds.shown(call, SECURITY_GROUP_RULE, rule) for rule in added],
    }


def _revoke(call: Call, request: Request, *, egress: bool) -> Record:
    group, given = _asked(call, request)
    known = kinds.every(call, SECURITY_GROUP_RULE, GroupId=group["GroupId"], IsEgress=egress)
    gone = [
        rule for rule in known if rule["SecurityGroupRuleId"] in (request.get("SecurityGroupRuleIds") or [])
    ]
    for rule in (each for item in given for each in _rules(call, group, item, egress)):
        same = [other for other in known if _same(rule, other)]
        if not same:
            raise AwsError(
                "InvalidPermission.NotFound",
                "The specified rule does not exist in this security group.",
                status=400,
            )
        gone += same
    for rule in gone:
        kinds.forget(call, SECURITY_GROUP_RULE, rule["SecurityGroupRuleId"])
    return {"Return": True}


@recorded("AuthorizeSecurityGroupIngress")
def authorize_security_group_ingress(call: Call, request: Request) -> Record:
    return _authorize(call, request, egress=False)


@recorded("AuthorizeSecurityGroupEgress")
def authorize_security_group_egress(call: Call, request: Request) -> Record:
    return _authorize(call, request, egress=True)


@recorded("RevokeSecurityGroupIngress")
def revoke_security_group_ingress(call: Call, request: Request) -> Record:
    return _revoke(call, request, egress=False)


@recorded("RevokeSecurityGroupEgress")
def revoke_security_group_egress(call: Call, request: Request) -> Record:
    return _revoke(call, request, egress=True)


@recorded("DescribeSecurityGroupRules")
def describe_security_group_rules(call: Call, request: Request) -> Record:
    ids = request.get("SecurityGroupRuleIds")
    return kinds.describe(call, SECURITY_GROUP_RULE, "SecurityGroupRules", ids, request)
