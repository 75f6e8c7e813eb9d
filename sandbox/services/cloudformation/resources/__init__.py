"""Resource types: one file an AWS service; handlers call that service's API as the stack's principal."""

from __future__ import annotations

import importlib

from sandbox.services.cloudformation.resources.handler import HANDLERS, Handler

_MODULES = {
    "AWS::ApplicationAutoScaling": "application_autoscaling",
    "AWS::CDK": "inert",
    "AWS::CloudFormation": "cloudformation",
    "AWS::CloudWatch": "cloudwatch",
    "AWS::CodeBuild": "codebuild",
    "AWS::CodeCommit": "codecommit",
    "AWS::CodePipeline": "codepipeline",
    "AWS::Events": "events",
    "AWS::IAM": "iam",
    "AWS::KMS": "kms",
    "AWS::Lambda": "lambda_",
    "AWS::Logs": "logs",
    "AWS::S3": "s3",
    "AWS::SSM": "ssm",
    "AWS::SageMaker": "sagemaker",
    "AWS::ServiceCatalog": "servicecatalog",
}


def handler_of(type_name: str) -> Handler | None:
    """The handler of a resource type, or None for a type that the sandbox does not create."""
    if type_name.startswith("Custom::"):
        type_name = "AWS::CloudFormation::CustomResource"
    if type_name not in HANDLERS:
        module = _MODULES.get(type_name.rpartition("::")[0])
        if module is None:
            return None
        importlib.import_module(f"{__name__}.{module}")
    return HANDLERS.get(type_name)


def supported() -> dict[str, Handler]:
    """Every resource type that the sandbox creates, with its handler."""
    for module in _MODULES.values():
        importlib.import_module(f"{__name__}.{module}")
    return dict(sorted(HANDLERS.items()))
