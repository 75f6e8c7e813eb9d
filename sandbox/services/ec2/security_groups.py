"""Security groups.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
"""

from __future__ import annotations

from sandbox.engine.operations import AwsError, Call
from sandbox.services.ec2 import kinds, security_group_rules
from sandbox.services.ec2.kinds import (
    SECURITY_GROUP,
    SECURITY_GROUP_RULE,
    VPC,
    VPC_ENDPOINT,
    Record,
    Request,
    recorded,
)


def make(call: Call, vpc: str, name: str, description: str) -> Record:
    """A group that lets everything out; the default one also lets its own members in."""
    identifier = kinds.new_id(SECURITY_GROUP)
    record = {
        "GroupId": identifier,
        "GroupName": name,
        "Description": description,
        "VpcId": vpc,
        "OwnerId": call.account,
        "SecurityGroupArn": call.arn(f"security-group/{identifier}"),
    }
    kinds.put(call, SECURITY_GROUP, record)
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    security_group_rules.add(call, record, [everything], egress=True)
    if name == "default":
        own = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": identifier}]}
        security_group_rules.add(call, record, [own], egress=False)
    return record


def remove(call: Call, identifier: str) -> None:
    """A group and its rules, whatever they are."""
    for rule in kinds.every(call, SECURITY_GROUP_RULE, GroupId=identifier):
        kinds.forget(call, SECURITY_GROUP_RULE, rule["SecurityGroupRuleId"])
    kinds.forget(call, SECURITY_GROUP, identifier)


@recorded("CreateSecurityGroup")
def create_security_group(call: Call, request: Request) -> Record:
    vpc, name = request.get("VpcId"), request["GroupName"]
    if not vpc:
        default = kinds.every(call, VPC, IsDefault=True)
        if not default:
            raise AwsError("VPCIdNotSpecified", "No default VPC for this user", status=400)
        vpc = default[0]["VpcId"]
    kinds.get(call, VPC, vpc)
    if name.lower().startswith("sg-"):
        raise AwsError(
            "InvalidParameterValue", f"Value ({name}) for parameter GroupName is invalid.", status=400
        )
    if kinds.every(call, SECURITY_GROUP, VpcId=vpc, GroupName=name):
        raise AwsError(
            "InvalidGroup.Duplicate",
            f"The security group '{name}' already exists for VPC '{vpc}'",
            status=400,
        )
    record = make(call, vpc, name, request["Description"])
    kinds.tag_new(call, SECURITY_GROUP, record["GroupId"], request)
    shown = kinds.shown(call, SECURITY_GROUP, record)
    return {name: shown[name] for name in ("GroupId", "SecurityGroupArn", "Tags")}


@recorded("DescribeSecurityGroups")
def describe_security_groups(call: Call, request: Request) -> Record:
    found = [get(call, item) for item in request.get("GroupIds") or []]
    for name in request.get("GroupNames") or []:
        named = kinds.every(call, SECURITY_GROUP, GroupName=name)
        if not named:
            code, text = SECURITY_GROUP.missing
            raise AwsError(code, text.format(name), status=400)
        found += named
    found = found or kinds.every(call, SECURITY_GROUP)
    full = [item | security_group_rules.permissions(call, item["GroupId"]) for item in found]
    return kinds.describe(call, SECURITY_GROUP, "SecurityGroups", None, request, full)


def get(call: Call, identifier: str) -> Record:
    return kinds.get(call, SECURITY_GROUP, identifier)


@recorded("DeleteSecurityGroup")
def delete_security_group(call: Call, request: Request) -> Record:
    identifier = request.get("GroupId")
    if not identifier:
        named = kinds.every(call, SECURITY_GROUP, GroupName=request.get("GroupName"))
        identifier = named[0]["GroupId"] if named else str(request.get("GroupName"))
    record = get(call, identifier)
    if record["GroupName"] == "default":
        raise AwsError(
            "CannotDelete",
            f'the specified group: "{identifier}" name: "default" cannot be deleted by a user',
            status=400,
        )
    rules = kinds.every(call, SECURITY_GROUP_RULE)
    referred = [
        rule
        for rule in rules
        if rule["GroupId"] != identifier and rule.get("ReferencedGroupInfo", {}).get("GroupId") == identifier
    ]
    used = [
        item
        for item in kinds.every(call, VPC_ENDPOINT)
        if any(group["GroupId"] == identifier for group in item.get("Groups") or [])
    ]
    if referred or used:
        raise kinds.in_use(identifier, "resource {} has a dependent object")
    remove(call, identifier)
    return {"Return": True, "GroupId": identifier}
