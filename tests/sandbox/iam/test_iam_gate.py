"""The gate over moto's records: principals, their policies, what refusals say, and what is recorded."""

from __future__ import annotations

import itertools
import json
import random

import pytest
from moto.backends import get_backend

from sandbox.iam import gate, trust
from sandbox.iam.context import RequestFacts, request_tags
from sandbox.iam.errors import AccessDenied
from sandbox.iam.ledger import Ledger
from sandbox.iam.principals import (
    PRINCIPALS,
    bootstrap,
    open_session,
    principal_of,
    secret_of,
    service_principal,
)
from sandbox.iam.principals.bootstrap import policy_document
from sandbox.iam.signature import BadToken, TokenExpired, UnknownKey

REGION = "eu-west-1"
_accounts = itertools.count(random.Random(7).randrange(10**11, 9 * 10**11))


@pytest.fixture
def account() -> str:
    """A fresh account: moto's records are of the whole process."""
    return f"{next(_accounts):012d}"


@pytest.fixture
def iam(account):
    return get_backend("iam")[account]["aws"]


def document(*statements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action="*", resource="*", **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action="*", resource="*", **more):
    return {**allow(action, resource, **more), "Effect": "Deny"}


def make_role(iam, account, name="R", trusts=None, policy=None, boundary=None, tags=()):
    trusts = trusts or {"AWS": f"arn:aws:iam::{account}:root"}
    statement = (
        trusts if "Effect" in trusts else {"Effect": "Allow", "Principal": trusts, "Action": "sts:AssumeRole"}
    )
    role = iam.create_role(
        role_name=name,
        assume_role_policy_document=document(statement),
        path="/",
        permissions_boundary=boundary,
        description="",
        tags=list(tags),
        max_session_duration="3600",
    )
    if policy:
        iam.put_role_policy(name, "inline", policy)
    return role


def session_of(role, **more):
    session = open_session(role.arn, "s", region=REGION, **more)
    return principal_of(session.access_key_id, session.session_token)


def facts(account, service, operation, params=None, **more):
    return RequestFacts(service, operation, params or {}, REGION, account, **more)


def refusal(principal, request) -> AccessDenied | None:
    try:
        gate.authorize(principal, request)
    except AccessDenied as error:
        return error
    return None


# --- principals


def test_keys_lead_to_their_principals(account, iam):
    credentials = bootstrap(account)
    engineer = principal_of(credentials["engineer"].access_key)
    assert (engineer.kind, engineer.name, engineer.caller_arn) == (
        "user",
        "engineer",
        f"arn:aws:iam::{account}:user/engineer",
    )
    assert principal_of(credentials["root"].access_key).caller_arn == f"arn:aws:iam::{account}:root"
    assert secret_of(credentials["engineer"].access_key, None) == credentials["engineer"].secret_key
    session = open_session(make_role(iam, account).arn, "sess", region=REGION)
    assumed = principal_of(session.access_key_id, session.session_token)
    assert assumed.caller_arn == f"arn:aws:sts::{account}:assumed-role/R/sess"
    assert assumed.arn == f"arn:aws:iam::{account}:role/R"
    assert secret_of(session.access_key_id, session.session_token) == session.secret_access_key
    with pytest.raises(BadToken):
        secret_of(session.access_key_id, "other")
    with pytest.raises(UnknownKey):
        principal_of("AKIANOBODY")


def test_sessions_run_out_and_die_with_their_role(account, iam):
    role = make_role(iam, account)
    old = open_session(role.arn, "old", region=REGION, duration=-1)
    with pytest.raises(TokenExpired):
        secret_of(old.access_key_id, old.session_token)
    live = open_session(role.arn, "live", region=REGION)
    iam.delete_role("R")
    with pytest.raises(UnknownKey):
        principal_of(live.access_key_id, live.session_token)


