"""Examples that AWS's guides work through, each named by its page (IAM User Guide where none is said)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.iam import policy
from sandbox.iam.documents import Document, parse
from sandbox.iam.policy import Decision, PolicySet, evaluate
from sandbox.iam.principals.principal import Principal
from tests.sandbox.iam.test_iam_policy import Keys, allow, deny

ACCOUNT = "123456789012"
CARLOS = Principal("user", f"arn:aws:iam::{ACCOUNT}:user/carlossalazar", ACCOUNT, "AIDA1")
SESSION = Principal("role", f"arn:aws:iam::{ACCOUNT}:role/R", ACCOUNT, "AROA1:s", session_name="s")


def document(*statements: Any) -> Document:
    return parse(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), "p")


def ask(
    action: str, arn: str, *statements: Any, who: Principal = CARLOS, keys=None, **layers: Any
) -> Decision:
    """`statements` are the identity policy; `boundary`, `session`, `resource` are lists of statements."""
    given = {
        name: document(*layers.pop(name)) for name in ("boundary", "session", "resource") if name in layers
    }
    return evaluate(
        action,
        arn,
        Keys(keys),
        PolicySet(
            identity=(document(*statements),) if statements else (),
            boundary=given.get("boundary"),
            session=(given["session"],) if "session" in given else None,
            resource=(given["resource"],) if "resource" in given else (),
            forms=who.forms,
            **layers,
        ),
    )


def to(principal: str, action: str, resource: str, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": action, "Resource": resource, **more}


def test_policy_evaluation_logic_carlos_and_his_bucket():
    # "Policy evaluation logic", example of identity-based and resource-based policies in one account.
    mine = ["arn:aws:s3:::carlossalazar/*", "arn:aws:s3:::carlossalazar"]
    own = (
        allow(["s3:GetBucketLocation", "s3:ListAllMyBuckets"], "arn:aws:s3:::*"),
        allow("s3:*", mine),
        deny("s3:*", "arn:aws:s3:::*log*"),
    )
    bucket = {**allow("s3:*", mine), "Principal": {"AWS": CARLOS.arn}}
    logs = ask("s3:PutObject", "arn:aws:s3:::carlossalazar-logs/f", *own)
    assert logs.reason == policy.EXPLICIT_DENY
    assert ask("s3:PutObject", "arn:aws:s3:::carlossalazar/f", *own, resource=[bucket]).allowed
    # "If one of the policy types allows the request and the other doesn't, the request is still allowed."
    assert ask("s3:PutObject", "arn:aws:s3:::carlossalazar/f", resource=[bucket]).allowed
    assert ask("s3:PutObject", "arn:aws:s3:::carlossalazar/f", *own).allowed


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("iam:ListUsers", policy.ALLOWED),
        ("iam:CreatePolicy", policy.IMPLICIT_DENY),
        ("iam:GetOrganizationsAccessReport", policy.EXPLICIT_DENY),
        ("iam:GenerateCredentialReport", policy.EXPLICIT_DENY),
    ],
)
def test_the_difference_between_explicit_and_implicit_denies(action, reason):
    statements = (allow(["iam:Get*", "iam:List*"]), deny("iam:*Report"))
    assert ask(action, "*", *statements).reason == reason


def test_cross_account_policy_evaluation_logic():
    # "Cross-account policy evaluation logic", example: both accounts must allow.
    own = (
        allow("s3:*Object*", "arn:aws:s3:::Production/*"),
        deny("s3:*", ["arn:aws:s3:::*log*", "arn:aws:s3:::*log*/*"]),
    )
    granted = [to(CARLOS.arn, "s3:PutObject*", "arn:aws:s3:::Production/*")]
    asked = {"resource": granted, "cross_account": True}
    assert ask("s3:PutObject", "arn:aws:s3:::Production/f", *own, **asked).allowed
    denied = ask("s3:PutObject", "arn:aws:s3:::Production-logs/f", *own, cross_account=True)
    assert denied.reason == policy.EXPLICIT_DENY
    # "He can create and edit, but not delete the objects in the bucket."
    deletes = ask("s3:DeleteObject", "arn:aws:s3:::Production/f", *own, **asked)
    assert (deletes.reason, deletes.by) == (policy.IMPLICIT_DENY, policy.RESOURCE)
    assert not ask("s3:PutObject", "arn:aws:s3:::Production/f", **asked).allowed


def test_permissions_boundaries_shirley():
    # "Permissions boundaries for IAM entities": a boundary gives nothing by itself and stops what is outside.
    boundary = [allow(["s3:*", "cloudwatch:*", "ec2:*"])]
    users = allow("iam:CreateUser")
    refused = ask("iam:CreateUser", "*", users, boundary=boundary)
    assert (refused.reason, refused.by) == (policy.IMPLICIT_DENY, policy.BOUNDARY)
    assert ask("s3:ListAllMyBuckets", "*", users, boundary=boundary).by == policy.IDENTITY


def test_permissions_boundaries_delegation():
    # "Delegating responsibility to others using permissions boundaries": Zhang creates users only under the
    # boundary, may not take it off, and may not touch Maria.
    ours = f"arn:aws:iam::{ACCOUNT}:policy/XCompanyBoundaries"
    zhang = (
        allow(
            ["iam:CreateUser", "iam:AttachUserPolicy", "iam:PutUserPermissionsBoundary"],
            Condition={"StringEquals": {"iam:PermissionsBoundary": ours}},
        ),
        {
            "Effect": "Allow",
            "Action": ["iam:DeleteUser", "iam:CreateAccessKey", "iam:DeletePolicy"],
            "NotResource": f"arn:aws:iam::{ACCOUNT}:user/Maria",
        },
        deny(["iam:CreatePolicyVersion", "iam:DeletePolicy"], ours),
        deny("iam:DeleteUserPermissionsBoundary"),
    )
    nikhil, maria = f"arn:aws:iam::{ACCOUNT}:user/Nikhil", f"arn:aws:iam::{ACCOUNT}:user/Maria"
    under = {"iam:PermissionsBoundary": ours}
    assert ask("iam:CreateUser", nikhil, *zhang, keys=under).allowed
    assert not ask("iam:CreateUser", nikhil, *zhang).allowed
    assert not ask("iam:CreateUser", nikhil, *zhang, keys={"iam:PermissionsBoundary": f"{ours}2"}).allowed
    assert ask("iam:DeleteUser", nikhil, *zhang).allowed
    assert not ask("iam:DeleteUser", maria, *zhang).allowed
    assert ask("iam:DeletePolicy", ours, *zhang).reason == policy.EXPLICIT_DENY
    assert ask("iam:DeleteUserPermissionsBoundary", nikhil, *zhang).reason == policy.EXPLICIT_DENY


@pytest.mark.parametrize(
    ("who", "limit"),
    [(who, limit) for who in (CARLOS, SESSION) for limit in ("identity", "boundary")]
    + [(SESSION, "session")],
)
def test_implicit_denies_under_a_grant_to_the_user_or_the_session_itself(who, limit):
    # "Policy evaluation logic": "Permissions granted directly to a session are not limited by an implicit deny
    # in an identity-based policy, a permissions boundary, or session policy"; likewise for a user's ARN.
    nothing = [allow("iam:GetUser")]
    layers = {} if limit == "identity" else {limit: nothing}
    key = "arn:aws:s3:::b/k"
    assert ask(
        "s3:GetObject", key, who=who, resource=[to(who.caller_arn, "s3:GetObject", key)], **layers
    ).allowed
    # An explicit deny limits always.
    layers = {} if limit == "identity" else {limit: [allow(), deny("s3:GetObject")]}
    identity = (deny("s3:GetObject"),) if limit == "identity" else ()
    decision = ask(
        "s3:GetObject", key, *identity, who=who, resource=[to(who.caller_arn, "s3:GetObject", key)], **layers
    )
    assert decision.reason == policy.EXPLICIT_DENY


@pytest.mark.parametrize("limit", ["boundary", "session"])
def test_implicit_denies_under_a_grant_to_the_role(limit):
    # "Resource-based policies that grant permissions to an IAM role ARN are limited by an implicit deny in a
    # permissions boundary or session policy."
    key = "arn:aws:s3:::b/k"
    granted = [to(SESSION.arn, "s3:GetObject", key)]
    assert ask("s3:GetObject", key, who=SESSION, resource=granted).allowed
    limits = {"boundary": policy.BOUNDARY, "session": policy.SESSION}
    decision = ask("s3:GetObject", key, who=SESSION, resource=granted, **{limit: [allow("iam:GetUser")]})
    assert (decision.reason, decision.by) == (policy.IMPLICIT_DENY, limits[limit])
    # "AWS JSON policy elements: Principal": with a wildcard and aws:PrincipalArn they do not limit it.
    wild = {"StringEquals": {"aws:PrincipalArn": SESSION.arn}}
    granted = [to("*", "s3:GetObject", key, Condition=wild)]
    keys = {"aws:PrincipalArn": SESSION.arn}
    layers = {limit: [allow("iam:GetUser")]}
    assert ask("s3:GetObject", key, who=SESSION, resource=granted, keys=keys, **layers).allowed


def test_session_policies_intersect():
    # "Session policies": the intersection of identity-based policies, session policies and the boundary.
    identity, session, boundary = allow("s3:*"), [allow(["s3:Get*", "ec2:*"])], [allow("s3:*Object")]
    layers = {"who": SESSION, "session": session, "boundary": boundary}
    assert ask("s3:GetObject", "arn:aws:s3:::b/k", identity, **layers).allowed
    assert ask("s3:PutObject", "arn:aws:s3:::b/k", identity, **layers).by == policy.SESSION
    assert ask("s3:GetBucketPolicy", "arn:aws:s3:::b", identity, **layers).by == policy.BOUNDARY
    assert ask("ec2:RunInstances", "*", identity, **layers).by == policy.IDENTITY


@pytest.mark.parametrize(
    ("operator", "effect", "attributes", "applies"),
    [
        # "Using multiple keys and values", the DynamoDB table Thread.
        ("ForAllValues:StringEquals", "Allow", ["ID", "Message", "Tags"], True),
        ("ForAllValues:StringEquals", "Allow", ["ID", "Message", "UserName"], False),
        ("ForAllValues:StringEquals", "Allow", None, True),  # "It also returns true if there are no keys"
        (
            "ForAllValues:StringEquals",
            "Allow",
            [""],
            True,
        ),  # "… or … a null data set, such as an empty string"
        ("ForAnyValue:StringEquals", "Deny", ["ID", "Message"], True),
        ("ForAnyValue:StringEquals", "Deny", ["UserName"], False),
        ("ForAnyValue:StringEquals", "Deny", None, False),
        ("ForAnyValue:StringEquals", "Deny", [""], False),
    ],
)
def test_condition_set_operators(operator, effect, attributes, applies):
    statement = {
        **allow("dynamodb:PutItem", "arn:aws:dynamodb:*:*:table/Thread"),
        "Effect": effect,
        "Condition": {operator: {"dynamodb:Attributes": ["ID", "Message", "Tags", "PostDateTime"]}},
    }
    keys = {"dynamodb:Attributes": attributes} if attributes is not None else {}
    decision = ask(
        "dynamodb:PutItem", "arn:aws:dynamodb:r:1:table/Thread", allow("x:y"), statement, keys=keys
    )
    assert decision.reason == {
        ("Allow", True): policy.ALLOWED,
        ("Deny", True): policy.EXPLICIT_DENY,
    }.get((effect, applies), policy.IMPLICIT_DENY)


@pytest.mark.parametrize(
    ("keys", "allowed"),
    [
        ({"aws:TagKeys": ["environment"], "aws:RequestTag/environment": "preprod"}, True),
        ({"aws:TagKeys": ["environment", "extra"], "aws:RequestTag/environment": "preprod"}, False),
        ({"aws:TagKeys": ["environment"], "aws:RequestTag/environment": "other"}, False),
        ({}, False),  # the Null check asks for at least one tag
    ],
)
def test_controlling_access_during_requests_with_tags(keys, allowed):
    # "Controlling access to AWS resources using tags": ForAllValues with a Null check.
    statement = allow(
        "ec2:CreateTags",
        Condition={
            "StringEqualsIfExists": {"aws:RequestTag/environment": ["preprod", "production"]},
            "ForAllValues:StringEquals": {"aws:TagKeys": "environment"},
            "Null": {"aws:TagKeys": "false"},
        },
    )
    assert ask("ec2:CreateTags", "arn:aws:ec2:r:1:instance/i", statement, keys=keys).allowed is allowed


@pytest.mark.parametrize(
    ("page", "statement", "action", "keys", "denied"),
    [
        ("NotAction with Deny, MFA", "mfa", "s3:GetObject", {"aws:MultiFactorAuthPresent": "false"}, True),
        ("NotAction with Deny, MFA", "mfa", "s3:GetObject", {}, True),  # long-term keys: BoolIfExists
        ("NotAction with Deny, MFA", "mfa", "iam:ListUsers", {"aws:MultiFactorAuthPresent": "false"}, False),
        ("AWS: Denies access based on the requested Region", "region", "ec2:RunInstances", {"aws:RequestedRegion": "us-east-1"}, True),
        ("AWS: Denies access based on the requested Region", "region", "ec2:RunInstances", {"aws:RequestedRegion": "eu-west-1"}, False),
        ("AWS: Denies access based on the requested Region", "region", "iam:GetUser", {"aws:RequestedRegion": "us-east-1"}, False),
        ("AWS: Denies access based on the source IP", "ip", "s3:GetObject", {"aws:SourceIp": "198.51.100.7", "aws:ViaAWSService": "false"}, True),
        ("AWS: Denies access based on the source IP", "ip", "s3:GetObject", {"aws:SourceIp": "203.0.113.9", "aws:ViaAWSService": "false"}, False),
        ("AWS: Denies access based on the source IP", "ip", "s3:GetObject", {"aws:ViaAWSService": "true"}, False),
        ("aws:CalledVia", "via", "kms:Decrypt", {"aws:CalledVia": ["athena.amazonaws.com", "s3.amazonaws.com"]}, False),
        ("aws:CalledVia", "via", "kms:Decrypt", {}, True),
        ("aws:TokenIssueTime", "revoke", "s3:GetObject", {"aws:TokenIssueTime": "2020-01-01T00:00:00Z"}, True),
        ("aws:TokenIssueTime", "revoke", "s3:GetObject", {"aws:TokenIssueTime": "2030-01-01T00:00:00Z"}, False),
        ("aws:TokenIssueTime", "revoke", "s3:GetObject", {}, False),
        ("aws:MultiFactorAuthAge", "age", "s3:GetObject", {"aws:MultiFactorAuthAge": "4000"}, True),
        ("aws:MultiFactorAuthAge", "age", "s3:GetObject", {"aws:MultiFactorAuthAge": "3000"}, False),
    ],
)  # fmt: skip
def test_denies_by_global_condition_keys(page, statement, action, keys, denied):
    statements = {
        "mfa": {
            "Effect": "Deny",
            "NotAction": "iam:*",
            "Resource": "*",
            "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
        },
        "region": {
            "Effect": "Deny",
            "NotAction": ["cloudfront:*", "iam:*", "route53:*", "support:*"],
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}},
        },
        "ip": deny(
            Condition={
                "NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]},
                "Bool": {"aws:ViaAWSService": "false"},
            }
        ),
        "via": deny(
            Condition={"ForAllValues:StringNotEquals": {"aws:CalledVia": ["athena.amazonaws.com"]}},
        ),
        "revoke": deny(Condition={"DateLessThan": {"aws:TokenIssueTime": "2024-05-01T23:59:59.000Z"}}),
        "age": deny(Condition={"NumericGreaterThanIfExists": {"aws:MultiFactorAuthAge": "3600"}}),
    }
    decision = ask(action, "*", allow(), statements[statement], keys=keys)
    assert decision.reason == (policy.EXPLICIT_DENY if denied else policy.ALLOWED), page


@pytest.mark.parametrize(
    ("role", "service", "resource", "allowed"),
    [
        ("EC2-roles-for-XYZ-1", "ec2.amazonaws.com", None, True),
        ("EC2-roles-for-XYZ-1", "lambda.amazonaws.com", None, False),
        ("Admin", "ec2.amazonaws.com", None, False),
        ("CWAgent", "cloudwatch.amazonaws.com", "arn:aws:ec2:us-east-1:111122223333:instance/i", True),
        ("CWAgent", "cloudwatch.amazonaws.com", "arn:aws:ec2:eu-west-1:111122223333:instance/i", False),
    ],
)
def test_passing_roles(role, service, resource, allowed):
    # "Grant a user permissions to pass a role to an AWS service"; "iam:AssociatedResourceArn".
    statements = (
        allow(
            "iam:PassRole",
            f"arn:aws:iam::{ACCOUNT}:role/EC2-roles-for-XYZ-*",
            Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
        ),
        allow(
            "iam:PassRole",
            f"arn:aws:iam::{ACCOUNT}:role/CWAgent",
            Condition={
                "StringEquals": {"iam:PassedToService": "cloudwatch.amazonaws.com"},
                "ArnLike": {"iam:AssociatedResourceARN": "arn:aws:ec2:us-*-1:111122223333:instance/*"},
            },
        ),
    )
    keys = {"iam:PassedToService": service} | ({"iam:AssociatedResourceArn": resource} if resource else {})
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    assert ask("iam:PassRole", arn, *statements, keys=keys).allowed is allowed


ABAC_TAGS = ("access-project", "access-team", "cost-center")


@pytest.mark.parametrize(
    ("action", "changes", "allowed"),
    [
        ("CreateSecret", {}, True),
        ("CreateSecret", {"aws:RequestTag/cost-center": "0"}, False),
        ("CreateSecret", {"aws:TagKeys": ["access-project", "other"]}, False),
        ("DescribeSecret", {}, True),
        (
            "DescribeSecret",
            {"aws:ResourceTag/access-team": "other"},
            True,
        ),  # reading asks for the project only
        ("DescribeSecret", {"aws:ResourceTag/access-project": "other"}, False),
        ("PutSecretValue", {"aws:ResourceTag/access-team": "other"}, False),
        ("PutSecretValue", {}, True),
        ("UntagResource", {}, False),
    ],
)
def test_tutorial_attribute_based_access_control(action, changes, allowed):
    # "IAM tutorial: Define permissions to access AWS resources based on tags".
    def same(kind: str, names: tuple[str, ...] = ABAC_TAGS) -> dict[str, str]:
        return {f"aws:{kind}/{name}": f"${{aws:PrincipalTag/{name}}}" for name in names}

    statements = (
        allow(
            "secretsmanager:*",
            Condition={
                "StringEquals": same("ResourceTag"),
                "ForAllValues:StringEquals": {"aws:TagKeys": ["access-project", "access-team", "cost-center", "Name"]},
                "StringEqualsIfExists": same("RequestTag"),
            },
        ),
        allow("secretsmanager:CreateSecret", Condition={"StringEquals": same("RequestTag"), "ForAllValues:StringEquals": {"aws:TagKeys": [*ABAC_TAGS, "Name"]}}),
        allow(
            ["secretsmanager:Describe*", "secretsmanager:Get*", "secretsmanager:List*"],
            Condition={"StringEquals": same("ResourceTag", ("access-project",))},
        ),
        deny("secretsmanager:UntagResource", Condition={"ForAnyValue:StringLike": {"aws:TagKeys": "access-*"}}),
    )  # fmt: skip
    own = {f"aws:PrincipalTag/{name}": "peg" for name in ABAC_TAGS}
    keys: dict[str, Any] = own | {"aws:TagKeys": list(ABAC_TAGS)}
    if action == "CreateSecret":
        keys |= {f"aws:RequestTag/{name}": "peg" for name in ABAC_TAGS}
    else:
        keys |= {f"aws:ResourceTag/{name}": "peg" for name in ABAC_TAGS}
    if action in ("DescribeSecret", "PutSecretValue"):
        del keys["aws:TagKeys"]
    arn = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:s-AbCdEf"
    assert ask(f"secretsmanager:{action}", arn, *statements, keys=keys | changes).allowed is allowed


@pytest.mark.parametrize(
    ("statement", "action", "keys", "denied"),
    [
        ("kms", "s3:PutObject", {"s3:x-amz-server-side-encryption": "aws:kms"}, False),
        ("kms", "s3:PutObject", {"s3:x-amz-server-side-encryption": "AES256"}, True),
        ("kms", "s3:PutObject", {}, True),
        ("key", "s3:PutObject", {}, True),
        ("key", "s3:PutObject", {"s3:x-amz-server-side-encryption-aws-kms-key-id": "arn:k"}, False),
        ("tls", "s3:GetObject", {"aws:SecureTransport": "false"}, True),
        ("tls", "s3:GetObject", {"aws:SecureTransport": "true"}, False),
        ("acl", "s3:PutObject", {"s3:x-amz-acl": "public-read"}, True),
        ("acl", "s3:PutObject", {"s3:x-amz-acl": "bucket-owner-full-control"}, False),
        ("ip", "s3:GetObject", {"aws:SourceIp": "192.0.2.188"}, True),
        ("ip", "s3:GetObject", {"aws:SourceIp": "192.0.2.1"}, False),
        ("ip", "s3:GetObject", {"aws:SourceIp": "2001:DB8:1234:5678:ABCD::1"}, False),
        ("mfa", "s3:GetObject", {}, True),
        ("mfa", "s3:GetObject", {"aws:MultiFactorAuthAge": "10"}, False),
        ("prefix", "s3:ListBucket", {"s3:prefix": "projects"}, False),
        ("prefix", "s3:ListBucket", {"s3:prefix": "private"}, True),
        ("keys", "s3:ListBucket", {"s3:max-keys": "11"}, True),
        ("keys", "s3:ListBucket", {"s3:max-keys": "10"}, False),
    ],
)
def test_bucket_policy_examples(statement, action, keys, denied):
    # "Bucket policy examples" and "Amazon S3: examples of condition keys" in the S3 User Guide.
    conditions = {
        "kms": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
        "key": {"Null": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "true"}},
        "tls": {"Bool": {"aws:SecureTransport": "false"}},
        "acl": {"StringNotEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
        "ip": {
            "NotIpAddress": {"aws:SourceIp": ["192.0.2.0/26", "203.0.113.0/24", "2001:DB8:1234:5678::/64"]},
        },
        "mfa": {"Null": {"aws:MultiFactorAuthAge": True}},
        "prefix": {"StringNotEquals": {"s3:prefix": "projects"}},
        "keys": {"NumericGreaterThan": {"s3:max-keys": "10"}},
    }
    bucket = to("*", "s3:*", "arn:aws:s3:::b*", "Deny", Condition=conditions[statement])
    decision = ask(action, "arn:aws:s3:::b/k", allow("s3:*"), resource=[bucket], keys=keys)
    assert decision.reason == (policy.EXPLICIT_DENY if denied else policy.ALLOWED)


@pytest.mark.parametrize(
    ("key", "team", "reason"),
    [
        ("red", "red", policy.ALLOWED),
        ("red", "blue", policy.EXPLICIT_DENY),
        ("red", None, policy.EXPLICIT_DENY),
    ],
)
def test_policy_variables_with_no_value(key, team, reason):
    # "IAM policy elements: Variables and tags": a negated operator matches a variable that has no value.
    condition = {"s3:ExistingObjectTag/Team": "${aws:PrincipalTag/Team}"}
    statements = (allow("s3:*"), deny("s3:GetObject", Condition={"StringNotLike": condition}))
    keys = {"s3:ExistingObjectTag/Team": key} | ({"aws:PrincipalTag/Team": team} if team else {})
    assert ask("s3:GetObject", "arn:aws:s3:::b/k", *statements, keys=keys).reason == reason


def test_variables_stand_in_string_and_arn_operators_only():
    # "Where you can use policy variables".
    def holds(operator: str, value: str, have: str, name: str) -> bool:
        statement = allow(Condition={operator: {"aws:k": value}})
        return ask(
            "s3:GetObject", "arn:aws:s3:::b/k", statement, keys={"aws:k": have, "aws:username": name}
        ).allowed

    for operator, name in (("NumericEquals", "7"), ("Bool", "true"), ("IpAddress", "10.0.0.1")):
        assert holds(operator, name, name, name)
        assert not holds(operator, "${aws:username}", name, name)
    arn = "arn:aws:iam::1:user/"
    assert holds("ArnEquals", f"{arn}${{aws:username}}", f"{arn}dana", "dana")
    assert holds("ArnLike", f"{arn}${{aws:username}}-*", f"{arn}dana-1", "dana")
    assert not holds("ArnLike", f"{arn}${{aws:username}}", f"{arn}dana", "d*")  # taken literally


@pytest.mark.parametrize(
    ("operator", "want", "have", "expected"),
    [
        ("NumericEquals", "10", "1e1", False),
        ("NumericEquals", "1_0", "10", False),
        ("NumericLessThan", "inf", "5", False),
        ("Bool", "yes", "yes", False),
        ("DateEquals", "2024-01", "2024-01-01T00:00:00Z", True),
        ("DateLessThan", "2024-W10-1", "2020-01-01", False),
        ("DateEquals", "1704067200", "2024-01-01T00:00:00Z", True),
        ("DateLessThan", "2024-01-01T00:00:00.500Z", "2024-01-01T00:00:00Z", True),
        ("IpAddress", "10.0.0.0/255.0.0.0", "10.1.1.1", False),
        ("IpAddress", "0.0.0.0/0", "10.1.1.1", True),
        ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
        ("IpAddress", "2001:DB8::1", "2001:db8:0:0::1", True),
        ("Null", ["true", "false"], "x", True),
    ],
)
def test_values_at_the_edges_of_their_kind(operator, want, have, expected):
    # "IAM JSON policy elements: Condition operators": decimal numbers, W3C dates, CIDR notation.
    statement = allow(Condition={operator: {"aws:k": want}})
    assert ask("s3:GetObject", "arn:aws:s3:::b/k", statement, keys={"aws:k": have}).allowed is expected
