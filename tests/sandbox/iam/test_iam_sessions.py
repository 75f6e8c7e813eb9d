"""Temporary credentials through the door: role sessions, chaining, session tokens, federated users."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.sandbox_process import SandboxProcess

ACCOUNT = "123456789012"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def trust(*actions: str) -> str:
    body = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": list(actions)}
    return document(body)


class Caller:
    """boto3 clients with the credentials that STS answered."""

    def __init__(self, sandbox: SandboxProcess, credentials: dict[str, Any]) -> None:
        self._session = boto3.Session(
            credentials["AccessKeyId"],
            credentials["SecretAccessKey"],
            credentials.get("SessionToken"),
            region_name="us-east-1",
        )
        self._url = sandbox.url

    def client(self, service: str) -> Any:
        config = Config(retries={"total_max_attempts": 1})
        return self._session.client(service, endpoint_url=self._url, config=config)

    def assume(self, role: str, **more: Any) -> Caller:
        answer = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}", RoleSessionName=role, **more
        )
        return Caller.__new__(Caller)._like(self, answer["Credentials"])

    def _like(self, other: Caller, credentials: dict[str, Any]) -> Caller:
        self._session = boto3.Session(
            credentials["AccessKeyId"],
            credentials["SecretAccessKey"],
            credentials["SessionToken"],
            region_name="us-east-1",
        )
        self._url = other._url
        return self

    def refused(self, service: str, operation: str, **members: Any) -> tuple[str, str]:
        with pytest.raises(ClientError) as caught:
            getattr(self.client(service), operation)(**members)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]


@pytest.fixture(scope="module")
def user(sandbox: SandboxProcess) -> Iterator[Caller]:
    """A user who may use STS and read parameters, and three roles that chain."""
    iam = sandbox.client("iam")
    iam.create_user(UserName="sessions-user", Tags=[{"Key": "team", "Value": "red"}])
    iam.put_user_policy(
        UserName="sessions-user",
        PolicyName="p",
        PolicyDocument=document(allow("sts:*", "ssm:*", "iam:GetUser", "s3:ListAllMyBuckets")),
    )
    every = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
    for name, actions in (("sessions-one", every), ("sessions-two", every), ("sessions-bare", every[:1])):
        longest = 7200 if name == "sessions-one" else 3600
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(*actions), MaxSessionDuration=longest)
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(allow("sts:*", "ssm:*")))
    key = iam.create_access_key(UserName="sessions-user")["AccessKey"]
    yield Caller(sandbox, key)
    for name in ("sessions-one", "sessions-two", "sessions-bare"):
        iam.delete_role_policy(RoleName=name, PolicyName="p")
        iam.delete_role(RoleName=name)


def arn(role: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{role}"


def test_how_long_a_role_session_may_last(user: Caller) -> None:
    user.assume("sessions-one", DurationSeconds=7200)
    ask = {"RoleSessionName": "run", "DurationSeconds": 7201}
    assert user.refused("sts", "assume_role", RoleArn=arn("sessions-one"), **ask) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
    )
    chained = user.assume("sessions-two")
    chained.assume("sessions-one", DurationSeconds=3600)
    ask["DurationSeconds"] = 3601
    assert chained.refused("sts", "assume_role", RoleArn=arn("sessions-one"), **ask) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
    )


def test_the_root_user_assumes_no_role(sandbox: SandboxProcess, user: Caller) -> None:
    with pytest.raises(ClientError, match="Roles may not be assumed by root accounts."):
        sandbox.client("sts").assume_role(RoleArn=arn("sessions-one"), RoleSessionName="run")


def test_session_tags_that_are_transitive_stay(user: Caller) -> None:
    tags = [{"Key": "Project", "Value": "p-1"}, {"Key": "stage", "Value": "dev"}]
    first = user.assume("sessions-one", Tags=tags, TransitiveTagKeys=["project"])
    second = first.assume("sessions-two")
    ask = {"RoleArn": arn("sessions-two"), "RoleSessionName": "run"}
    code, text = first.refused("sts", "assume_role", **ask, Tags=[{"Key": "PROJECT", "Value": "p-2"}])
    assert (code, text[:53]) == (
        "InvalidParameterValue",
        "One of the specified transitive tag keys can't be set",
    )
    first.assume("sessions-two", Tags=[{"Key": "stage", "Value": "prod"}])
    # What is inherited asks the next role's trust policy for sts:TagSession as well.
    code, text = second.refused("sts", "assume_role", RoleArn=arn("sessions-bare"), RoleSessionName="run")
    assert (code, text.split(": ")[2].split(" ")[0]) == ("AccessDenied", "sts:TagSession")
    user.assume("sessions-bare")


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]}, "InvalidParameterValue"),
        ({"Tags": [{"Key": "a", "Value": "1"}], "TransitiveTagKeys": ["b"]}, "InvalidParameterValue"),
        ({"Policy": "{"}, "MalformedPolicyDocument"),
        ({"Policy": document(allow("s3:*", Principal="*"))}, "MalformedPolicyDocument"),
        ({"Policy": " " * 2049}, "ValidationError"),
        ({"DurationSeconds": 899}, "ValidationError"),
    ],
)
def test_what_assume_role_does_not_take(user: Caller, members: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        Caller.assume(_lax(user), "sessions-one", **members)
    assert caught.value.response["Error"]["Code"] == code


def _lax(caller: Caller) -> Caller:
    """The caller, with nothing validated on its own side."""
    lax = Caller.__new__(Caller)
    lax._session, lax._url = caller._session, caller._url
    config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
    lax.client = lambda service: caller._session.client(  # type: ignore[method-assign]
        service, endpoint_url=caller._url, config=config
    )
    return lax


def test_a_source_identity_stays_and_is_never_another(user: Caller) -> None:
    first = user.assume("sessions-one", SourceIdentity="dana")
    answer = first.client("sts").assume_role(RoleArn=arn("sessions-two"), RoleSessionName="run")
    assert answer["SourceIdentity"] == "dana"
    ask = {"RoleArn": arn("sessions-two"), "RoleSessionName": "run", "SourceIdentity": "erin"}
    code, text = first.refused("sts", "assume_role", **ask)
    assert (code, "sts:SetSourceIdentity" in text) == ("AccessDenied", True)
    assert (
        first.refused("sts", "assume_role", RoleArn=arn("sessions-bare"), RoleSessionName="run")[0]
        == "AccessDenied"
    )


def test_session_tokens_are_the_user_with_less(sandbox: SandboxProcess, user: Caller) -> None:
    credentials = user.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    token = Caller(sandbox, credentials)
    who = token.client("sts").get_caller_identity()
    assert who["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/sessions-user"
    assert token.client("ssm").describe_parameters()["Parameters"] is not None
    assert token.refused("iam", "get_user", UserName="sessions-user")[0] == "InvalidClientTokenId"
    assert token.refused("sts", "get_session_token") == (
        "AccessDenied",
        "Cannot call GetSessionToken with session credentials",
    )
    token.assume("sessions-one")
    assert token.assume("sessions-one").refused("sts", "get_session_token")[0] == "AccessDenied"
    without = Caller(sandbox, {name: credentials[name] for name in ("AccessKeyId", "SecretAccessKey")})
    assert without.refused("sts", "get_caller_identity")[0] == "InvalidClientTokenId"


def test_federated_users_may_what_both_the_user_and_the_session_policy_allow(
    sandbox: SandboxProcess, user: Caller
) -> None:
    answer = user.client("sts").get_federation_token(
        Name="guest", Policy=document(allow("ssm:DescribeParameters", "events:*")), DurationSeconds=900
    )
    assert answer["FederatedUser"] == {
        "FederatedUserId": f"{ACCOUNT}:guest",
        "Arn": f"arn:aws:sts::{ACCOUNT}:federated-user/guest",
    }
    guest = Caller(sandbox, answer["Credentials"])
    assert guest.client("sts").get_caller_identity()["UserId"] == f"{ACCOUNT}:guest"
    assert guest.client("ssm").describe_parameters()["Parameters"] is not None
    code, text = guest.refused("ssm", "get_parameter", Name="n")
    assert text.startswith(f"User: arn:aws:sts::{ACCOUNT}:federated-user/guest is not authorized")
    assert text.endswith("because no session policy allows the ssm:GetParameter action")
    assert "identity-based policy" in guest.refused("events", "list_rules")[1]
    assert guest.refused("sts", "assume_role", RoleArn=arn("sessions-one"), RoleSessionName="run") == (
        "AccessDenied",
        "Cannot call AssumeRole with session credentials",
    )
    nothing = Caller(sandbox, user.client("sts").get_federation_token(Name="nobody")["Credentials"])
    assert "no session policy" in nothing.refused("ssm", "describe_parameters")[1]


def test_resource_policies_name_federated_users(sandbox: SandboxProcess, user: Caller) -> None:
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket="sessions-shared")
    s3.put_object(Bucket="sessions-shared", Key="k", Body=b"x")
    guest = Caller(sandbox, user.client("sts").get_federation_token(Name="reader")["Credentials"])
    read = allow("s3:GetObject", Resource="arn:aws:s3:::sessions-shared/*")
    for principal, allowed in (
        (f"arn:aws:iam::{ACCOUNT}:user/sessions-user", False),  # limited by the session
        (f"arn:aws:sts::{ACCOUNT}:federated-user/reader", True),
    ):
        policy = document({**read, "Principal": {"AWS": principal}})
        s3.put_bucket_policy(Bucket="sessions-shared", Policy=policy)
        if allowed:
            assert guest.client("s3").get_object(Bucket="sessions-shared", Key="k")["Body"].read() == b"x"
        else:
            code, _ = guest.refused("s3", "get_object", Bucket="sessions-shared", Key="k")
            assert code == "AccessDenied"
    s3.delete_object(Bucket="sessions-shared", Key="k")
    s3.delete_bucket(Bucket="sessions-shared")


def test_encoded_refusals_are_decoded_for_who_may(sandbox: SandboxProcess, user: Caller) -> None:
    code, text = user.refused("ec2", "describe_vpcs")
    assert code == "UnauthorizedOperation"
    who = f"User: arn:aws:iam::{ACCOUNT}:user/sessions-user"
    assert text.startswith(f"You are not authorized to perform this operation. {who} is not authorized")
    encoded = text.partition(" Encoded authorization failure message: ")[2]
    answer = user.client("sts").decode_authorization_message(EncodedMessage=encoded)
    body = json.loads(answer["DecodedMessage"])
    assert (body["allowed"], body["explicitDeny"]) == (False, False)
    assert body["context"]["action"] == "ec2:DescribeVpcs"
    assert body["context"]["principal"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/sessions-user"
    keys = {item["key"] for item in body["context"]["conditions"]["items"]}
    assert {"aws:requestedregion", "aws:sourceip"} <= keys
    code, _ = user.refused("sts", "decode_authorization_message", EncodedMessage="nonsense")
    assert code == "InvalidAuthorizationMessageException"
    engineer = sandbox.client("sts", "engineer")
    with pytest.raises(ClientError, match="sts:DecodeAuthorizationMessage"):
        engineer.decode_authorization_message(EncodedMessage=encoded)
