"""Requests to IAM actions and resources."""

from __future__ import annotations

import json

import botocore.session
import pytest

from sandbox.iam.actions import Unmapped, passing, resolve
from sandbox.iam.actions.catalogue import actions, iam_prefix

ACCOUNT = "210987654321"
REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/R"
SERVICES = [
    "s3",
    "iam",
    "sts",
    "kms",
    "logs",
    "ssm",
    "cloudformation",
    "servicecatalog",
    "codecommit",
    "codebuild",
    "codepipeline",
    "events",
    "sagemaker",
    "sagemaker-runtime",
    "cloudwatch",
    "application-autoscaling",
    "lambda",
    "sns",
    "sqs",
]
MODELS = botocore.session.get_session()


def ask(service, operation, **params):
    return resolve(
        service,
        operation,
        params,
        REGION,
        ACCOUNT,
        caller="me",
        locate=lambda s, kind, name: f"arn:aws:{s}:::{kind}/{name}",
    )


def one(service, operation, **params):
    found = ask(service, operation, **params)
    return found[0].action, list(found[0].resources)


def arn(service, resource):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def example(shape, name="", depth=0):
    """Members of an input shape, all of them set; names that hold roles hold one."""
    if name.lower() in passing.ROLE_MEMBERS and shape.type_name == "string":
        return ROLE
    match shape.type_name:
        case "structure":
            return (
                {key: example(value, key, depth + 1) for key, value in shape.members.items()}
                if depth < 7
                else {}
            )
        case "list":
            return [example(shape.member, name, depth + 1)]
        case "map":
            return {"k": example(shape.value, name, depth + 1)}
        case "blob":
            return b"x"
        case "boolean":
            return True
        case "string":
            return f"x{name}"
    return 1


def input_of(service, operation):
    shape = MODELS.get_service_model(service).operation_model(operation).input_shape
    return example(shape) if shape else {}


WITHOUT_NAMES = {
    # Named only by an ARN, which the example's members are not.
    *(
        f"iam:{name}OpenIDConnectProvider"
        for name in ("AddClientIDTo", "Delete", "Get", "RemoveClientIDFrom", "Tag", "Untag")
    ),
    "iam:ListOpenIDConnectProviderTags",
    "iam:UpdateOpenIDConnectProviderThumbprint",
    "iam:GenerateServiceLastAccessedDetails",
    "iam:ListPoliciesGrantingServiceAccess",
    "iam:GetRoleTemplateVersion",
    "iam:GetHumanReadableSummary",
    "iam:CreateDelegationRequest",
    "sagemaker:AddAssociation",
    "sagemaker:DeleteAssociation",
    *(f"sagemaker:{verb}PartnerApp" for verb in ("Delete", "Describe", "Update")),
    *(f"sagemaker:{verb}MlflowApp" for verb in ("Delete", "Describe")),
    "s3:WriteGetObjectResponse",
    *(f"lambda:{verb}CodeSigningConfig" for verb in ("Delete", "Get", "Update")),
    "lambda:ListFunctionsByCodeSigningConfig",
    *(f"lambda:{verb}ResourcePolicy" for verb in ("Delete", "Get", "Put")),
    "lambda:CheckpointDurableExecution",
    "lambda:StopDurableExecution",
    *(f"lambda:{operation}" for operation in ("ListTags", "TagResource", "UntagResource")),
    *(f"lambda:GetDurableExecution{part}" for part in ("", "History", "State")),
    *(f"lambda:SendDurableExecutionCallback{result}" for result in ("Failure", "Heartbeat", "Success")),
}


NEWER = {
    "cloudwatch:DescribeAlarmContributors",
    "cloudformation:SetAlias",
    "ssm:AssociateOpsItemRelatedItem",
} | {f"sagemaker:{verb}EndpointPolicy" for verb in ("Delete", "Get", "Put")}
"""Actions that AWS's reference does not list yet, on resources that are known."""


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_resolves_to_a_listed_action(service):
    listed = actions(iam_prefix(service))
    for operation in MODELS.get_service_model(service).operation_names:
        name = f"{iam_prefix(service)}:{operation}"
        try:
            checks = resolve(
                service,
                operation,
                input_of(service, operation),
                REGION,
                ACCOUNT,
                caller="me",
                locate=lambda *_: "arn:aws:x:::y",
            )
        except Unmapped as unmapped:
            # What AWS's own reference does not list yet cannot be mapped; nothing else may be missing.
            assert operation.lower() not in listed or name in WITHOUT_NAMES, f"{name}: {unmapped}"
            continue
        for check in checks:
            prefix, _, action = check.action.partition(":")
            assert action.lower() in actions(prefix) or name in NEWER, check
            assert check.resources
            # Members that hold ARNs are taken as they are, and those of the example are their own names.
            assert all(
                item == "*" or item.startswith("arn:") or item.lower().endswith(("arn", "arns", "role"))
                for item in check.resources
            ), check


