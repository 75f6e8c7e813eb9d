"""Networks as records, through the door."""

from __future__ import annotations

import json
import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def ec2(sandbox: SandboxProcess) -> Any:
    return sandbox.client("ec2")


def refused(call: Any, **members: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**members)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def where(name: str, *values: str) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


def test_an_account_has_a_default_network(ec2: Any) -> None:
    zones = [item["ZoneName"] for item in ec2.describe_availability_zones()["AvailabilityZones"]]
    (vpc,) = ec2.describe_vpcs(Filters=where("is-default", "true"))["Vpcs"]
    subnets = ec2.describe_subnets(Filters=where("vpc-id", vpc["VpcId"]))["Subnets"]
    assert [item["AvailabilityZone"] for item in subnets] == zones
    assert all(item["DefaultForAz"] for item in subnets)
    (group,) = ec2.describe_security_groups(Filters=where("vpc-id", vpc["VpcId"]))["SecurityGroups"]
    assert group["IpPermissions"][0]["UserIdGroupPairs"][0]["GroupId"] == group["GroupId"]
    (table,) = ec2.describe_route_tables(Filters=where("vpc-id", vpc["VpcId"]))["RouteTables"]
    assert [item["DestinationCidrBlock"] for item in table["Routes"]] == ["172.31.0.0/16", "0.0.0.0/0"]
    assert ec2.describe_instances()["Reservations"] == []
    assert refused(ec2.run_instances, MinCount=1, MaxCount=1)[0] == "UnsupportedOperation"
    assert refused(ec2.describe_vpcs, Filters=where("colour", "red"))[0] == "InvalidParameterValue"


def test_a_network_is_made_and_taken_down(ec2: Any) -> None:
    specification = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "n"}]}]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=specification)["Vpc"]
    name = vpc["VpcId"]
    assert ec2.describe_vpcs(Filters=[*where("tag:Name", "n"), *where("vpc-id", name)])["Vpcs"]
    ec2.modify_vpc_attribute(VpcId=name, EnableDnsHostnames={"Value": True})
    shown = ec2.describe_vpc_attribute(VpcId=name, Attribute="enableDnsHostnames")
    assert shown["EnableDnsHostnames"] == {"Value": True}
    subnet = ec2.create_subnet(VpcId=name, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    assert refused(ec2.create_subnet, VpcId=name, CidrBlock="10.0.1.128/25")[0] == "InvalidSubnet.Conflict"
    assert refused(ec2.create_subnet, VpcId=name, CidrBlock="10.1.0.0/24")[0] == "InvalidSubnet.Range"
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=name)
    table = ec2.create_route_table(VpcId=name)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    association = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    assert refused(ec2.release_address, AllocationId=address)[0] == "InvalidIPAddress.InUse"
    endpoint = ec2.create_vpc_endpoint(
        VpcId=name, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=[table]
    )["VpcEndpoint"]["VpcEndpointId"]
    assert refused(ec2.delete_vpc, VpcId=name) == (
        "DependencyViolation",
        f"The vpc '{name}' has dependencies and cannot be deleted.",
    )
    assert refused(ec2.delete_subnet, SubnetId=subnet)[0] == "DependencyViolation"
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.release_address(AllocationId=address)
    ec2.disassociate_route_table(AssociationId=association)
    ec2.delete_route_table(RouteTableId=table)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=name)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_vpc(VpcId=name)
    assert refused(ec2.describe_vpcs, VpcIds=[name])[0] == "InvalidVpcID.NotFound"


def test_rules_of_a_security_group(ec2: Any) -> None:
    group = ec2.create_security_group(GroupName=uuid.uuid4().hex, Description="d")["GroupId"]
    https = {
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "inside"}],
        "UserIdGroupPairs": [{"GroupId": group}],
    }
    added = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[https])["SecurityGroupRules"]
    assert len(added) == 2
    code, message = refused(ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[https])
    assert code == "InvalidPermission.Duplicate"
    assert "peer: 10.0.0.0/8, TCP, from port: 443, to port: 443, ALLOW" in message
    (shown,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert shown["IpPermissions"][0]["IpRanges"] == https["IpRanges"]
    ec2.revoke_security_group_ingress(
        GroupId=group, SecurityGroupRuleIds=[item["SecurityGroupRuleId"] for item in added]
    )
    assert (
        refused(ec2.revoke_security_group_ingress, GroupId=group, IpPermissions=[https])[0]
        == "InvalidPermission.NotFound"
    )
    rules = ec2.describe_security_group_rules(Filters=where("group-id", group))["SecurityGroupRules"]
    assert [item["IsEgress"] for item in rules] == [True]
    ec2.delete_security_group(GroupId=group)


def test_iam_decides_by_resource_and_tag(sandbox: SandboxProcess, ec2: Any) -> None:
    iam, user = sandbox.client("iam"), f"network-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=user)
    keys = iam.create_access_key(UserName=user)["AccessKey"]
    tagged = {"StringEquals": {"ec2:ResourceTag/team": user}}
    ours = {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup", "aws:RequestTag/team": user}}
    statements = [
        {"Effect": "Allow", "Action": "ec2:CreateSecurityGroup", "Resource": "*"},
        {"Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*", "Condition": ours},
        {"Effect": "Allow", "Action": "ec2:Delete*", "Resource": "*", "Condition": tagged},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=policy)
    client = boto3.client(
        "ec2",
        endpoint_url=sandbox.url,
        region_name=sandbox.running.region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )
    code, message = refused(client.create_vpc, CidrBlock="10.0.0.0/16")
    assert code == "UnauthorizedOperation"
    assert "not authorized to perform: ec2:CreateVpc on resource: arn:aws:ec2:" in message
    tags = [{"ResourceType": "security-group", "Tags": [{"Key": "team", "Value": user}]}]
    group = client.create_security_group(GroupName=user, Description="d", TagSpecifications=tags)["GroupId"]
    other = ec2.create_security_group(GroupName=f"{user}-2", Description="d")["GroupId"]
    assert refused(client.create_tags, Resources=[other], Tags=tags[0]["Tags"])[0] == "UnauthorizedOperation"
    assert refused(client.delete_security_group, GroupId=other)[0] == "UnauthorizedOperation"
    assert refused(ec2.delete_security_group, GroupId=other, DryRun=True)[0] == "DryRunOperation"
    client.delete_security_group(GroupId=group)
    ec2.delete_security_group(GroupId=other)
