"""Resources as they are: read through their services' own APIs, for drift detection and import.

A reader answers with what its service tells, names as the API has them; `covers` are the properties it can
tell. What no reader covers is not checked.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sandbox.services.cloudformation.resources.errors import is_missing
from sandbox.services.cloudformation.resources.handler import Request

Answer = dict[str, Any]


@dataclass(frozen=True)
class Live:
    """How a type is read. `identifier`: the property that imports name it by; `attributes`: its GetAtts."""

    read: Callable[[Request], Answer | None]
    covers: frozenset[str]
    identifier: str
    attributes: Callable[[Request, Answer], dict[str, Any]] = lambda request, answer: {}


LIVE: dict[str, Live] = {}


def read(request: Request) -> Answer | None:
    """What is there; None for a resource that is gone."""
    from botocore.exceptions import ClientError

    try:
        return LIVE[request.type].read(request)
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def _type(
    name: str,
    identifier: str,
    covers: str,
    attributes: Callable[[Request, Answer], dict[str, Any]] = lambda request, answer: {},
) -> Callable[[Callable[[Request], Answer | None]], Callable[[Request], Answer | None]]:
    def register(function: Callable[[Request], Answer | None]) -> Callable[[Request], Answer | None]:
        LIVE[name] = Live(function, frozenset({identifier, *covers.split()}), identifier, attributes)
        return function

    return register


@_type(
    "AWS::SSM::Parameter",
    "Name",
    "Type Value Description Tier AllowedPattern DataType",
    lambda request, answer: {"Type": answer["Type"], "Value": answer["Value"], "Arn": answer["ARN"]},
)
def _parameter(request: Request) -> Answer | None:
    ssm, name = request.client("ssm"), request.physical_id
    found: Answer = ssm.get_parameter(Name=name)["Parameter"]
    filters = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    return next(iter(ssm.describe_parameters(ParameterFilters=filters)["Parameters"]), {}) | found


@_type(
    "AWS::Logs::LogGroup",
    "LogGroupName",
    "RetentionInDays KmsKeyId",
    lambda request, answer: {"Arn": request.arn("logs", f"log-group:{request.physical_id}:*")},
)
def _log_group(request: Request) -> Answer | None:
    found = request.client("logs").describe_log_groups(logGroupNamePrefix=request.physical_id)["logGroups"]
    return next((item for item in found if item["logGroupName"] == request.physical_id), None)


@_type(
    "AWS::Events::Rule",
    "Name",
    "Description EventPattern ScheduleExpression State RoleArn Targets",
    lambda request, answer: {"Arn": answer["Arn"], "RuleName": answer["Name"]},
)
def _rule(request: Request) -> Answer | None:
    events = request.client("events")
    bus, _, name = request.physical_id.rpartition("|")
    where = {"EventBusName": bus} if bus else {}
    found: Answer = events.describe_rule(Name=name, **where)
    return found | {"Targets": events.list_targets_by_rule(Rule=name, **where)["Targets"]}


@_type(
    "AWS::CloudWatch::Alarm",
    "AlarmName",
    "AlarmDescription ActionsEnabled AlarmActions OKActions InsufficientDataActions MetricName Namespace "
    "Statistic ExtendedStatistic Dimensions Period Unit EvaluationPeriods DatapointsToAlarm Threshold "
    "ComparisonOperator TreatMissingData",
    lambda request, answer: {"Arn": answer["AlarmArn"]},
)
def _alarm(request: Request) -> Answer | None:
    found = request.client("cloudwatch").describe_alarms(AlarmNames=[request.physical_id])
    return next(iter(found.get("MetricAlarms", [])), None)


@_type(
    "AWS::CodeCommit::Repository",
    "RepositoryName",
    "RepositoryDescription",
    lambda request, answer: {
        "Arn": answer["Arn"],
        "Name": answer["repositoryName"],
        "CloneUrlHttp": answer["cloneUrlHttp"],
        "CloneUrlSsh": answer["cloneUrlSsh"],
    },
)
def _repository(request: Request) -> Answer | None:
    client = request.client("codecommit")
    name = request.attributes.get("Name") or request.physical_id
    found: Answer = client.get_repository(repositoryName=name)["repositoryMetadata"]
    return found


@_type(
    "AWS::CodeBuild::Project",
    "Name",
    "Description ServiceRole Source Artifacts Environment TimeoutInMinutes EncryptionKey Cache",
    lambda request, answer: {"Arn": answer["arn"]},
)
def _project(request: Request) -> Answer | None:
    found = request.client("codebuild").batch_get_projects(names=[request.physical_id])["projects"]
    return next(iter(found), None)


@_type(
    "AWS::IAM::Role",
    "RoleName",
    "AssumeRolePolicyDocument Description MaxSessionDuration Path PermissionsBoundary Policies "
    "ManagedPolicyArns",
    lambda request, answer: {"Arn": answer["Arn"], "RoleId": answer["RoleId"]},
)
def _role(request: Request) -> Answer | None:
    iam, name = request.client("iam"), request.physical_id
    found: Answer = iam.get_role(RoleName=name)["Role"]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    # Inline policies may be resources of their own: those that the role itself declares are the role's.
    own = {item["PolicyName"] for item in request.properties.get("Policies", [])}
    names = [item for item in iam.list_role_policies(RoleName=name)["PolicyNames"] if item in own]
    return found | {
        "PermissionsBoundary": found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
        "ManagedPolicyArns": [item["PolicyArn"] for item in attached],
        "Policies": [iam.get_role_policy(RoleName=name, PolicyName=item) for item in names],
    }


@_type(
    "AWS::KMS::Key",
    "KeyId",
    "Description Enabled KeySpec KeyUsage KeyPolicy EnableKeyRotation",
    lambda request, answer: {"KeyId": answer["KeyId"], "Arn": answer["Arn"]},
)
def _key(request: Request) -> Answer | None:
    kms, key = request.client("kms"), request.physical_id
    found: Answer = kms.describe_key(KeyId=key)["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        return None
    return found | {
        "KeyPolicy": kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"],
        "EnableKeyRotation": kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"],
    }


@_type(
    "AWS::S3::Bucket",
    "BucketName",
    "VersioningConfiguration BucketEncryption PublicAccessBlockConfiguration OwnershipControls",
    lambda request, answer: {
        "Arn": f"arn:aws:s3:::{request.physical_id}",
        "DomainName": f"{request.physical_id}.s3.amazonaws.com",
        "DualStackDomainName": f"{request.physical_id}.s3.dualstack.{request.place.region}.amazonaws.com",
        "RegionalDomainName": f"{request.physical_id}.s3.{request.place.region}.amazonaws.com",
        "WebsiteURL": f"http://{request.physical_id}.s3-website-{request.place.region}.amazonaws.com",
    },
)
def _bucket(request: Request) -> Answer | None:
    s3, name = request.client("s3"), request.physical_id
    s3.get_bucket_location(Bucket=name)
    encryption = _configured(s3.get_bucket_encryption, name, "ServerSideEncryptionConfiguration")
    rules = [
        {("ServerSideEncryptionByDefault" if "Apply" in key else key): item for key, item in rule.items()}
        for rule in (encryption or {}).get("Rules", [])
    ]
    return {
        "BucketName": name,
        "VersioningConfiguration": s3.get_bucket_versioning(Bucket=name),
        "BucketEncryption": {"ServerSideEncryptionConfiguration": rules} if rules else None,
        "PublicAccessBlockConfiguration": _configured(
            s3.get_public_access_block, name, "PublicAccessBlockConfiguration"
        ),
        "OwnershipControls": _configured(s3.get_bucket_ownership_controls, name, "OwnershipControls"),
    }


def _configured(get: Callable[..., Answer], bucket: str, member: str) -> Any:
    """A configuration of a bucket that exists, None where it has none."""
    from botocore.exceptions import ClientError

    try:
        return get(Bucket=bucket)[member]
    except ClientError as error:
        if is_missing(error):
            return None
        raise


def _sagemaker(noun: str, covers: str) -> None:
    """Types that Describe tells whole."""
    from botocore import xform_name

    def describe(request: Request) -> Answer | None:
        name = request.attributes.get(f"{noun}Name") or request.physical_id.rpartition("/")[2]
        client = request.client("sagemaker")
        found: Answer = getattr(client, xform_name(f"Describe{noun}"))(**{f"{noun}Name": name})
        return found

    def attributes(request: Request, answer: Answer) -> dict[str, Any]:
        return {f"{noun}Name": answer[f"{noun}Name"], f"{noun}Arn": answer[f"{noun}Arn"]}

    LIVE[f"AWS::SageMaker::{noun}"] = Live(
        describe, frozenset({f"{noun}Name", *covers.split()}), f"{noun}Name", attributes
    )


_sagemaker("ModelPackageGroup", "ModelPackageGroupDescription")
_sagemaker("Model", "ExecutionRoleArn PrimaryContainer Containers EnableNetworkIsolation VpcConfig")
_sagemaker("EndpointConfig", "ProductionVariants DataCaptureConfig KmsKeyId AsyncInferenceConfig")
_sagemaker("Endpoint", "EndpointConfigName")
_sagemaker("Pipeline", "PipelineDisplayName PipelineDescription RoleArn ParallelismConfiguration")


def physical_id(type_name: str, answer: Answer, identifier: str) -> str:
    """What Ref gives for an imported resource."""
    if type_name.startswith("AWS::SageMaker::") and type_name != "AWS::SageMaker::Pipeline":
        with suppress(KeyError):
            return str(answer[f"{type_name.rpartition('::')[2]}Arn"])
    return str(answer["repositoryId"]) if type_name == "AWS::CodeCommit::Repository" else identifier