def test_an_inactive_key_is_unknown(account, iam):
    credentials = bootstrap(account)
    iam.update_access_key("team", credentials["team"].access_key, "Inactive")
    with pytest.raises(UnknownKey):
        secret_of(credentials["team"].access_key, None)


def test_bootstrap_is_done_once(account, iam):
    assert bootstrap(account) == bootstrap(account)
    assert set(iam.users) == set(PRINCIPALS)


def test_policies_of_users_come_from_inline_attached_and_groups(account, iam):
    iam.create_user(region_name=REGION, user_name="u")
    key = iam.create_access_key("u")
    iam.put_user_policy("u", "inline", document(allow("ssm:GetParameter")))
    managed = iam.create_policy("", "/", document(allow("s3:ListAllMyBuckets")), "m", [])
    iam.attach_user_policy(managed.arn, "u")
    iam.create_group("g", "/")
    iam.add_user_to_group("g", "u")
    iam.put_group_policy("g", "inline", document(allow("events:ListRules")))
    user = principal_of(key.access_key_id)
    assert refusal(user, facts(account, "ssm", "GetParameter", {"Name": "n"})) is None
    assert refusal(user, facts(account, "s3", "ListBuckets")) is None
    assert refusal(user, facts(account, "events", "ListRules")) is None
    assert refusal(user, facts(account, "events", "ListEventBuses"))


# --- refusals in AWS's words


def test_words_and_codes(account, iam):
    role = make_role(iam, account, policy=document(deny("sagemaker:DeleteModel")))
    principal = session_of(role)
    who = f"User: arn:aws:sts::{account}:assumed-role/R/s is not authorized to perform:"
    model = f"arn:aws:sagemaker:{REGION}:{account}:model/m"
    error = refusal(principal, facts(account, "sagemaker", "CreateModel", {"ModelName": "m"}))
    assert (error.code, error.status) == ("AccessDeniedException", 400)
    assert (
        error.message
        == f"{who} sagemaker:CreateModel on resource: {model} because no identity-based policy allows the sagemaker:CreateModel action"
    )
    error = refusal(principal, facts(account, "sagemaker", "DeleteModel", {"ModelName": "m"}))
    assert (
        error.message
        == f"{who} sagemaker:DeleteModel on resource: {model} with an explicit deny in an identity-based policy"
    )
    error = refusal(principal, facts(account, "s3", "GetObject", {"Bucket": "b", "Key": "k"}))
    assert (error.code, error.status) == ("AccessDenied", 403)
    assert (
        error.message
        == f'{who} s3:GetObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:GetObject action'
    )
    assert refusal(principal, facts(account, "cloudformation", "ListStacks")).code == "AccessDenied"
    assert refusal(principal, facts(account, "cloudwatch", "ListMetrics")).code == "AccessDenied"
    assert (
        refusal(
            principal, facts(account, "sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"})
        ).status
        == 403
    )


def test_boundary_and_session_policy(account, iam):
    boundary = iam.create_policy("", "/", document(allow("s3:GetObject")), "boundary", [])
    role = make_role(iam, account, policy=document(allow("s3:*")), boundary=boundary.arn)
    principal = session_of(role)
    read = facts(account, "s3", "GetObject", {"Bucket": "b", "Key": "k"})
    write = facts(account, "s3", "PutObject", {"Bucket": "b", "Key": "k"})
    assert refusal(principal, read) is None
    assert (
        "because no permissions boundary allows the s3:PutObject action" in refusal(principal, write).message
    )
    narrowed = session_of(role, policy=document(allow("s3:PutObject")))
    assert "because no session policy allows the s3:GetObject action" in refusal(narrowed, read).message
    managed = iam.create_policy("", "/", document(allow("s3:GetObject", "arn:aws:s3:::b/*")), "session", [])
    assert refusal(session_of(role, policy_arns=[managed.arn]), read) is None


def test_a_boundary_that_is_gone_allows_nothing(account, iam):
    role = make_role(iam, account, policy=document(allow()), boundary=f"arn:aws:iam::{account}:policy/gone")
    assert refusal(session_of(role), facts(account, "s3", "ListBuckets"))


