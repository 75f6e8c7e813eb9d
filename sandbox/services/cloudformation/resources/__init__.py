"""Resource types: one file an AWS service; handlers call that service's API as the stack's principal."""

from __future__ import annotations

import importlib

from sandbox.services.cloudformation.resources.handler import HANDLERS, Handler

_MODULES: dict[str, str | tuple[str, ...]] = {
    "AWS::ApplicationAutoScaling": "application_autoscaling",
    "AWS::CDK": "inert",
    "AWS::CloudFormation": "cloudformation",
    "AWS::CloudWatch": ("cloudwatch", "cloudwatch_dashboards"),
    "AWS::CodeBuild": "codebuild",
    "AWS::CodeConnections": "codeconnections",
    "AWS::CodeStarConnections": "codeconnections",
    "AWS::CodeCommit": "codecommit",
    "AWS::CodePipeline": "codepipeline",
    "AWS::EC2": "ec2",
    "AWS::ECR": "ecr",
    "AWS::Events": "events",
    "AWS::IAM": ("iam", "iam_groups", "iam_keys"),
    "AWS::KMS": "kms",
    "AWS::Lambda": "lambda_",
    "AWS::Logs": "logs",
    "AWS::S3": "s3",
    "AWS::SNS": "sns",
    "AWS::SQS": "sqs",
    "AWS::SSM": "ssm",
    "AWS::SageMaker": ("sagemaker", "sagemaker_kept", "sagemaker_packages"),
    "AWS::Scheduler": "scheduler",
    "AWS::SecretsManager": "secretsmanager",
    "AWS::ServiceCatalog": "servicecatalog",
    "AWS::StepFunctions": "stepfunctions",
}


def handler_of(type_name: str) -> Handler | None:
    """The handler of a resource type, or None for a type that the sandbox does not create."""
    if type_name.startswith("Custom::"):
        type_name = "AWS::CloudFormation::CustomResource"
    if type_name not in HANDLERS:
        modules = _MODULES.get(type_name.rpartition("::")[0])
        if modules is None:
            return None
        _load(modules)
    return HANDLERS.get(type_name)


def supported() -> dict[str, Handler]:
    """Every resource type that the sandbox creates, with its handler."""
    for modules in _MODULES.values():
        _load(modules)
    return dict(sorted(HANDLERS.items()))


def _load(modules: str | tuple[str, ...]) -> None:
    for module in (modules,) if isinstance(modules, str) else modules:
        importlib.import_module(f"{__name__}.{module}")
