"""The policy simulator and users' permissions boundaries, through the door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.iam.test_iam_sessions import ACCOUNT, Caller, allow, document
from tests.sandbox_process import SandboxProcess

KEY = "arn:aws:s3:::simulated/k"


@pytest.fixture(scope="module")
def iam(sandbox: SandboxProcess) -> Any:
    return sandbox.client("iam")


@pytest.fixture(scope="module")
def user(sandbox: SandboxProcess, iam: Any) -> Iterator[str]:
    """A user in a group, with policies of every kind."""
    name = "simulated-user"
    boundary = iam.create_policy(
        PolicyName="simulated-boundary", PolicyDocument=document(allow("s3:*", "iam:*", "sns:*"))
    )["Policy"]["Arn"]
    answer = iam.create_user(UserName=name, PermissionsBoundary=boundary)["User"]
    assert answer["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
    managed = iam.create_policy(
        PolicyName="simulated-managed", PolicyDocument=document(allow("s3:PutObject"))
    )
    iam.attach_user_policy(UserName=name, PolicyArn=managed["Policy"]["Arn"])
    own = (
        allow("s3:GetObject", "sqs:*", "iam:*"),
        {**allow("s3:PutObject"), "Effect": "Deny", "Resource": f"{KEY}x"},
    )
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*own))
    iam.create_group(GroupName="simulated-group")
    iam.add_user_to_group(GroupName="simulated-group", UserName=name)
    iam.put_group_policy(
        GroupName="simulated-group", PolicyName="ours", PolicyDocument=document(allow("s3:ListAllMyBuckets"))
    )
    yield f"arn:aws:iam::{ACCOUNT}:user/{name}"


def one(answer: dict[str, Any]) -> dict[str, Any]:
    assert len(answer["EvaluationResults"]) == 1
    return answer["EvaluationResults"][0]


def test_custom_policies_are_evaluated_with_the_statements_that_decide(iam: Any) -> None:
    text = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "A",
                    **allow("s3:Get*"),
                    "Condition": {"StringEquals": {"aws:PrincipalTag/team": "red"}},
                },
                {
                    "Sid": "B",
                    **allow("s3:GetObject"),
                    "Effect": "Deny",
                    "Resource": f"{KEY}${{aws:username}}",
                },
            ],
        },
        indent=1,
    )
    ask = {"PolicyInputList": [text], "ActionNames": ["s3:GetObject"], "ResourceArns": [KEY]}
    result = one(iam.simulate_custom_policy(**ask))
    assert (result["EvalDecision"], result["MatchedStatements"]) == ("implicitDeny", [])
    assert sorted(result["MissingContextValues"]) == ["aws:PrincipalTag/team", "aws:username"]
    team = {
        "ContextKeyName": "aws:principaltag/team",
        "ContextKeyValues": ["red"],
        "ContextKeyType": "string",
    }
    result = one(iam.simulate_custom_policy(**ask, ContextEntries=[team]))
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("allowed", ["aws:username"])
    matched = result["MatchedStatements"][0]
    lines = text.splitlines()
    start, end = matched["StartPosition"], matched["EndPosition"]
    assert (matched["SourcePolicyId"], lines[start["Line"] - 1].strip()) == ("PolicyInputList.1", "{")
    assert '"Sid": "A"' in "".join(lines[start["Line"] - 1 : end["Line"]])
    assert '"Sid": "B"' not in "".join(lines[start["Line"] - 1 : end["Line"]])
    name = {"ContextKeyName": "aws:username", "ContextKeyValues": ["x"], "ContextKeyType": "string"}
    ask["ResourceArns"] = [f"{KEY}x"]
    result = one(iam.simulate_custom_policy(**ask, ContextEntries=[team, name]))
    assert (result["EvalDecision"], len(result["MatchedStatements"])) == ("explicitDeny", 1)
    assert result["MatchedStatements"][0]["StartPosition"]["Line"] > start["Line"]


@pytest.mark.parametrize(
    ("action", "arn", "decision", "source", "within"),
    [
        ("s3:GetObject", KEY, "allowed", ("user_simulated-user_own", "user"), True),
        ("s3:PutObject", KEY, "allowed", ("simulated-managed", "user-managed"), True),
        ("s3:PutObject", f"{KEY}x", "explicitDeny", ("user_simulated-user_own", "user"), True),
        ("s3:ListAllMyBuckets", "*", "allowed", ("group_simulated-group_ours", "group"), True),
        ("sqs:SendMessage", f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "implicitDeny", None, False),
        ("sns:Publish", f"arn:aws:sns:us-east-1:{ACCOUNT}:t", "implicitDeny", None, True),
    ],
)
def test_principals_with_all_their_policies_and_their_boundary(
    iam, user, action, arn, decision, source, within
) -> None:
    result = one(
        iam.simulate_principal_policy(PolicySourceArn=user, ActionNames=[action], ResourceArns=[arn])
    )
    assert (result["EvalActionName"], result["EvalResourceName"]) == (action, arn)
    assert result["EvalDecision"] == decision
    assert result["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": within}
    found = [(item["SourcePolicyId"], item["SourcePolicyType"]) for item in result["MatchedStatements"]]
    assert found == ([source] if source else [])


def test_what_is_simulated_is_what_the_gate_decides(sandbox: SandboxProcess, iam: Any, user: str) -> None:
    key = iam.create_access_key(UserName="simulated-user")["AccessKey"]
    caller = Caller(sandbox, key)
    assert caller.client("s3").list_buckets()["Buckets"] is not None
    assert "because no permissions boundary allows the sqs:" in caller.refused("sqs", "list_queues")[1]
    iam.delete_user_permissions_boundary(UserName="simulated-user")
    assert caller.client("sqs").list_queues() is not None
    arn = f"arn:aws:iam::{ACCOUNT}:policy/simulated-boundary"
    iam.put_user_permissions_boundary(UserName="simulated-user", PermissionsBoundary=arn)
    assert (
        iam.get_user(UserName="simulated-user")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
        == arn
    )
    assert caller.refused("sqs", "list_queues")[0]


def test_pages_and_several_actions_and_resources(iam: Any, user: str) -> None:
    actions, arns = ["s3:GetObject", "s3:PutObject"], [KEY, f"{KEY}x"]
    pages = list(
        iam.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=user,
            ActionNames=actions,
            ResourceArns=arns,
            PaginationConfig={"PageSize": 3},
        )
    )
    assert [len(each["EvaluationResults"]) for each in pages] == [3, 1]
    assert [each["IsTruncated"] for each in pages] == [True, False]
    results = [item for each in pages for item in each["EvaluationResults"]]
    assert [(item["EvalActionName"], item["EvalResourceName"]) for item in results] == [
        (action, arn) for action in actions for arn in arns
    ]


def test_resource_policies_are_simulated_for_a_caller(iam: Any, user: str) -> None:
    granted = document(allow("s3:GetObject", Resource=KEY, Principal={"AWS": user}))
    ask = {
        "PolicyInputList": [document(allow("iam:GetUser"))],
        "ActionNames": ["s3:GetObject"],
        "ResourceArns": [KEY],
        "ResourcePolicy": granted,
    }
    result = one(iam.simulate_custom_policy(**ask, CallerArn=user))
    assert (result["EvalDecision"], result["MatchedStatements"][0]["SourcePolicyType"]) == (
        "allowed",
        "resource",
    )
    other = one(iam.simulate_custom_policy(**ask, CallerArn=f"{user}2"))
    assert other["EvalDecision"] == "implicitDeny"
    # The resource's owner is another account: both sides must allow.
    ask["ResourceOwner"] = "arn:aws:iam::999999999999:root"
    assert one(iam.simulate_custom_policy(**ask, CallerArn=user))["EvalDecision"] == "implicitDeny"


def test_context_keys_that_policies_name(iam: Any, user: str) -> None:
    text = document(
        {
            **allow("s3:*"),
            "Condition": {"StringLike": {"s3:prefix": ["${aws:username}/*", "${AWS:UserName}"]}},
        },
        {**allow("sns:*"), "Resource": "arn:aws:sns:*:*:${aws:PrincipalTag/team, 'x'}"},
    )
    names = iam.get_context_keys_for_custom_policy(PolicyInputList=[text])["ContextKeyNames"]
    assert sorted(name.lower() for name in names) == ["aws:principaltag/team", "aws:username", "s3:prefix"]
    found = iam.get_context_keys_for_principal_policy(PolicySourceArn=user, PolicyInputList=[text])
    assert len(found["ContextKeyNames"]) == 3


@pytest.mark.parametrize(
    ("operation", "members", "code"),
    [
        ("simulate_custom_policy", {"PolicyInputList": ["{}"], "ActionNames": ["s3:GetObject"]}, "InvalidInput"),
        ("simulate_custom_policy", {"PolicyInputList": [document()], "ActionNames": ["s3:Nothing"]}, "InvalidInput"),
        ("simulate_principal_policy", {"PolicySourceArn": f"arn:aws:iam::{ACCOUNT}:user/nobody", "ActionNames": ["s3:GetObject"]}, "NoSuchEntity"),
        ("put_user_permissions_boundary", {"UserName": "nobody", "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/x"}, "NoSuchEntity"),
        ("delete_user_permissions_boundary", {"UserName": "nobody"}, "NoSuchEntity"),
        ("create_user", {"UserName": "simulated-other", "PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/gone"}, "NoSuchEntity"),
        ("create_user", {"UserName": "ENGINEER"}, "EntityAlreadyExists"),
    ],
)  # fmt: skip
def test_what_iam_refuses(iam: Any, operation: str, members: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(iam, operation)(**members)
    assert caught.value.response["Error"]["Code"] == code