@pytest.mark.parametrize("service", SERVICES)
def test_every_role_a_request_takes_is_passed(service):
    """The reference's dependent action iam:PassRole, wherever the request can hold a role at all."""
    for operation in MODELS.get_service_model(service).operation_names:
        details = actions(iam_prefix(service)).get(operation.lower())
        params = input_of(service, operation)
        if (
            details is None
            or "iam:PassRole" not in json.dumps(details)
            or ROLE not in json.dumps(params, default=str)
        ):
            continue
        passed = [check for check in ask(service, operation, **params) if check.action == "iam:PassRole"]
        assert passed, f"{service}:{operation} takes a role and passes none"
        assert all(check.context["iam:PassedToService"].endswith(".amazonaws.com") for check in passed)


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        ("ListObjectsV2", {"Bucket": "b", "Prefix": "p"}, ("s3:ListBucket", "b")),
        ("HeadBucket", {"Bucket": "b"}, ("s3:ListBucket", "b")),
        ("HeadObject", {"Bucket": "b", "Key": "k/x"}, ("s3:GetObject", "b/k/x")),
        ("GetObject", {"Bucket": "b", "Key": "k", "VersionId": "1"}, ("s3:GetObjectVersion", "b/k")),
        (
            "GetObjectTagging",
            {"Bucket": "b", "Key": "k", "VersionId": "1"},
            ("s3:GetObjectVersionTagging", "b/k"),
        ),
        ("UploadPart", {"Bucket": "b", "Key": "k"}, ("s3:PutObject", "b/k")),
        ("ListParts", {"Bucket": "b", "Key": "k"}, ("s3:ListMultipartUploadParts", "b/k")),
        ("AbortMultipartUpload", {"Bucket": "b", "Key": "k"}, ("s3:AbortMultipartUpload", "b/k")),
        ("PutPublicAccessBlock", {"Bucket": "b"}, ("s3:PutBucketPublicAccessBlock", "b")),
        ("DeleteBucketEncryption", {"Bucket": "b"}, ("s3:PutEncryptionConfiguration", "b")),
        ("ListObjectVersions", {"Bucket": "b"}, ("s3:ListBucketVersions", "b")),
    ],
)
def test_s3_actions(operation, params, expected):
    assert one("s3", operation, **params) == (expected[0], [f"arn:aws:s3:::{expected[1]}"])


