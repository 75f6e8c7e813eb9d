"""What AWS documents that a service's role needs, although the sandbox's service may not call all of it.

A role that lacks one of these may fail on AWS where it passes here; one that has it is not over-privileged
for that. By service principal of the role's trust policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

BY_SERVICE: dict[str, frozenset[str]] = {
    # "Allow AWS CodeBuild to interact with other AWS services", CodeBuild User Guide
    "codebuild.amazonaws.com": frozenset(
        {
            "codecommit:GitPull",
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "s3:GetBucketAcl",
            "s3:GetBucketLocation",
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:PutObject",
        }
    ),
    # "Manage the CodePipeline service role" and "CodeCommit action reference", CodePipeline User Guide;
    # "Add service role permissions": CodeBuild and CloudFormation actions
    "codepipeline.amazonaws.com": frozenset(
        {
            "cloudformation:CreateStack",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStacks",
            "cloudformation:UpdateStack",
            "codebuild:BatchGetBuilds",
            "codebuild:StartBuild",
            "codecommit:CancelUploadArchive",
            "codecommit:GetBranch",
            "codecommit:GetCommit",
            "codecommit:GetUploadArchiveStatus",
            "codecommit:UploadArchive",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "s3:GetBucketAcl",
            "s3:GetBucketLocation",
            "s3:GetBucketVersioning",
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:PutObject",
            "s3:PutObjectAcl",
        }
    ),
    # "How to use SageMaker AI execution roles", SageMaker AI Developer Guide: jobs, models, keys of each
    "sagemaker.amazonaws.com": frozenset(
        {
            "cloudwatch:PutMetricData",
            "ecr:BatchCheckLayerAvailability",
            "ecr:BatchGetImage",
            "ecr:GetAuthorizationToken",
            "ecr:GetDownloadUrlForLayer",
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
            "s3:GetObject",
            "s3:ListBucket",
            "s3:PutObject",
        }
    ),
    # "AWS Service Catalog launch constraints", Service Catalog Administrator Guide
    "servicecatalog.amazonaws.com": frozenset(
        {
            "cloudformation:CreateStack",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStacks",
            "cloudformation:GetTemplateSummary",
            "cloudformation:SetStackPolicy",
            "cloudformation:UpdateStack",
            "cloudformation:ValidateTemplate",
            "s3:GetObject",
        }
    ),
}

BY_TYPE: dict[str, frozenset[str]] = {
    # no handlers in the registry's schema: the calls of the type's documented operations
    "AWS::CodeBuild::Project": frozenset(
        {
            "codebuild:BatchGetProjects",
            "codebuild:CreateProject",
            "codebuild:DeleteProject",
            "codebuild:UpdateProject",
        }
    ),
    # "AWS KMS and encryption for AWS CodeCommit repositories", CodeCommit User Guide: a customer managed key
    "AWS::CodeCommit::Repository": frozenset(
        {
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        }
    ),
}
"""Beside what the registry's schemas list for a type's handlers."""


def of_trust(document: str) -> frozenset[str]:
    """What is documented for the services that a trust policy (JSON) lets in."""
    found: set[str] = set()
    for statement in _list(json.loads(document).get("Statement", [])):
        principal = statement.get("Principal")
        for service in _list(principal.get("Service", [])) if isinstance(principal, Mapping) else []:
            found |= BY_SERVICE.get(service, frozenset())
    return frozenset(found)


def of_types(types: Iterable[str]) -> frozenset[str]:
    """What is documented beside the registry's schemas for resource types."""
    return frozenset().union(*(BY_TYPE.get(name, frozenset()) for name in types))


def _list(value: object) -> list:
    return value if isinstance(value, list) else [value]