def test_unmapped_and_unknown_are_named(account, iam):
    policy = document(
        allow(),
        deny("sagemaker:CreateModel", Condition={"StringEquals": {"sagemaker:OwnerUserProfileArn": "x"}}),
    )
    principal = session_of(make_role(iam, account, policy=policy))
    error = refusal(principal, facts(account, "codecommit", "GetPullRequest", {"pullRequestId": "1"}))
    assert "codecommit:GetPullRequest" in error.message
    assert "pull-request" in error.message
    # A key of the service that this action never carries is absent, not unknown.
    assert refusal(principal, facts(account, "sagemaker", "CreateModel", {"ModelName": "m"})) is None
    policy = document(allow(), deny("sagemaker:CreateModel", Condition={"StringEquals": {"made:Up": "x"}}))
    principal = session_of(make_role(iam, account, "Q", policy=policy))
    error = refusal(principal, facts(account, "sagemaker", "CreateModel", {"ModelName": "m"}))
    assert "condition key made:up" in error.message


# --- resource policies, keys, roles


def test_bucket_policies(account, iam):
    role = make_role(iam, account)
    principal = session_of(role)
    s3 = get_backend("s3")[account]["aws"]
    bucket = s3.create_bucket(f"b-{account}", REGION)
    read = facts(account, "s3", "GetObject", {"Bucket": bucket.name, "Key": "k"})
    assert refusal(principal, read)
    bucket.policy = document(
        allow("s3:GetObject", f"arn:aws:s3:::{bucket.name}/*", Principal={"AWS": role.arn})
    ).encode()
    assert refusal(principal, read) is None
    insecure = deny(
        "s3:*",
        f"arn:aws:s3:::{bucket.name}/*",
        Principal="*",
        Condition={"Bool": {"aws:SecureTransport": "false"}},
    )
    iam.put_role_policy("R", "all", document(allow("s3:*")))
    bucket.policy = document(insecure).encode()
    assert refusal(principal, read) is None
    bucket.policy = document(deny("s3:*", f"arn:aws:s3:::{bucket.name}/*", Principal="*")).encode()
    assert "explicit deny in a resource-based policy" in refusal(principal, read).message
    root = principal_of(bootstrap(account)["root"].access_key)
    assert refusal(root, read)


def test_object_tags(account, iam):
    policy = document(
        allow(
            "s3:GetObject",
            Condition={"StringEquals": {"s3:ExistingObjectTag/servicecatalog:provisioning": "true"}},
        )
    )
    principal = session_of(make_role(iam, account, policy=policy))
    s3 = get_backend("s3")[account]["aws"]
    bucket = s3.create_bucket(f"b-{account}", REGION)
    read = facts(account, "s3", "GetObject", {"Bucket": bucket.name, "Key": "k"})
    key = s3.put_object(bucket.name, "k", b"x")
    assert refusal(principal, read)
    s3.put_object_tagging(key, {"servicecatalog:provisioning": "true"})
    assert refusal(principal, read) is None


def test_objects_under_a_key_need_the_key(account, iam):
    role = make_role(iam, account, policy=document(allow("s3:*")))
    principal = session_of(role)
    kms = get_backend("kms")[account][REGION]
    key = kms.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", [], origin="AWS_KMS")
    s3 = get_backend("s3")[account]["aws"]
    bucket = s3.create_bucket(f"b-{account}", REGION)
    s3.put_bucket_encryption(
        bucket.name,
        {
            "Rule": {
                "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key.arn}
            }
        },
    )
    write = facts(account, "s3", "PutObject", {"Bucket": bucket.name, "Key": "k"})
    read = facts(account, "s3", "GetObject", {"Bucket": bucket.name, "Key": "k"})
    assert "kms:GenerateDataKey on resource" in refusal(principal, write).message
    iam.put_role_policy(
        "R",
        "key",
        document(
            allow(
                ["kms:GenerateDataKey", "kms:Decrypt"],
                key.arn,
                Condition={"StringLike": {"kms:ViaService": "s3.*.amazonaws.com"}},
            )
        ),
    )
    assert refusal(principal, write) is None
    s3.put_object(bucket.name, "k", b"x")
    assert refusal(principal, read) is None
    # Used through S3 only.
    assert refusal(principal, facts(account, "kms", "Decrypt", {"KeyId": key.id, "CiphertextBlob": b""}))


