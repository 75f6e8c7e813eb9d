"""Tags given at creation: the permission to tag is asked beside the permission to create.

Sources: the operations' own API pages ("To be able to tag … on creation, you must have …"), "Tagging
SageMaker AI resources", "Tagging IAM resources", and `tagging.permissions` of the registry's schemas.
"""

from __future__ import annotations

from sandbox.iam.actions.check import Asked, Check

BY_OPERATION = {
    ("application-autoscaling", "RegisterScalableTarget"): "application-autoscaling:TagResource",
    ("cloudwatch", "PutCompositeAlarm"): "cloudwatch:TagResource",
    ("cloudwatch", "PutMetricAlarm"): "cloudwatch:TagResource",
    ("codecommit", "CreateRepository"): "codecommit:TagResource",
    ("codeconnections", "CreateConnection"): "codeconnections:TagResource",
    ("codepipeline", "CreatePipeline"): "codepipeline:TagResource",
    ("codestar-connections", "CreateConnection"): "codestar-connections:TagResource",
    ("ecr", "CreateRepository"): "ecr:TagResource",
    ("events", "CreateEventBus"): "events:TagResource",
    ("events", "PutRule"): "events:TagResource",
    ("iam", "CreateInstanceProfile"): "iam:TagInstanceProfile",
    ("iam", "CreatePolicy"): "iam:TagPolicy",
    ("iam", "CreateRole"): "iam:TagRole",
    ("iam", "CreateUser"): "iam:TagUser",
    ("kms", "CreateKey"): "kms:TagResource",
    ("lambda", "CreateFunction"): "lambda:TagResource",
    ("logs", "CreateLogGroup"): "logs:TagResource",
    ("scheduler", "CreateScheduleGroup"): "scheduler:TagResource",
    ("secretsmanager", "CreateSecret"): "secretsmanager:TagResource",
    ("sns", "CreateTopic"): "sns:TagResource",
    ("sqs", "CreateQueue"): "sqs:TagQueue",
    ("ssm", "PutParameter"): "ssm:AddTagsToResource",
    ("stepfunctions", "CreateActivity"): "states:TagResource",
    ("stepfunctions", "CreateStateMachine"): "states:TagResource",
}
"""(botocore service, operation) → the action that allows its tags. SageMaker's is the same for all."""

_MEMBERS = ("tags", "taglist", "tagging")


def checks(asked: Asked, main: tuple[str, ...]) -> list[Check]:
    """One check where the request brings tags. `main`: ARNs that the operation itself is about."""
    if asked.service == "sagemaker":
        action = "sagemaker:AddTags" if asked.operation.startswith(("Create", "Import")) else None
    else:
        action = BY_OPERATION.get((asked.service, asked.operation))
    if action is None or not any(asked.params.get(name) for name in asked.params if name.lower() in _MEMBERS):
        return []
    return [Check(action, main[:1])]
