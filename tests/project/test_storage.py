import json

from tests.template.synthesised import filled, model, of_type, only

KEPT = {
    "ProjectKey": "AWS::KMS::Key",
    "ProjectKeyAlias": "AWS::KMS::Alias",
    "ProjectArtifacts": "AWS::S3::Bucket",
    "ProjectArtifactsPolicy": "AWS::S3::BucketPolicy",
    "ModelPackageGroup": "AWS::SageMaker::ModelPackageGroup",
    "ModelBuildRepository": "AWS::CodeCommit::Repository",
    "ModelDeployRepository": "AWS::CodeCommit::Repository",
}
"""Logical ids may never change: another one replaces the resource, and what it holds is lost."""


def test_what_holds_work_is_kept_under_logical_ids_that_never_change() -> None:
    kept = {
        key: resource["Type"]
        for key, resource in model()["Resources"].items()
        if resource.get("DeletionPolicy") == "RetainExceptOnCreate"
        and resource.get("UpdateReplacePolicy") == "Retain"
    }
    assert kept == KEPT


def test_nothing_that_holds_work_is_left_out() -> None:
    kinds = set(KEPT.values())
    assert {key for key, resource in model()["Resources"].items() if resource["Type"] in kinds} == set(KEPT)


def test_buckets_are_private_versioned_and_without_acls() -> None:
    buckets = of_type(model()["Resources"], "AWS::S3::Bucket")
    assert len(buckets) == 1
    for bucket in buckets.values():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert len(bucket["PublicAccessBlockConfiguration"]) == 4
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
        assert bucket["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_artifacts_are_encrypted_with_the_projects_key() -> None:
    bucket = model()["Resources"]["ProjectArtifacts"]["Properties"]
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {
            "KMSMasterKeyID": {"Fn::GetAtt": ["ProjectKey", "Arn"]},
            "SSEAlgorithm": "aws:kms",
        },
    }


def test_every_bucket_refuses_requests_without_tls() -> None:
    resources = filled(model())
    buckets = {bucket["BucketName"] for bucket in of_type(resources, "AWS::S3::Bucket").values()}
    policies = of_type(resources, "AWS::S3::BucketPolicy")
    assert {policy["Bucket"] for policy in policies.values()} == buckets
    for policy in policies.values():
        denial = policy["PolicyDocument"]["Statement"][0]
        assert denial["Effect"] == "Deny"
        assert denial["Action"] == "s3:*"
        assert denial["Resource"] == [
            f"arn:aws:s3:::{policy['Bucket']}",
            f"arn:aws:s3:::{policy['Bucket']}/*",
        ]
        assert denial["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_key_rotates_and_serves_only_this_projects_logs() -> None:
    key = only(filled(model(), "movies", "p-1"), "AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    logs = next(s for s in key["KeyPolicy"]["Statement"] if "Service" in s["Principal"])
    assert logs["Condition"]["ArnLike"] == {
        "kms:EncryptionContext:aws:logs:arn": [
            "arn:aws:logs:us-east-1:123456789012:log-group:/aws/codebuild/sagemaker-movies-p-1-*",
            "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/movies-p-1-*",
        ]
    }


def test_access_logs_go_to_the_hub_where_no_role_of_the_project_can_reach_them() -> None:
    resources = filled(model(), "movies", "p-1")
    hub = "sagemaker-templates-hub-123456789012-us-east-1"
    assert only(resources, "AWS::S3::Bucket")["LoggingConfiguration"] == {
        "DestinationBucketName": hub,
        "LogFilePrefix": "access-logs/",
    }
    for role in of_type(resources, "AWS::IAM::Role").values():
        assert hub not in json.dumps(role)