def test_key_policies_must_grant_and_grants_count(account, iam):
    role = make_role(iam, account, policy=document(allow("kms:*")))
    principal = session_of(role)
    kms = get_backend("kms")[account][REGION]
    key = kms.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "", [], origin="AWS_KMS")
    use = facts(account, "kms", "Encrypt", {"KeyId": key.id, "Plaintext": b"x"})
    assert refusal(principal, use) is None
    key.policy = document(allow("kms:*", Principal={"AWS": f"arn:aws:iam::{account}:role/Other"}))
    assert "because no resource-based policy allows the kms:Encrypt action" in refusal(principal, use).message
    kms.create_grant(key.id, role.arn, ["Encrypt"], "", {"EncryptionContextSubset": {"a": "1"}}, "")
    assert refusal(principal, use)
    within = facts(
        account,
        "kms",
        "Encrypt",
        {"KeyId": key.arn, "Plaintext": b"x", "EncryptionContext": {"a": "1", "b": "2"}},
    )
    assert refusal(principal, within) is None


def test_passing_a_role(account, iam):
    passed = f"arn:aws:iam::{account}:role/Passed"
    policy = document(
        allow("codebuild:CreateProject"),
        allow(
            "iam:PassRole",
            passed,
            Condition={"StringEquals": {"iam:PassedToService": "codebuild.amazonaws.com"}},
        ),
    )
    principal = session_of(make_role(iam, account, policy=policy))
    assert (
        refusal(principal, facts(account, "codebuild", "CreateProject", {"name": "p", "serviceRole": passed}))
        is None
    )
    error = refusal(
        principal, facts(account, "codebuild", "CreateProject", {"name": "p", "serviceRole": f"{passed}2"})
    )
    assert f"iam:PassRole on resource: {passed}2 because no identity-based policy allows" in error.message
    iam.put_role_policy("R", "more", document(allow("sagemaker:CreateModel")))
    assert (
        "iam:PassRole"
        in refusal(
            principal,
            facts(account, "sagemaker", "CreateModel", {"ModelName": "m", "ExecutionRoleArn": passed}),
        ).message
    )


def test_assuming_roles(account, iam):
    role = make_role(iam, account, "Target")
    caller = session_of(make_role(iam, account, "Caller"))
    ask = facts(account, "sts", "AssumeRole", {"RoleArn": role.arn, "RoleSessionName": "x"})
    error = refusal(caller, ask)
    assert (
        error.message
        == f"User: {caller.caller_arn} is not authorized to perform: sts:AssumeRole on resource: {role.arn}"
    )
    iam.put_role_policy("Caller", "assume", document(allow("sts:AssumeRole", role.arn)))
    assert refusal(caller, ask) is None
    iam.update_assume_role_policy(
        "Target",
        document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": caller.arn},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"sts:ExternalId": "42"}},
            }
        ),
    )
    assert refusal(caller, ask)
    iam.delete_role_policy("Caller", "assume")
    assert (
        refusal(
            caller,
            facts(
                account,
                "sts",
                "AssumeRole",
                {"RoleArn": role.arn, "RoleSessionName": "x", "ExternalId": "42"},
            ),
        )
        is None
    )
    missing = facts(
        account, "sts", "AssumeRole", {"RoleArn": f"arn:aws:iam::{account}:role/None", "RoleSessionName": "x"}
    )
    assert refusal(caller, missing).code == "AccessDenied"


