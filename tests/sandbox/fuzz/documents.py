"""Texts that have a form of their own inside a string, by the end of the member's name (lower case)."""

from __future__ import annotations

import json
from typing import Any

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "A", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
    ],
}
RESOURCE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "*", "Resource": "*"}],
}
TRUSTED = (
    "codebuild",
    "codepipeline",
    "cloudformation",
    "events",
    "lambda",
    "sagemaker",
    "scheduler",
    "states",
)
"""The services whose roles the requests hand over."""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": [f"{name}.amazonaws.com" for name in TRUSTED]},
            "Action": "sts:AssumeRole",
        }
    ],
}
TEMPLATE: dict[str, Any] = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Parameters": {"P": {"Type": "String", "Default": "x"}},
    "Resources": {
        "R": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "P"}}}
    },
    "Outputs": {"O": {"Value": {"Ref": "R"}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-o"}}}},
}
PIPELINE = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "P", "Type": "String", "DefaultValue": "x"}],
    "Steps": [{"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
}
MACHINE = {
    "StartAt": "A",
    "States": {"A": {"Type": "Wait", "Seconds": 1, "Next": "B"}, "B": {"Type": "Succeed"}},
}
PATTERN = {"source": ["aws.sagemaker"], "detail": {"a": [{"prefix": "x"}, {"numeric": [">", 1]}]}}

NOT_QUITE = (
    "{}",
    "[]",
    "null",
    '{"a": 1}',
    "not json",
    "[" * 3000,
    '{"Statement": 1, "Version": "2012-10-17"}',
)


def _texts(*documents: Any) -> tuple[str, ...]:
    # Mostly the document as it should be: what comes behind it is what is to be reached.
    return tuple(json.dumps(document) for document in documents) * 4 + NOT_QUITE


DOCUMENTS: dict[str, tuple[str, ...]] = {
    "assumerolepolicydocument": _texts(TRUST),
    "policydocument": _texts(POLICY, RESOURCE_POLICY, TRUST),
    "resourcepolicy": _texts(RESOURCE_POLICY),
    "policy": _texts(RESOURCE_POLICY, POLICY),
    "templatebody": (
        *_texts(TEMPLATE),
        "Resources:\n  Q:\n    Type: AWS::SQS::Queue\n",
        "Resources: [",
        "a: &a [*a]",
    ),
    "stackpolicybody": _texts(
        {"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
    ),
    "pipelinedefinition": _texts(PIPELINE),
    "definition": _texts(MACHINE),
    "eventpattern": _texts(PATTERN),
    "event": _texts({"id": "1", "source": "aws.sagemaker", "detail-type": "x", "detail": {}}),
    "scheduleexpression": (
        "rate(1 hour)",
        "cron(0 12 * * ? *)",
        "rate(1 hours)",
        "cron(0 0 31 2 ? *)",
        "at(now)",
    ),
    "filterpattern": ("", "ERROR", '{ $.a = "b" }', "[a, b]", '"', "{ $.", "?a ?b"),
    "inputpath": ("$.detail", "$", "$..x", "x"),
    "buildspec": (
        "version: 0.2\nphases:\n  build:\n    commands:\n      - 'true'\n",
        "version: 3",
        "{",
        "a: &a [*a]",
    ),
    "detail": _texts({"a": 1}),
    "input": _texts({"a": 1}),
    "sourcearn": ("arn:aws:sagemaker:us-east-1:123456789012:x/y",),
    "nexttoken": ("garbage", "b2Zmc2V0OjE=", "b2Zmc2V0Oi01", ""),
    "pagetoken": ("garbage", "b2Zmc2V0OjE=", "b2Zmc2V0Oi01"),
    "marker": ("garbage", "b2Zmc2V0OjE="),
    "keyid": ("alias/aws/s3", "alias/none", "arn:aws:kms:us-east-1:123456789012:key/none"),
}
