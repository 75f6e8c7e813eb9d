"""What cases are made of: accounts, principals, actions with resources, condition keys with values."""

from __future__ import annotations

HOME, AWAY = "111111111111", "222222222222"

ACTIONS: dict[str, tuple[str, ...]] = {
    "s3:GetObject": ("arn:aws:s3:::reports/2024/june.csv", "arn:aws:s3:::reports/Team-A/x y"),
    "s3:PutObject": ("arn:aws:s3:::reports/alpha/file.txt",),
    "s3:ListBucket": ("arn:aws:s3:::reports",),
    "s3:ListAllMyBuckets": ("*",),
    "sns:Publish": ("arn:aws:sns:eu-west-1:{owner}:alerts",),
    "sqs:SendMessage": ("arn:aws:sqs:eu-west-1:{owner}:alpha-queue",),
    "kms:Decrypt": ("arn:aws:kms:eu-west-1:{owner}:key/0a1b2c3d-0000-4000-8000-000000000001",),
    "sts:AssumeRole": ("arn:aws:iam::{owner}:role/target",),
    "iam:PassRole": ("arn:aws:iam::{owner}:role/alpha-execution",),
    "sagemaker:CreateModel": ("arn:aws:sagemaker:eu-west-1:{owner}:model/alpha-1",),
    "sagemaker:ListModels": ("*",),
    "lambda:InvokeFunction": ("arn:aws:lambda:eu-west-1:{owner}:function:alpha",),
    "secretsmanager:GetSecretValue": ("arn:aws:secretsmanager:eu-west-1:{owner}:secret:db/alpha-AbCdEf",),
}
"""Actions and what they are asked about. Those without a resource of their own are about `*`."""

PRINCIPALS = (
    f"arn:aws:iam::{HOME}:user/dana",
    f"arn:aws:iam::{HOME}:user/team/erin",
    f"arn:aws:sts::{HOME}:assumed-role/builder/run-1",
)
SERVICES = ("events.amazonaws.com", "sagemaker.amazonaws.com")
STRANGERS = (
    AWAY,
    f"arn:aws:iam::{AWAY}:root",
    f"arn:aws:iam::{HOME}:user/frank",
    f"arn:aws:iam::{HOME}:role/other",
    f"arn:aws:sts::{HOME}:assumed-role/builder/run-2",
)

TEXT, NUMBER, DATE, EPOCH = "text", "number", "date", "epoch"
BOOL, IP, ARN, BINARY = "bool", "ip", "arn", "binary"

KEYS: dict[str, tuple[str, ...]] = {
    TEXT: (
        "aws:username",
        "aws:PrincipalTag/team",
        "aws:RequestTag/Cost Center",
        "aws:UserAgent",
        "aws:SourceIdentity",
    ),
    NUMBER: ("aws:MultiFactorAuthAge", "aws:PrincipalTag/level"),
    DATE: ("aws:CurrentTime", "aws:TokenIssueTime"),
    EPOCH: ("aws:EpochTime",),
    BOOL: ("aws:SecureTransport", "aws:ViaAWSService", "aws:MultiFactorAuthPresent"),
    IP: ("aws:SourceIp", "aws:VpcSourceIp"),
    ARN: ("aws:PrincipalArn", "aws:SourceArn"),
    BINARY: ("aws:PrincipalTag/blob",),
}
"""Condition keys with one value, by the kind of value."""

MANY: dict[str, tuple[str, ...]] = {
    TEXT: ("aws:TagKeys", "aws:CalledVia", "aws:PrincipalServiceNamesList"),
}
"""Condition keys with several values."""

VALUES: dict[str, tuple[str, ...]] = {
    TEXT: (
        *("alpha", "Alpha", "ALPHA", "alphabet", "beta", "gamma", "", " alpha", "x/y/z", "10", "true"),
        *("a*", "al?ha", "a.b", "a+b", "(x)", "[z]", "^a$", "a|b", "back\\slash", "Ünï", "$alpha", "{alpha}"),
    ),
    NUMBER: ("0", "1", "9", "9.99", "10", "10.0", "-5", "-5.5", "007", "3600", "100000000000", "many", ""),
    DATE: (
        *("2024-01-01T00:00:00Z", "2024-01-01", "2024-01-01T01:00:00+01:00", "2024-06-30T23:59:59Z"),
        *("2024-06-30T23:59:59.500Z", "2023-12", "1999-12-31T23:59Z", "2024-06-30T23:59:59", "tomorrow", ""),
    ),
    EPOCH: ("0", "1704067200", "1704067201", "1719791999", "99999999999"),
    BOOL: ("true", "false", "TRUE", "False", "yes", "1", ""),
    IP: (
        *("203.0.113.7", "203.0.113.255", "203.0.112.1", "10.1.2.3", "192.168.0.1", "255.255.255.255"),
        *("2001:db8::1", "2001:db8:0:1::7", "fe80::1", "nowhere", "10.0.0.300", ""),
    ),
    ARN: (
        f"arn:aws:iam::{HOME}:user/dana",
        f"arn:aws:iam::{HOME}:role/builder",
        f"arn:aws:iam::{HOME}:role/service/builder",
        f"arn:aws:sns:eu-west-1:{HOME}:alerts",
        f"arn:aws:lambda:eu-west-1:{HOME}:function:alpha:1",
        "arn:aws:s3:::reports",
        "arn:aws-cn:s3:::reports",
        f"arn:aws:iam::{AWAY}:root",
        "reports",
        "",
    ),
    BINARY: ("QmluYXJ5", "YWxwaGE=", "AAECAwQ=", "/+8="),
}
"""Values of requests. The last ones of a kind are none of the kind."""

NETWORKS = (
    *("203.0.113.0/24", "203.0.113.7", "203.0.113.7/32", "203.0.112.0/23", "10.0.0.0/8", "10.1.2.3/16"),
    *(
        "128.0.0.0/1",
        "2001:db8::/32",
        "2001:DB8:0:1::/64",
        "2001:db8::1",
        "fe80::/10",
        "10.0.0.0/33",
        "office",
    ),
)
"""Values of policies for addresses."""

VARIABLES = (
    *("${aws:username}", "${aws:PrincipalTag/team}", "${AWS:UserName}", "${aws:PrincipalTag/team, 'alpha'}"),
    *("${aws:RequestTag/none}", "${aws:RequestTag/none, 'beta'}", "${*}", "${?}", "${$}", "${aws:TagKeys}"),
)