def test_services_assume_roles_only_for_whom_the_trust_says(account, iam):
    pipeline = f"arn:aws:codepipeline:{REGION}:{account}:p"
    role = make_role(
        iam,
        account,
        trusts={
            "Effect": "Allow",
            "Principal": {"Service": "codepipeline.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account},
                "ArnLike": {"aws:SourceArn": pipeline},
            },
        },
    )
    trust.check_service(role.arn, "codepipeline.amazonaws.com", account=account, source_arn=pipeline)
    for service, source, owner in (
        ("codebuild.amazonaws.com", pipeline, account),
        ("codepipeline.amazonaws.com", f"{pipeline}2", account),
        ("codepipeline.amazonaws.com", None, account),
        ("codepipeline.amazonaws.com", pipeline, "999999999999"),
    ):
        with pytest.raises(AccessDenied):
            trust.check_service(role.arn, service, account=account, source_arn=source, source_account=owner)
    with pytest.raises(AccessDenied):
        trust.check_service(f"{role.arn}2", "codepipeline.amazonaws.com", account=account)
    assert not trust.may_assume(
        role, service_principal("events.amazonaws.com", account), facts(account, "sts", "AssumeRole")
    ).allowed


@pytest.mark.parametrize("service", ["cloudformation.amazonaws.com", "servicecatalog.amazonaws.com"])
def test_services_that_tell_no_source_are_not_let_in_where_one_is_asked_for(account, iam, service):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust.check_service(make_role(iam, account, trusts=statement).arn, service, account=account)
    asks = {"Condition": {"StringEquals": {"aws:SourceAccount": account}}}
    with pytest.raises(AccessDenied):
        trust.check_service(make_role(iam, account, "Asks", statement | asks).arn, service, account=account)


# --- tags


@pytest.mark.parametrize(
    "service, operation, params, tagging",
    [
        ("sagemaker", "CreateModelPackageGroup", {"ModelPackageGroupName": "g"}, "sagemaker:AddTags"),
        ("iam", "CreateRole", {"RoleName": "tagged", "AssumeRolePolicyDocument": "{}"}, "iam:TagRole"),
        ("kms", "CreateKey", {}, "kms:TagResource"),
        ("events", "PutRule", {"Name": "r"}, "events:TagResource"),
        ("sqs", "CreateQueue", {"QueueName": "q"}, "sqs:TagQueue"),
    ],
)
def test_tags_at_creation_need_the_permission_to_tag(account, iam, service, operation, params, tagging):
    prefix = tagging.partition(":")[0]
    create = f"{prefix}:{operation}"
    tags = {"q": "1"} if service == "sqs" else [{"Key": "q", "Value": "1"}]
    tagged = params | {"tags" if service == "sqs" else "Tags": tags}
    creator = session_of(make_role(iam, account, policy=document(allow(create))))
    assert refusal(creator, facts(account, service, operation, params)) is None
    assert tagging in str(refusal(creator, facts(account, service, operation, tagged)))
    tagger = session_of(make_role(iam, account, "Tagger", policy=document(allow([create, tagging]))))
    assert refusal(tagger, facts(account, service, operation, tagged)) is None


def test_tags_of_request_resource_and_principal(account, iam):
    policy = document(
        allow(
            ["sagemaker:CreateTrainingJob", "sagemaker:AddTags"],
            Condition={
                "StringEquals": {"aws:RequestTag/sagemaker:project-id": "${aws:PrincipalTag/project}"}
            },
        ),
        allow(
            "sagemaker:StopTrainingJob",
            Condition={"StringEquals": {"aws:ResourceTag/sagemaker:project-id": "p-1"}},
        ),
    )
    role = make_role(iam, account, policy=policy, tags=[{"Key": "project", "Value": "p-1"}])
    principal = session_of(role)
    create = {"TrainingJobName": "j", "Tags": [{"Key": "sagemaker:project-id", "Value": "p-1"}]}
    assert refusal(principal, facts(account, "sagemaker", "CreateTrainingJob", create)) is None
    create["Tags"][0]["Value"] = "p-2"
    assert refusal(principal, facts(account, "sagemaker", "CreateTrainingJob", create))
    job = {"TrainingJobName": "j"}
    tags = {f"arn:aws:sagemaker:{REGION}:{account}:training-job/j": {"sagemaker:project-id": "p-1"}}
    assert (
        refusal(
            principal,
            facts(account, "sagemaker", "StopTrainingJob", job, tags_of=lambda arn: tags.get(arn, {})),
        )
        is None
    )
    assert refusal(principal, facts(account, "sagemaker", "StopTrainingJob", job))
    other = session_of(role, tags={"project": "p-2"})
    assert refusal(other, facts(account, "sagemaker", "CreateTrainingJob", create)) is None


