"""Stacks of what is kept: networks, repositories of images, secrets, connections, SageMaker's records."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.cloudformation.stacks import Stacks
from tests.sandbox_process import SandboxProcess

Json = dict[str, Any]
ROLE = "arn:aws:iam::123456789012:role/service-role/none"


def ref(name: str) -> Json:
    return {"Ref": name}


def att(name: str, attribute: str) -> Json:
    return {"Fn::GetAtt": [name, attribute]}


def template(resources: dict[str, tuple[str, Json]], outputs: Json | None = None) -> Json:
    made = {name: {"Type": f"AWS::{kind}", "Properties": props} for name, (kind, props) in resources.items()}
    shown = {name: {"Value": value} for name, value in (outputs or {}).items()}
    return {"Resources": made} | ({"Outputs": shown} if shown else {})


def network(inside: str) -> Json:
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    made = template(
        {
            "Vpc": ("EC2::VPC", {"CidrBlock": "10.9.0.0/16", "EnableDnsHostnames": True}),
            "Public": (
                "EC2::Subnet",
                {
                    "VpcId": ref("Vpc"),
                    "CidrBlock": {"Fn::Select": [0, {"Fn::Cidr": [att("Vpc", "CidrBlock"), 2, 8]}]},
                    "AvailabilityZone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
                    "MapPublicIpOnLaunch": True,
                },
            ),
            "Internet": ("EC2::InternetGateway", {}),
            "Attachment": (
                "EC2::VPCGatewayAttachment",
                {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Internet")},
            ),
            "Table": ("EC2::RouteTable", {"VpcId": ref("Vpc")}),
            "Out": (
                "EC2::Route",
                {
                    "RouteTableId": ref("Table"),
                    "DestinationCidrBlock": "0.0.0.0/0",
                    "GatewayId": ref("Internet"),
                },
            ),
            "Association": (
                "EC2::SubnetRouteTableAssociation",
                {"RouteTableId": ref("Table"), "SubnetId": ref("Public")},
            ),
            "Address": ("EC2::EIP", {"Domain": "vpc"}),
            "Nat": (
                "EC2::NatGateway",
                {"SubnetId": ref("Public"), "AllocationId": att("Address", "AllocationId")},
            ),
            "Group": (
                "EC2::SecurityGroup",
                {
                    "GroupDescription": "d",
                    "VpcId": ref("Vpc"),
                    "SecurityGroupIngress": [https | {"CidrIp": inside}],
                },
            ),
            "Among": (
                "EC2::SecurityGroupIngress",
                {"GroupId": ref("Group"), "IpProtocol": "-1", "SourceSecurityGroupId": ref("Group")},
            ),
            "Storage": (
                "EC2::VPCEndpoint",
                {
                    "VpcId": ref("Vpc"),
                    "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"},
                    "RouteTableIds": [ref("Table")],
                },
            ),
            "Api": (
                "EC2::VPCEndpoint",
                {
                    "VpcId": ref("Vpc"),
                    "VpcEndpointType": "Interface",
                    "ServiceName": {"Fn::Sub": "com.amazonaws.${AWS::Region}.sagemaker.api"},
                    "SubnetIds": [ref("Public")],
                    "SecurityGroupIds": [att("Group", "GroupId")],
                },
            ),
        },
        {"Group": ref("Group"), "Vpc": att("Vpc", "VpcId"), "Default": att("Vpc", "DefaultSecurityGroup")},
    )
    made["Resources"]["Out"]["DependsOn"] = "Attachment"
    return made


@pytest.fixture(scope="module")
def stacks(sandbox: SandboxProcess) -> Stacks:
    return Stacks(sandbox.client("cloudformation"))


def outputs(stack: Json) -> Json:
    return {item["OutputKey"]: item["OutputValue"] for item in stack["Outputs"]}


def test_a_network(sandbox: SandboxProcess, stacks: Stacks) -> None:
    ec2 = sandbox.client("ec2")
    stack = stacks.create(network("10.0.0.0/8"), Tags=[{"Key": "team", "Value": "a"}])
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(stack["StackName"])
    found = outputs(stack)
    assert found["Default"].startswith("sg-")
    (group,) = ec2.describe_security_groups(GroupIds=[found["Group"]])["SecurityGroups"]
    assert {"Key": "team", "Value": "a"} in group["Tags"]
    assert len(group["IpPermissions"]) == 2
    stack = stacks.update(stack["StackName"], network("192.168.0.0/16"))
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(stack["StackName"])
    (group,) = ec2.describe_security_groups(GroupIds=[found["Group"]])["SecurityGroups"]
    blocks = [item["CidrIp"] for rule in group["IpPermissions"] for item in rule["IpRanges"]]
    assert blocks == ["192.168.0.0/16"] and group["Tags"] != []
    assert stacks.delete(stack["StackName"])["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="InvalidVpcID.NotFound"):
        ec2.describe_vpcs(VpcIds=[found["Vpc"]])


def others(stem: str, features: list[str]) -> Json:
    definitions = [{"FeatureName": name, "FeatureType": "String"} for name in features]
    generated = {"GenerateStringKey": "password", "SecretStringTemplate": '{"user": "u"}'}
    return template(
        {
            "Images": ("ECR::Repository", {"ImageScanningConfiguration": {"ScanOnPush": True}}),
            "Secret": (
                "SecretsManager::Secret",
                {"GenerateSecretString": generated | {"ExcludePunctuation": True, "PasswordLength": 20}},
            ),
            "Policy": (
                "SecretsManager::ResourcePolicy",
                {
                    "SecretId": ref("Secret"),
                    "ResourcePolicy": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Deny",
                                "Principal": "*",
                                "Action": "secretsmanager:DeleteSecret",
                                "Resource": "*",
                                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                            }
                        ],
                    },
                },
            ),
            "Shown": (
                "SSM::Parameter",
                {
                    "Type": "String",
                    "Value": {"Fn::Sub": "{{resolve:secretsmanager:${Secret}:SecretString:user}}"},
                },
            ),
            "Connection": (
                "CodeStarConnections::Connection",
                {"ConnectionName": stem, "ProviderType": "GitHub"},
            ),
            "Features": (
                "SageMaker::FeatureGroup",
                {
                    "FeatureGroupName": stem,
                    "RecordIdentifierFeatureName": "id",
                    "EventTimeFeatureName": "at",
                    "FeatureDefinitions": definitions,
                    "OnlineStoreConfig": {"EnableOnlineStore": True},
                },
            ),
            "Start": (
                "SageMaker::NotebookInstanceLifecycleConfig",
                {"OnStart": [{"Content": {"Fn::Base64": "echo"}}]},
            ),
            "Notebook": (
                "SageMaker::NotebookInstance",
                {
                    "InstanceType": "ml.t3.medium",
                    "RoleArn": ROLE,
                    "LifecycleConfigName": att("Start", "NotebookInstanceLifecycleConfigName"),
                },
            ),
            "Repository": (
                "SageMaker::CodeRepository",
                {"GitConfig": {"RepositoryUrl": "https://git.example.com/a.git"}},
            ),
            "Domain": (
                "SageMaker::Domain",
                {
                    "DomainName": stem,
                    "AuthMode": "IAM",
                    "VpcId": "vpc-1",
                    "SubnetIds": ["subnet-1"],
                    "DefaultUserSettings": {"ExecutionRole": ROLE},
                },
            ),
            "User": ("SageMaker::UserProfile", {"DomainId": ref("Domain"), "UserProfileName": "ada"}),
            "Image": ("SageMaker::Image", {"ImageName": stem, "ImageRoleArn": ROLE}),
            "Version": (
                "SageMaker::ImageVersion",
                {
                    "ImageName": att("Image", "ImageName"),
                    "BaseImage": {"Fn::Sub": "${Images.RepositoryUri}:1"},
                    "Aliases": [features[-1]],
                },
            ),
        },
        {"Secret": ref("Secret"), "Shown": ref("Shown"), "Uri": att("Images", "RepositoryUri")},
    )


def test_what_other_services_keep(sandbox: SandboxProcess, stacks: Stacks) -> None:
    stem = f"kept-{uuid.uuid4().hex[:8]}"
    stack = stacks.create(others(stem, ["id", "at"]))
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(stack["StackName"])
    found = outputs(stack)
    secret = json.loads(
        sandbox.client("secretsmanager").get_secret_value(SecretId=found["Secret"])["SecretString"]
    )
    assert secret["user"] == "u" and len(secret["password"]) == 20
    assert sandbox.client("ssm").get_parameter(Name=found["Shown"])["Parameter"]["Value"] == "u"
    stack = stacks.update(
        stack["StackName"], others(stem, ["id", "at", "more"]), Tags=[{"Key": "team", "Value": "a"}]
    )
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(stack["StackName"])
    sagemaker = sandbox.client("sagemaker")
    assert len(sagemaker.describe_feature_group(FeatureGroupName=stem)["FeatureDefinitions"]) == 3
    assert sagemaker.describe_image_version(ImageName=stem, Alias="more")["Version"] == 1
    assert stacks.delete(stack["StackName"])["StackStatus"] == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        sandbox.client("secretsmanager").describe_secret(SecretId=found["Secret"])


def people(stem: str, approval: str, actions: list[str]) -> Json:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    }
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    container = {"Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    return template(
        {
            "Group": ("IAM::Group", {"GroupName": stem}),
            "User": ("IAM::User", {"UserName": stem, "Groups": [ref("Group")]}),
            "Other": ("IAM::User", {"UserName": f"{stem}-2"}),
            "Addition": ("IAM::UserToGroupAddition", {"GroupName": ref("Group"), "Users": [ref("Other")]}),
            "Policy": (
                "IAM::Policy",
                {"PolicyName": "p", "PolicyDocument": document, "Groups": [ref("Group")]},
            ),
            "Key": ("IAM::AccessKey", {"UserName": ref("User")}),
            "Role": ("IAM::Role", {"AssumeRolePolicyDocument": trust}),
            "Profile": ("IAM::InstanceProfile", {"Roles": [ref("Role")]}),
            "Dashboard": (
                "CloudWatch::Dashboard",
                {"DashboardName": stem, "DashboardBody": json.dumps({"widgets": []})},
            ),
            "Packages": ("SageMaker::ModelPackageGroup", {"ModelPackageGroupName": stem}),
            "Package": (
                "SageMaker::ModelPackage",
                {
                    "ModelPackageGroupName": {"Fn::Select": [1, {"Fn::Split": ["/", ref("Packages")]}]},
                    "InferenceSpecification": specification,
                    "ModelApprovalStatus": approval,
                },
            ),
        },
        {"Id": ref("Key"), "Secret": att("Key", "SecretAccessKey"), "Package": ref("Package")},
    )


def test_groups_keys_dashboards_and_packages(sandbox: SandboxProcess, stacks: Stacks) -> None:
    import boto3

    stem = f"kept-{uuid.uuid4().hex[:8]}"
    capable = {"Capabilities": ["CAPABILITY_NAMED_IAM"]}
    stack = stacks.create(people(stem, "PendingManualApproval", ["ssm:DescribeParameters"]), **capable)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(stack["StackName"])
    found = outputs(stack)
    member = boto3.client(
        "ssm",
        endpoint_url=sandbox.url,
        region_name=sandbox.running.region,
        aws_access_key_id=found["Id"],
        aws_secret_access_key=found["Secret"],
    )
    member.describe_parameters()  # the group's policy allows it
    users = sandbox.client("iam").get_group(GroupName=stem)["Users"]
    assert sorted(user["UserName"] for user in users) == [stem, f"{stem}-2"]
    assert sandbox.client("cloudwatch").get_dashboard(DashboardName=stem)["DashboardBody"]
    stack = stacks.update(stack["StackName"], people(stem, "Approved", ["ssm:GetParameter"]), **capable)
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(stack["StackName"])
    package = sandbox.client("sagemaker").describe_model_package(ModelPackageName=found["Package"])
    assert package["ModelApprovalStatus"] == "Approved" and package["ModelPackageVersion"] == 1
    with pytest.raises(ClientError, match="no identity-based policy allows"):
        member.describe_parameters()
    assert stacks.delete(stack["StackName"])["StackStatus"] == "DELETE_COMPLETE"