def test_s3_copies_and_deletes():
    copied = ask("s3", "CopyObject", Bucket="b", Key="k", CopySource="src/a%20b?versionId=7", Tagging="x=1")
    assert [(check.action, *check.resources) for check in copied] == [
        ("s3:PutObject", "arn:aws:s3:::b/k"),
        ("s3:GetObjectVersion", "arn:aws:s3:::src/a b"),
        ("s3:PutObjectTagging", "arn:aws:s3:::b/k"),
    ]
    deleted = ask(
        "s3", "DeleteObjects", Bucket="b", Delete={"Objects": [{"Key": "x"}, {"Key": "y", "VersionId": "1"}]}
    )
    assert [(check.action, *check.resources) for check in deleted] == [
        ("s3:DeleteObject", "arn:aws:s3:::b/x"),
        ("s3:DeleteObjectVersion", "arn:aws:s3:::b/y"),
    ]


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        ("sagemaker", "CreateModel", {"ModelName": "m"}, [arn("sagemaker", "model/m")]),
        (
            "sagemaker",
            "CreateModelPackage",
            {"ModelPackageGroupName": "g"},
            [arn("sagemaker", "model-package/g/*")],
        ),
        (
            "sagemaker",
            "UpdateModelPackage",
            {"ModelPackageArn": arn("sagemaker", "model-package/g/3")},
            [arn("sagemaker", "model-package/g/3")],
        ),
        (
            "sagemaker",
            "DescribeModelPackage",
            {"ModelPackageName": arn("sagemaker", "model-package/g/3")},
            [arn("sagemaker", "model-package/g/3")],
        ),
        (
            "sagemaker",
            "AddTags",
            {"ResourceArn": arn("sagemaker", "pipeline/p")},
            [arn("sagemaker", "pipeline/p")],
        ),
        ("sagemaker", "StartPipelineExecution", {"PipelineName": "p"}, [arn("sagemaker", "pipeline/p")]),
        (
            "sagemaker",
            "DescribePipelineExecution",
            {"PipelineExecutionArn": arn("sagemaker", "pipeline/p/execution/e")},
            [arn("sagemaker", "pipeline/p/execution/e")],
        ),
        ("sagemaker", "ListModelPackages", {}, ["*"]),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"}, [arn("sagemaker", "endpoint/e")]),
        ("codecommit", "GetBranch", {"repositoryName": "r"}, [arn("codecommit", "r")]),
        (
            "codecommit",
            "BatchGetRepositories",
            {"repositoryNames": ["a", "b"]},
            [arn("codecommit", "a"), arn("codecommit", "b")],
        ),
        ("codecommit", "CreatePullRequest", {"targets": [{"repositoryName": "r"}]}, [arn("codecommit", "r")]),
        ("codecommit", "GetPullRequest", {"pullRequestId": "7"}, ["arn:aws:codecommit:::pull-request/7"]),
        ("codecommit", "ListRepositories", {}, ["*"]),
        (
            "codebuild",
            "BatchGetBuilds",
            {"ids": ["p:1", arn("codebuild", "build/q:2")]},
            [arn("codebuild", "project/p"), arn("codebuild", "project/q")],
        ),
        ("codebuild", "StartBuild", {"projectName": "p"}, [arn("codebuild", "project/p")]),
        ("codepipeline", "CreatePipeline", {"pipeline": {"name": "p"}}, [arn("codepipeline", "p")]),
        (
            "codepipeline",
            "PutApprovalResult",
            {"pipelineName": "p", "stageName": "s", "actionName": "a"},
            [arn("codepipeline", "p/s/a")],
        ),
        (
            "codepipeline",
            "RetryStageExecution",
            {"pipelineName": "p", "stageName": "s"},
            [arn("codepipeline", "p/s")],
        ),
        ("cloudformation", "CreateStack", {"StackName": "s"}, [arn("cloudformation", "stack/s/*")]),
        (
            "cloudformation",
            "DescribeStacks",
            {"StackName": arn("cloudformation", "stack/s/1")},
            [arn("cloudformation", "stack/s/1")],
        ),
        ("cloudformation", "ValidateTemplate", {"TemplateBody": "{}"}, ["*"]),
        ("events", "PutRule", {"Name": "r"}, [arn("events", "rule/r")]),
        (
            "events",
            "PutTargets",
            {"Rule": "r", "EventBusName": "bus", "Targets": []},
            [arn("events", "rule/bus/r")],
        ),
        ("events", "PutEvents", {"Entries": [{"Source": "x"}]}, [arn("events", "event-bus/default")]),
        ("servicecatalog", "ProvisionProduct", {"ProductId": "prod-1"}, [arn("catalog", "product/prod-1")]),
        ("servicecatalog", "CreatePortfolio", {"DisplayName": "d"}, [arn("catalog", "portfolio/*")]),
        ("servicecatalog", "SearchProducts", {}, ["*"]),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/g", "logStreamName": "s"},
            [arn("logs", "log-group:/g:log-stream:s")],
        ),
        ("logs", "CreateLogGroup", {"logGroupName": "/g"}, [arn("logs", "log-group:/g:log-stream:")]),
        ("logs", "TagResource", {"resourceArn": arn("logs", "log-group:/g")}, [arn("logs", "log-group:/g")]),
        ("ssm", "GetParameter", {"Name": "/a/b"}, [arn("ssm", "parameter/a/b")]),
        ("ssm", "GetParametersByPath", {"Path": "/a"}, [arn("ssm", "parameter/a")]),
        ("cloudwatch", "PutMetricAlarm", {"AlarmName": "a"}, [arn("cloudwatch", "alarm:a")]),
        ("cloudwatch", "DescribeAlarms", {}, [arn("cloudwatch", "alarm:*")]),
        ("cloudwatch", "PutMetricData", {"Namespace": "n"}, ["*"]),
        (
            "application-autoscaling",
            "RegisterScalableTarget",
            {"ServiceNamespace": "sagemaker", "ResourceId": "endpoint/e/variant/v"},
            [arn("application-autoscaling", "scalable-target/*")],
        ),
        ("kms", "Decrypt", {"KeyId": "1-2", "CiphertextBlob": b""}, [arn("kms", "key/1-2")]),
        (
            "kms",
            "CreateAlias",
            {"AliasName": "alias/a", "TargetKeyId": "1"},
            [arn("kms", "alias/a"), arn("kms", "key/1")],
        ),
        ("iam", "CreateRole", {"RoleName": "r", "Path": "/p/"}, [f"arn:aws:iam::{ACCOUNT}:role/p/r"]),
        ("iam", "CreateAccessKey", {}, [f"arn:aws:iam::{ACCOUNT}:user/me"]),
        (
            "iam",
            "AttachRolePolicy",
            {"RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/X"},
            [f"arn:aws:iam::{ACCOUNT}:role/r"],
        ),
        ("iam", "GetPolicy", {"PolicyArn": "arn:aws:iam::aws:policy/X"}, ["arn:aws:iam::aws:policy/X"]),
        ("sts", "AssumeRole", {"RoleArn": ROLE}, [ROLE]),
    ],
)
def test_resources(service, operation, params, expected):
    action, resources = one(service, operation, **params)
    assert (action, resources) == (f"{iam_prefix(service)}:{operation}", expected)