@pytest.mark.parametrize(
    "params",
    [
        {"Tags": [{"Key": "a", "Value": "1"}]},
        {"tags": [{"key": "a", "value": "1"}]},
        {"tags": {"a": "1"}},
        {"Tags": [{"TagKey": "a", "TagValue": "1"}]},
        {"Tags": {"TagSet": [{"Key": "a", "Value": "1"}]}},
        {"AddTags": [{"Key": "a", "Value": "1"}]},
    ],
)
def test_request_tags_in_every_service_s_form(params):
    assert request_tags(params) == {"a": "1"}
    assert request_tags({"TagKeys": ["a"]}) == {"a": None}


# --- the four principals

PACKAGE = "model-package/g/1"


@pytest.mark.parametrize(
    ("who", "service", "operation", "params", "expected"),
    [
        (
            "engineer",
            "sagemaker",
            "UpdateModelPackage",
            {"ModelPackageArn": PACKAGE, "ModelApprovalStatus": "Approved"},
            False,
        ),
        (
            "approver",
            "sagemaker",
            "UpdateModelPackage",
            {"ModelPackageArn": PACKAGE, "ModelApprovalStatus": "Approved"},
            True,
        ),
        (
            "team",
            "sagemaker",
            "UpdateModelPackage",
            {"ModelPackageArn": PACKAGE, "ModelApprovalStatus": "Approved"},
            False,
        ),
        (
            "engineer",
            "codepipeline",
            "PutApprovalResult",
            {"pipelineName": "sagemaker-p", "stageName": "s", "actionName": "a"},
            False,
        ),
        (
            "approver",
            "codepipeline",
            "PutApprovalResult",
            {"pipelineName": "sagemaker-p", "stageName": "s", "actionName": "a"},
            True,
        ),
        ("engineer", "codepipeline", "StartPipelineExecution", {"name": "sagemaker-p"}, True),
        ("engineer", "codepipeline", "StartPipelineExecution", {"name": "other"}, False),
        (
            "engineer",
            "codepipeline",
            "RetryStageExecution",
            {"pipelineName": "sagemaker-p", "stageName": "s"},
            True,
        ),
        ("approver", "codepipeline", "StartPipelineExecution", {"name": "sagemaker-p"}, False),
        ("engineer", "codecommit", "GetBranch", {"repositoryName": "sagemaker-r"}, True),
        ("engineer", "codecommit", "GetBranch", {"repositoryName": "other"}, False),
        (
            "engineer",
            "codecommit",
            "DeleteBranch",
            {"repositoryName": "sagemaker-r", "branchName": "main"},
            False,
        ),
        (
            "engineer",
            "codecommit",
            "CreateCommit",
            {"repositoryName": "sagemaker-r", "branchName": "b"},
            True,
        ),
        (
            "approver",
            "codecommit",
            "CreateCommit",
            {"repositoryName": "sagemaker-r", "branchName": "b"},
            False,
        ),
        ("engineer", "codebuild", "BatchGetBuilds", {"ids": ["sagemaker-b:1"]}, True),
        (
            "engineer",
            "logs",
            "GetLogEvents",
            {"logGroupName": "/aws/codebuild/sagemaker-b", "logStreamName": "s"},
            True,
        ),
        ("engineer", "s3", "PutObject", {"Bucket": "sagemaker-b", "Key": "k"}, False),
        ("engineer", "iam", "CreateUser", {"UserName": "u"}, False),
        ("approver", "sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"}, True),
        ("team", "sagemaker", "CreateProject", {"ProjectName": "p"}, True),
        ("team", "sagemaker", "DescribeProject", {"ProjectName": "p"}, True),
        ("team", "servicecatalog", "ProvisionProduct", {"ProductId": "prod-1"}, True),
        ("team", "servicecatalog", "CreatePortfolio", {"DisplayName": "d"}, False),
        ("team", "sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e"}, False),
        ("admin", "servicecatalog", "CreatePortfolio", {"DisplayName": "d"}, True),
        ("admin", "s3", "PutObject", {"Bucket": "sagemaker-hub", "Key": "k"}, True),
        ("admin", "s3", "PutObject", {"Bucket": "someone-elses", "Key": "k"}, False),
        ("admin", "iam", "CreateRole", {"RoleName": "sagemaker-launch"}, True),
        ("admin", "iam", "CreateRole", {"RoleName": "other"}, False),
        ("admin", "iam", "CreateUser", {"UserName": "u"}, False),
    ],
)
def test_the_four_principals(account, who, service, operation, params, expected):
    principal = principal_of(bootstrap(account)[who].access_key)
    params = {
        name: f"arn:aws:sagemaker:{REGION}:{account}:{text}" if text == PACKAGE else text
        for name, text in params.items()
    }
    error = refusal(principal, facts(account, service, operation, params))
    assert (error is None) is expected, error


