"""The model registry through the door: groups, versions, approval, policies, events."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.sandbox.sagemaker.conftest import Room
from tests.sandbox.sagemaker.definitions import SKLEARN
from tests.sandbox.sagemaker.test_jobs import refusal


@pytest.fixture(scope="module")
def model(room: Room) -> str:
    return room.put("models/model.tar.gz", "a model")


def specification(model: str) -> dict[str, Any]:
    return {
        "Containers": [{"Image": SKLEARN, "ModelDataUrl": model, "Environment": {"A": "b"}}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
        "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
    }


def group(room: Room, name: str, **request: Any) -> str:
    name = f"{room.name}-{name}"
    room.sagemaker.create_model_package_group(ModelPackageGroupName=name, **request)
    return name


def register(room: Room, group: str, model: str, **request: Any) -> str:
    answer = room.sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=specification(model), **request
    )
    return str(answer["ModelPackageArn"])


def test_a_group_is_made_described_listed_and_deleted(room: Room) -> None:
    name = group(room, "life", ModelPackageGroupDescription="d", Tags=[{"Key": "k", "Value": "v"}])
    described = room.sagemaker.describe_model_package_group(ModelPackageGroupName=name)
    arn = described["ModelPackageGroupArn"]
    assert arn == f"arn:aws:sagemaker:us-east-1:123456789012:model-package-group/{name}"
    assert described["ModelPackageGroupStatus"] == "Completed"
    assert described["CreatedBy"]["IamIdentity"]["Arn"] == "arn:aws:iam::123456789012:root"
    assert room.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "k", "Value": "v"}]
    assert (
        room.sagemaker.describe_model_package_group(ModelPackageGroupName=arn)["ModelPackageGroupName"]
        == name
    )
    listed = room.sagemaker.list_model_package_groups(NameContains=name)["ModelPackageGroupSummaryList"]
    assert [each["ModelPackageGroupArn"] for each in listed] == [arn]
    code, message = refusal(lambda: room.sagemaker.create_model_package_group(ModelPackageGroupName=name))
    assert (code, message) == ("ValidationException", f"Model Package Group already exists: {arn}")
    room.sagemaker.delete_model_package_group(ModelPackageGroupName=name)
    code, message = refusal(lambda: room.sagemaker.describe_model_package_group(ModelPackageGroupName=name))
    assert (code, message) == ("ValidationException", f"ModelPackageGroup {arn} does not exist.")


def test_versions_count_up_and_numbers_are_not_used_again(room: Room, model: str) -> None:
    name = group(room, "versions")
    arns = [register(room, name, model) for _ in range(11)]
    assert [int(arn.rpartition("/")[2]) for arn in arns] == list(range(1, 12))
    listed = room.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=name,
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"PageSize": 4},
    )
    assert [each["ModelPackageArn"] for page in listed for each in page["ModelPackageSummaryList"]] == arns[
        ::-1
    ]
    room.sagemaker.delete_model_package(ModelPackageName=arns[-1])
    assert register(room, name, model).endswith("/12")
    code, message = refusal(lambda: room.sagemaker.delete_model_package_group(ModelPackageGroupName=name))
    assert code == "ConflictException" and "still contains Model Packages" in message


def test_a_version_keeps_what_it_was_registered_with(room: Room, model: str) -> None:
    name = group(room, "kept")
    quality = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://b/e.json"}}}
    arn = register(
        room,
        name,
        model,
        ModelMetrics=quality,
        DriftCheckBaselines=quality,
        CustomerMetadataProperties={"commit": "abc"},
        MetadataProperties={"CommitId": "abc"},
        SourceUri="s3://b/source",
    )
    described = room.sagemaker.describe_model_package(ModelPackageName=arn)
    assert described["ModelApprovalStatus"] == "PendingManualApproval"
    assert described["ModelPackageStatus"] == "Completed"
    assert described["ModelPackageStatusDetails"] == {"ValidationStatuses": [], "ImageScanStatuses": []}
    assert described["ModelMetrics"] == described["DriftCheckBaselines"] == quality
    container = described["InferenceSpecification"]["Containers"][0]
    etag = room.s3.head_object(Bucket=room.bucket, Key="models/model.tar.gz")["ETag"].strip('"')
    assert (container["ModelDataUrl"], container["ModelDataETag"]) == (model, etag)


def test_approval_rejection_and_metadata(room: Room, model: str) -> None:
    arn = register(room, group(room, "approve"), model, CustomerMetadataProperties={"a": "1", "b": "2"})
    room.sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="better",
        CustomerMetadataProperties={"b": "3", "c": "4"},
        CustomerMetadataPropertiesToRemove=["a"],
    )
    described = room.sagemaker.describe_model_package(ModelPackageName=arn)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "better")
    assert described["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    assert described["LastModifiedTime"] > described["CreationTime"]
    assert "LastModifiedBy" in described
    room.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    name = described["ModelPackageGroupName"]
    rejected = room.sagemaker.list_model_packages(ModelPackageGroupName=name, ModelApprovalStatus="Rejected")
    assert [each["ModelPackageArn"] for each in rejected["ModelPackageSummaryList"]] == [arn]
    pending = room.sagemaker.list_model_packages(ModelPackageGroupName=name, ModelApprovalStatus="Approved")
    assert pending["ModelPackageSummaryList"] == []


def test_model_data_must_exist_and_be_readable(room: Room, model: str) -> None:
    name = group(room, "data")
    gone = model.replace("model.tar.gz", "gone.tar.gz")
    assert refusal(lambda: register(room, name, gone)) == (
        "ValidationException",
        f"Could not find model data at {gone}.",
    )
    assert room.sagemaker.list_model_packages(ModelPackageGroupName=name)["ModelPackageSummaryList"] == []


def test_a_repeated_call_with_its_token_registers_once(room: Room, model: str) -> None:
    name, token = group(room, "token"), uuid.uuid4().hex
    assert register(room, name, model, ClientToken=token) == register(room, name, model, ClientToken=token)
    assert len(room.sagemaker.list_model_packages(ModelPackageGroupName=name)["ModelPackageSummaryList"]) == 1


def test_packages_without_versions(room: Room, model: str) -> None:
    name = f"{room.name}-alone"
    create = room.sagemaker.create_model_package
    create(
        ModelPackageName=name, InferenceSpecification=specification(model), Tags=[{"Key": "k", "Value": "v"}]
    )
    described = room.sagemaker.describe_model_package(ModelPackageName=name)
    assert described["ModelPackageName"] == name and "ModelApprovalStatus" not in described
    listed = room.sagemaker.list_model_packages(NameContains=name)["ModelPackageSummaryList"]
    assert [each["ModelPackageName"] for each in listed] == [name]
    code, message = refusal(
        lambda: create(ModelPackageName=name, InferenceSpecification=specification(model))
    )
    assert code == "ValidationException" and "already exists" in message
    update = room.sagemaker.update_model_package
    code, _ = refusal(
        lambda: update(ModelPackageArn=described["ModelPackageArn"], ModelApprovalStatus="Approved")
    )
    assert code == "ValidationException"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({}, "Exactly one of"),
        ({"ModelPackageName": "a", "ModelPackageGroupName": "b"}, "Exactly one of"),
        ({"ModelPackageGroupName": "b", "Tags": [{"Key": "k", "Value": "v"}]}, "uses the tags of the group"),
        ({"ModelPackageGroupName": "b"}, "Either InferenceSpecification or SourceUri"),
        (
            {"ModelPackageGroupName": "b", "CertifyForMarketplace": True},
            "CertifyForMarketplace is not implemented",
        ),
        (
            {"ModelPackageGroupName": "nobody", "SourceUri": "s3://b/m"},
            "model-package-group/nobody does not exist",
        ),
    ],
)
def test_what_cannot_be_registered_is_refused(room: Room, request_: dict[str, Any], reason: str) -> None:
    code, message = refusal(lambda: room.sagemaker.create_model_package(**request_))
    assert code == "ValidationException" and reason in message


def test_descriptions_in_a_batch(room: Room, model: str) -> None:
    arn = register(room, group(room, "batch"), model)
    gone = arn[:-1] + "9"
    answer = room.sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, gone])
    assert answer["ModelPackageSummaries"][arn]["ModelApprovalStatus"] == "PendingManualApproval"
    assert f"{gone} does not exist" in answer["BatchDescribeModelPackageErrorMap"][gone]["ErrorResponse"]


def test_a_groups_policy_and_tags_count_for_its_versions(room: Room, model: str) -> None:
    name = group(room, "guarded", Tags=[{"Key": "team", "Value": "a"}])
    arn = register(room, name, model)
    assert room.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sagemaker:UpdateModelPackage",
        "Resource": f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{name}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    room.sagemaker.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=policy)
    update = room.sagemaker.update_model_package
    code, message = refusal(lambda: update(ModelPackageArn=arn, ModelApprovalStatus="Approved"))
    assert code == "AccessDeniedException" and "explicit deny" in message


def test_a_group_can_be_shared_by_a_policy(room: Room) -> None:
    name = group(room, "shared")
    get = room.sagemaker.get_model_package_group_policy
    code, message = refusal(lambda: get(ModelPackageGroupName=name))
    assert code == "ValidationException" and "Cannot find a resource policy" in message
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
        "Action": "sagemaker:DescribeModelPackage",
        "Resource": f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{name}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    room.sagemaker.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=policy)
    assert json.loads(get(ModelPackageGroupName=name)["ResourcePolicy"]) == json.loads(policy)
    room.sagemaker.delete_model_package_group_policy(ModelPackageGroupName=name)
    assert refusal(lambda: get(ModelPackageGroupName=name))[0] == "ValidationException"