def test_nothing_is_needed_to_ask_who_one_is():
    assert ask("sts", "GetCallerIdentity") == []


@pytest.mark.parametrize(
    ("service", "operation", "params", "passed"),
    [
        (
            "sagemaker",
            "CreateModel",
            {"ModelName": "m", "ExecutionRoleArn": ROLE},
            {ROLE: "sagemaker.amazonaws.com"},
        ),
        (
            "sagemaker",
            "CreatePipeline",
            {"PipelineName": "p", "RoleArn": ROLE},
            {ROLE: "sagemaker.amazonaws.com"},
        ),
        ("codebuild", "CreateProject", {"name": "p", "serviceRole": ROLE}, {ROLE: "codebuild.amazonaws.com"}),
        ("codebuild", "StartBuild", {"projectName": "p"}, {}),
        (
            "cloudformation",
            "CreateChangeSet",
            {"StackName": "s", "RoleARN": ROLE},
            {ROLE: "cloudformation.amazonaws.com"},
        ),
        ("cloudformation", "ExecuteChangeSet", {"StackName": "s", "ChangeSetName": "c"}, {}),
        (
            "events",
            "PutTargets",
            {"Rule": "r", "Targets": [{"Id": "1", "Arn": "a", "RoleArn": ROLE}]},
            {ROLE: "events.amazonaws.com"},
        ),
        (
            "codepipeline",
            "UpdatePipeline",
            {
                "pipeline": {
                    "name": "p",
                    "roleArn": ROLE,
                    "stages": [
                        {"actions": [{"roleArn": f"{ROLE}2", "configuration": {"RoleArn": f"{ROLE}3"}}]}
                    ],
                }
            },
            {ROLE: "codepipeline.amazonaws.com", f"{ROLE}2": "codepipeline.amazonaws.com"},
        ),
        (
            "servicecatalog",
            "CreateConstraint",
            {"ProductId": "prod-1", "Type": "LAUNCH", "Parameters": json.dumps({"RoleArn": ROLE})},
            {ROLE: "servicecatalog.amazonaws.com"},
        ),
        (
            "s3",
            "PutBucketReplication",
            {"Bucket": "b", "ReplicationConfiguration": {"Role": ROLE}},
            {ROLE: "s3.amazonaws.com"},
        ),
        ("sagemaker", "ListPipelines", {}, {}),
    ],
)
def test_roles_passed(service, operation, params, passed):
    found = {
        check.resources[0]: check.context["iam:PassedToService"]
        for check in ask(service, operation, **params)
        if check.action == "iam:PassRole"
    }
    assert found == passed


def test_the_associated_resource_is_told():
    check = next(
        check
        for check in ask("sagemaker", "CreateModel", ModelName="m", ExecutionRoleArn=ROLE)
        if check.action == "iam:PassRole"
    )
    assert check.context["iam:AssociatedResourceArn"] == arn("sagemaker", "model/m")


def test_what_cannot_be_mapped_is_named():
    with pytest.raises(Unmapped) as caught:
        resolve("codecommit", "GetPullRequest", {"pullRequestId": "1"}, REGION, ACCOUNT)
    assert caught.value.action == "codecommit:GetPullRequest"
    with pytest.raises(Unmapped, match="not known"):
        resolve("sagemaker", "CreateTimeMachine", {}, REGION, ACCOUNT)