@pytest.mark.parametrize(
    ("who", "push", "pull"), [("engineer", True, True), ("approver", False, False), ("team", False, False)]
)
def test_git_permissions(account, who, push, pull):
    principal = principal_of(bootstrap(account)[who].access_key)
    repository = f"arn:aws:codecommit:{REGION}:{account}:sagemaker-r"
    for action, expected in (("GitPush", push), ("GitPull", pull)):
        request = facts(account, "codecommit", action)
        if expected:
            gate.authorize_action(principal, f"codecommit:{action}", repository, request)
        else:
            with pytest.raises(AccessDenied, match=f"codecommit:{action}"):
                gate.authorize_action(principal, f"codecommit:{action}", repository, request)


@pytest.mark.parametrize("who", PRINCIPALS)
def test_policies_fit_aws_and_are_scoped(who):
    text = policy_document(who)
    body = json.loads(text)
    assert len(json.dumps(body, separators=(",", ":"))) <= 6144
    assert all(
        "*" not in (item["Action"] if isinstance(item["Action"], list) else [item["Action"]])
        for item in body["Statement"]
    )
    assert len({item["Sid"] for item in body["Statement"]}) == len(body["Statement"])


# --- the ledger


def test_what_was_decided_is_counted(account, iam):
    ledger = Ledger(keep=3)
    principal = session_of(make_role(iam, account, policy=document(allow("s3:*"))))
    for _ in range(4):
        gate.authorize(principal, facts(account, "s3", "ListBuckets"), ledger)
    for service, operation, params in (
        ("iam", "CreateUser", {"UserName": "u"}),
        ("codecommit", "GetPullRequest", {"pullRequestId": "1"}),
    ):
        with pytest.raises(AccessDenied):
            gate.authorize(principal, facts(account, service, operation, params), ledger)
    uses = {use.action: (use.allowed, use.denied) for use in ledger.uses(principal.arn)}
    assert uses == {
        "s3:ListAllMyBuckets": (4, 0),
        "iam:CreateUser": (0, 1),
        "codecommit:GetPullRequest": (0, 1),
    }
    assert [row[:2] for row in ledger.unmapped()] == [(principal.arn, "codecommit:GetPullRequest")]
    assert len(ledger.recent) == 3
