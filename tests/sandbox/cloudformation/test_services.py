"""Resource types against the services behind them: what a property becomes there."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tests.sandbox.cloudformation.stacks import Stacks, new_name, parameter
from tests.sandbox_process import SandboxProcess

ACCOUNT = "123456789012"


def _trust(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _role(service: str) -> dict[str, Any]:
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": _trust(service)}}


def _bucket(sandbox: SandboxProcess, **objects: bytes) -> str:
    s3, name = sandbox.client("s3"), new_name()
    s3.create_bucket(Bucket=name)
    for key, body in objects.items():
        s3.put_object(Bucket=name, Key=key, Body=body)
    return name


def _deployed(stacks: Stacks, resources: dict[str, Any]) -> tuple[str, dict[str, str]]:
    name = new_name()
    stack = stacks.create({"Resources": resources}, name, Tags=[{"Key": "team", "Value": "ml"}])
    assert stack["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    return name, stacks.physical(name)


def test_bucket(stacks: Stacks, sandbox: SandboxProcess) -> None:
    rules = [
        {"Id": "a", "Status": "Enabled", "ExpirationInDays": 5, "Prefix": "tmp/"},
        {
            "Id": "b",
            "Status": "Enabled",
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            "TagFilters": [{"Key": "k", "Value": "v"}],
            "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 9}],
        },
    ]
    properties: dict[str, Any] = {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {"BucketKeyEnabled": True, "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
            ]
        },
        "VersioningConfiguration": {"Status": "Enabled"},
        "LifecycleConfiguration": {"Rules": rules},
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "CorsConfiguration": {
            "CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://x.aws"], "MaxAge": 60}]
        },
    }
    name, physical = _deployed(stacks, {"B": {"Type": "AWS::S3::Bucket", "Properties": properties}})
    s3, bucket = sandbox.client("s3"), physical["B"]
    found = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert found["a"]["Expiration"] == {"Days": 5}
    assert found["a"]["Filter"] == {"Prefix": "tmp/"}
    assert found["b"]["Filter"] == {"Tag": {"Key": "k", "Value": "v"}}
    assert found["b"]["Transitions"] == [{"Days": 9, "StorageClass": "GLACIER"}]
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"][0]["MaxAgeSeconds"] == 60
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "team", "Value": "ml"}]
    del properties["LifecycleConfiguration"], properties["CorsConfiguration"]
    properties["VersioningConfiguration"]["Status"] = "Suspended"
    stack = stacks.update(name, {"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": properties}}})
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


def test_a_bucket_that_exists_is_not_taken_over(stacks: Stacks, sandbox: SandboxProcess) -> None:
    taken, name = _bucket(sandbox), new_name()
    template = {"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": taken}}}}
    assert stacks.create(template, name)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert f"{taken} already exists" in stacks.reasons(name)["B"]
    assert "HandlerErrorCode: AlreadyExists" in stacks.reasons(name)["B"]
    sandbox.client("s3").head_bucket(Bucket=taken)


def _seed(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, body in files.items():
            archive.writestr(name, body)
        entry = zipfile.ZipInfo("run.sh")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, b"#!/bin/sh\n")
    return buffer.getvalue()


def _repository(name: str, bucket: str, key: str) -> dict[str, Any]:
    code = {"BranchName": "main", "S3": {"Bucket": bucket, "Key": key}}
    return {"Type": "AWS::CodeCommit::Repository", "Properties": {"RepositoryName": name, "Code": code}}


def test_repository_is_seeded(stacks: Stacks, sandbox: SandboxProcess) -> None:
    bucket, repository = _bucket(sandbox, seed=_seed(**{"a/b.py": b"x = 1\n"})), new_name()
    name, physical = _deployed(stacks, {"R": _repository(repository, bucket, "seed")})
    client = sandbox.client("codecommit")
    commit = client.get_branch(repositoryName=repository, branchName="main")["branch"]["commitId"]
    found = client.get_file(repositoryName=repository, filePath="a/b.py", commitSpecifier=commit)
    assert found["fileContent"] == b"x = 1\n"
    assert client.get_file(repositoryName=repository, filePath="run.sh")["fileMode"] == "EXECUTABLE"
    metadata = client.get_repository(repositoryName=repository)["repositoryMetadata"]
    assert metadata["repositoryId"] == physical["R"]
    tags = client.list_tags_for_resource(resourceArn=metadata["Arn"])["tags"]
    assert tags["team"] == "ml"
    assert tags["aws:cloudformation:logical-id"] == "R"
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("seed", "reason"),
    [
        (None, "NoSuchKey"),
        (b"no zip", "is not a zip file"),
        (_seed(**{"../x": b""}), "leads out of its folder"),
    ],
)
def test_a_bad_seed_leaves_no_repository(
    stacks: Stacks, sandbox: SandboxProcess, seed: bytes | None, reason: str
) -> None:
    bucket = _bucket(sandbox, **({"seed": seed} if seed is not None else {}))
    name, repository = new_name(), new_name()
    stack = stacks.create({"Resources": {"R": _repository(repository, bucket, "seed")}}, name)
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert reason in stacks.reasons(name)["R"]
    names = [
        item["repositoryName"] for item in sandbox.client("codecommit").list_repositories()["repositories"]
    ]
    assert repository not in names


def test_build_and_pipeline(stacks: Stacks, sandbox: SandboxProcess) -> None:
    bucket, repository = _bucket(sandbox, seed=_seed()), new_name()
    environment = {
        "Type": "LINUX_CONTAINER",
        "ComputeType": "BUILD_GENERAL1_SMALL",
        "Image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
        "EnvironmentVariables": [{"Name": "N", "Value": 5}],
    }
    project: dict[str, Any] = {
        "Type": "AWS::CodeBuild::Project",
        "Properties": {
            "ServiceRole": {"Fn::GetAtt": ["BuildRole", "Arn"]},
            "Artifacts": {"Type": "CODEPIPELINE"},
            "Source": {"Type": "CODEPIPELINE", "BuildSpec": "buildspec.yml"},
            "Environment": environment,
            "TimeoutInMinutes": 30,
        },
    }

    def action(name: str, category: str, provider: str, **members: Any) -> dict[str, Any]:
        kind = {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}
        return {"Name": name, "ActionTypeId": kind, "RunOrder": 1} | members

    source = action(
        "Source",
        "Source",
        "CodeCommit",
        Configuration={"RepositoryName": repository, "BranchName": "main", "PollForSourceChanges": "false"},
        OutputArtifacts=[{"Name": "Src"}],
    )
    build = action(
        "Build",
        "Build",
        "CodeBuild",
        Configuration={"ProjectName": {"Ref": "Project"}},
        InputArtifacts=[{"Name": "Src"}],
    )
    pipeline = {
        "Type": "AWS::CodePipeline::Pipeline",
        "Properties": {
            "RoleArn": {"Fn::GetAtt": ["PipelineRole", "Arn"]},
            "PipelineType": "V2",
            "ExecutionMode": "QUEUED",
            "ArtifactStore": {"Type": "S3", "Location": bucket},
            "Stages": [{"Name": "Source", "Actions": [source]}, {"Name": "Build", "Actions": [build]}],
        },
    }
    pattern = {"source": ["aws.codecommit"], "resources": [{"Fn::GetAtt": ["Repository", "Arn"]}]}
    arn = {"Fn::Sub": f"arn:aws:codepipeline:${{AWS::Region}}:{ACCOUNT}:${{Pipeline}}"}
    target = {"Id": "T", "Arn": arn, "RoleArn": {"Fn::GetAtt": ["EventsRole", "Arn"]}}
    resources = {
        "BuildRole": _role("codebuild.amazonaws.com"),
        "PipelineRole": _role("codepipeline.amazonaws.com"),
        "EventsRole": _role("events.amazonaws.com"),
        "Repository": _repository(repository, bucket, "seed"),
        "Project": project,
        "Pipeline": pipeline,
        "Push": {"Type": "AWS::Events::Rule", "Properties": {"EventPattern": pattern, "Targets": [target]}},
    }
    name, physical = _deployed(stacks, resources)
    found = sandbox.client("codebuild").batch_get_projects(names=[physical["Project"]])["projects"][0]
    assert found["timeoutInMinutes"] == 30
    variable = found["environment"]["environmentVariables"][0]
    assert (variable["name"], variable["value"]) == ("N", "5")
    assert {"key": "team", "value": "ml"} in found["tags"]
    declared = sandbox.client("codepipeline").get_pipeline(name=physical["Pipeline"])["pipeline"]
    assert declared["executionMode"] == "QUEUED"
    assert declared["stages"][1]["actions"][0]["configuration"] == {"ProjectName": physical["Project"]}
    events = sandbox.client("events")
    rule = events.describe_rule(Name=physical["Push"])
    assert json.loads(rule["EventPattern"])["source"] == ["aws.codecommit"]
    assert events.list_targets_by_rule(Rule=physical["Push"])["Targets"][0]["Id"] == "T"
    project["Properties"]["TimeoutInMinutes"] = 45
    target["Id"] = "U"
    stack = stacks.update(name, {"Resources": resources}, Tags=[{"Key": "team", "Value": "data"}])
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)
    found = sandbox.client("codebuild").batch_get_projects(names=[physical["Project"]])["projects"][0]
    assert found["timeoutInMinutes"] == 45
    assert {"key": "team", "value": "data"} in found["tags"]
    assert [item["Id"] for item in events.list_targets_by_rule(Rule=physical["Push"])["Targets"]] == ["U"]
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE", stacks.reasons(name)


def test_portfolio(stacks: Stacks, sandbox: SandboxProcess) -> None:
    template = json.dumps({"Resources": {"P": parameter("x")}}).encode()
    bucket = _bucket(sandbox, v1=template, v2=template)

    def artifact(version: str) -> dict[str, Any]:
        url = f"https://{bucket}.s3.us-east-1.amazonaws.com/{version}"
        return {"Name": version, "Description": version, "Info": {"LoadTemplateFromURL": url}}

    product: dict[str, Any] = {
        "Type": "AWS::ServiceCatalog::CloudFormationProduct",
        "Properties": {
            "Name": new_name(),
            "Owner": "o",
            "ProvisioningArtifactParameters": [artifact("v1")],
            "Tags": [{"Key": "sagemaker:studio-visibility", "Value": "true"}],
        },
    }
    both = {"PortfolioId": {"Ref": "Portfolio"}, "ProductId": {"Ref": "Product"}}
    user = f"arn:aws:iam::{ACCOUNT}:user/engineer"
    resources = {
        "Portfolio": {
            "Type": "AWS::ServiceCatalog::Portfolio",
            "Properties": {"DisplayName": new_name(), "ProviderName": "p"},
        },
        "Product": product,
        "In": {"Type": "AWS::ServiceCatalog::PortfolioProductAssociation", "Properties": both},
        "Who": {
            "Type": "AWS::ServiceCatalog::PortfolioPrincipalAssociation",
            "Properties": {"PortfolioId": {"Ref": "Portfolio"}, "PrincipalARN": user, "PrincipalType": "IAM"},
        },
        "Role": _role("servicecatalog.amazonaws.com"),
        "Launch": {
            "Type": "AWS::ServiceCatalog::LaunchRoleConstraint",
            "Properties": both | {"RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}},
            "DependsOn": "In",
        },
    }
    name, physical = _deployed(stacks, resources)
    client = sandbox.client("servicecatalog")

    def versions() -> list[str]:
        described = client.describe_product_as_admin(Id=physical["Product"])
        return [item["Name"] for item in described["ProvisioningArtifactSummaries"]]

    assert versions() == ["v1"]
    tags = {
        tag["Key"]: tag["Value"] for tag in client.describe_product_as_admin(Id=physical["Product"])["Tags"]
    }
    assert tags == {"sagemaker:studio-visibility": "true", "team": "ml"}
    constraint = client.describe_constraint(Id=physical["Launch"])
    assert json.loads(constraint["ConstraintParameters"])["RoleArn"].endswith(physical["Role"])
    product["Properties"]["ProvisioningArtifactParameters"].append(artifact("v2"))
    stack = stacks.update(name, {"Resources": resources})
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)
    assert versions() == ["v1", "v2"]
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE", stacks.reasons(name)


def test_package_group_and_pipeline(stacks: Stacks, sandbox: SandboxProcess) -> None:
    name = new_name()
    definition = {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [],
        "Steps": [{"Name": "No", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
    }
    pipeline: dict[str, Any] = {
        "Type": "AWS::SageMaker::Pipeline",
        "Properties": {
            "PipelineName": name,
            "PipelineDefinition": {"PipelineDefinitionBody": json.dumps(definition)},
            "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        },
    }
    resources = {
        "Role": _role("sagemaker.amazonaws.com"),
        "Group": {"Type": "AWS::SageMaker::ModelPackageGroup", "Properties": {"ModelPackageGroupName": name}},
        "Pipeline": pipeline,
    }
    stack_name, physical = _deployed(stacks, resources)
    client = sandbox.client("sagemaker")
    assert physical["Group"] == f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:model-package-group/{name}"
    tags = client.list_tags(ResourceArn=physical["Group"])["Tags"]
    assert {"Key": "team", "Value": "ml"} in tags
    pipeline["Properties"]["PipelineDescription"] = "changed"
    stack = stacks.update(stack_name, {"Resources": resources})
    assert stack["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(stack_name)
    assert client.describe_pipeline(PipelineName=name)["PipelineDescription"] == "changed"
    assert stacks.delete(stack_name)["StackStatus"] == "DELETE_COMPLETE", stacks.reasons(stack_name)


def test_identities(stacks: Stacks, sandbox: SandboxProcess) -> None:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
    managed: dict[str, Any] = {
        "Type": "AWS::IAM::ManagedPolicy",
        "Properties": {"PolicyDocument": document, "Roles": [{"Ref": "Role"}]},
    }
    role = _role("ec2.amazonaws.com")
    user: dict[str, Any] = {
        "Type": "AWS::IAM::User",
        "Properties": {"Policies": [{"PolicyName": "p", "PolicyDocument": document}]},
    }
    name, physical = _deployed(stacks, {"Role": role, "Managed": managed, "User": user})
    iam = sandbox.client("iam")
    attached = iam.list_attached_role_policies(RoleName=physical["Role"])["AttachedPolicies"]
    assert [item["PolicyArn"] for item in attached] == [physical["Managed"]]
    for count in range(6):  # more versions than a policy may have
        document["Statement"][0]["Action"] = f"s3:Get{count}*"
        stacks.update(name, {"Resources": {"Role": role, "Managed": managed, "User": user}})
    versions = iam.list_policy_versions(PolicyArn=physical["Managed"])["Versions"]
    assert len(versions) == 5
    default = next(version["VersionId"] for version in versions if version["IsDefaultVersion"])
    found = iam.get_policy_version(PolicyArn=physical["Managed"], VersionId=default)["PolicyVersion"]
    assert found["Document"]["Statement"][0]["Action"] == "s3:Get5*"
    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE", stacks.reasons(name)
