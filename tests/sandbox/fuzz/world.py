"""What exists before the first random request, so that requests about something reach it."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.sandbox.fuzz import documents
from tests.sandbox.fuzz.requests import Memory
from tests.sandbox.fuzz.sender import Sender

NAME = "fuzz"
ROLE = "arn:aws:iam::123456789012:role/fuzz"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {
                "Service": [f"{name}.amazonaws.com" for name in documents.TRUSTED],
                "AWS": "123456789012",
            },
            "Action": "sts:AssumeRole",
        }
    ],
}
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"

MADE: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("iam", "CreateRole", {"RoleName": NAME, "AssumeRolePolicyDocument": json.dumps(TRUST)}),
    ("iam", "PutRolePolicy", {"RoleName": NAME, "PolicyName": NAME, "PolicyDocument": json.dumps(ALL)}),
    ("s3", "CreateBucket", {"Bucket": "fuzz-bucket"}),
    ("s3", "PutObject", {"Bucket": "fuzz-bucket", "Key": "data.csv", "Body": b"1,2\n3,4\n"}),
    (
        "s3",
        "PutObject",
        {"Bucket": "fuzz-bucket", "Key": "template", "Body": json.dumps(documents.TEMPLATE).encode()},
    ),
    ("s3", "PutObject", {"Bucket": "fuzz-bucket", "Key": "model.tar.gz", "Body": b""}),
    ("kms", "CreateKey", {}),
    ("logs", "CreateLogGroup", {"logGroupName": NAME}),
    ("logs", "CreateLogStream", {"logGroupName": NAME, "logStreamName": NAME}),
    ("ssm", "PutParameter", {"Name": NAME, "Value": "x", "Type": "String"}),
    ("codecommit", "CreateRepository", {"repositoryName": NAME}),
    (
        "codecommit",
        "PutFile",
        {
            "repositoryName": NAME,
            "branchName": "main",
            "fileContent": b"version: 0.2\n",
            "filePath": "buildspec.yml",
        },
    ),
    (
        "codebuild",
        "CreateProject",
        {
            "name": NAME,
            "source": {
                "type": "NO_SOURCE",
                "buildspec": "version: 0.2\nphases: {build: {commands: ['true']}}\n",
            },
            "artifacts": {"type": "NO_ARTIFACTS"},
            "environment": {
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            "serviceRole": ROLE,
        },
    ),
    ("sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": NAME}),
    (
        "sagemaker",
        "CreateModelPackage",
        {
            "ModelPackageGroupName": NAME,
            "InferenceSpecification": {
                "Containers": [{"Image": IMAGE, "ModelDataUrl": "s3://fuzz-bucket/model.tar.gz"}],
                "SupportedContentTypes": ["text/csv"],
                "SupportedResponseMIMETypes": ["text/csv"],
            },
        },
    ),
    (
        "sagemaker",
        "CreatePipeline",
        {
            "PipelineName": NAME,
            "ClientRequestToken": "fuzz" * 8,
            "RoleArn": ROLE,
            "PipelineDefinition": json.dumps(documents.PIPELINE),
        },
    ),
    ("events", "PutRule", {"Name": NAME, "EventPattern": json.dumps(documents.PATTERN)}),
    (
        "cloudwatch",
        "PutMetricAlarm",
        {
            "AlarmName": NAME,
            "Namespace": NAME,
            "MetricName": NAME,
            "Statistic": "Sum",
            "Period": 60,
            "EvaluationPeriods": 1,
            "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
        },
    ),
    ("cloudformation", "CreateStack", {"StackName": NAME, "TemplateBody": json.dumps(documents.TEMPLATE)}),
    (
        "servicecatalog",
        "CreatePortfolio",
        {"DisplayName": NAME, "ProviderName": NAME, "IdempotencyToken": NAME},
    ),
    (
        "servicecatalog",
        "CreateProduct",
        {
            "Name": NAME,
            "Owner": NAME,
            "ProductType": "CLOUD_FORMATION_TEMPLATE",
            "IdempotencyToken": NAME,
            "ProvisioningArtifactParameters": {
                "Name": "v1",
                "Type": "CLOUD_FORMATION_TEMPLATE",
                "Info": {"LoadTemplateFromURL": "https://fuzz-bucket.s3.us-east-1.amazonaws.com/template"},
            },
        },
    ),
)


def make(sender: Sender, memory: Memory) -> list[str]:
    """Makes it all and remembers it; what was refused, for a test to say."""
    refused = []
    chance = random.Random(NAME)
    for service, operation, request in MADE:
        sent = sender.send(service, operation, request)
        if sent is None or sent.answer is None:
            refused.append(f"{service} {operation}: {sent and sent.code} {sent and sent.faults}")
            continue
        memory.learn(request, chance)
        memory.learn({k: v for k, v in sent.answer.items() if k != "ResponseMetadata"}, chance)
    return refused
