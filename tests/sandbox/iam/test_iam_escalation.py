"""The ways from a few IAM permissions to all of them: none is open to team, engineer or approver.

Source: the actions that "Privilege escalation" findings of IAM policy linters name, and the IAM User Guide's
"Security best practices in IAM" on PassRole and on who may change policies.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.iam.actions import catalogue
from sandbox.iam.documents import parse
from sandbox.iam.policy import PolicySet, evaluate
from sandbox.iam.principals import bootstrap, principal_of
from sandbox.iam.principals.bootstrap import policy_document
from tests.sandbox.iam.test_iam_gate import REGION, account, facts, refusal
from tests.sandbox.iam.test_iam_policy import Keys

__all__ = ["account"]

ROLE = "arn:aws:iam::{account}:role/sagemaker-launch"
POLICY = "arn:aws:iam::{account}:policy/sagemaker-projects-{who}"

WAYS: list[tuple[str, str, dict[str, Any]]] = [
    ("iam", "CreatePolicyVersion", {"PolicyArn": POLICY, "PolicyDocument": "{}", "SetAsDefault": True}),
    ("iam", "SetDefaultPolicyVersion", {"PolicyArn": POLICY, "VersionId": "v1"}),
    ("iam", "AttachUserPolicy", {"UserName": "{who}", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
    ("iam", "AttachRolePolicy", {"RoleName": "sagemaker-launch", "PolicyArn": POLICY}),
    ("iam", "AttachGroupPolicy", {"GroupName": "g", "PolicyArn": POLICY}),
    ("iam", "PutUserPolicy", {"UserName": "{who}", "PolicyName": "p", "PolicyDocument": "{}"}),
    ("iam", "PutRolePolicy", {"RoleName": "sagemaker-launch", "PolicyName": "p", "PolicyDocument": "{}"}),
    ("iam", "PutGroupPolicy", {"GroupName": "g", "PolicyName": "p", "PolicyDocument": "{}"}),
    ("iam", "AddUserToGroup", {"UserName": "{who}", "GroupName": "g"}),
    ("iam", "CreateAccessKey", {"UserName": "admin"}),
    ("iam", "CreateLoginProfile", {"UserName": "admin", "Password": "p"}),
    ("iam", "UpdateLoginProfile", {"UserName": "admin", "Password": "p"}),
    ("iam", "UpdateAssumeRolePolicy", {"RoleName": "sagemaker-launch", "PolicyDocument": "{}"}),
    ("iam", "CreateRole", {"RoleName": "sagemaker-mine", "AssumeRolePolicyDocument": "{}"}),
    ("iam", "DeleteUserPermissionsBoundary", {"UserName": "{who}"}),
    ("iam", "DeleteRolePermissionsBoundary", {"RoleName": "sagemaker-launch"}),
    ("sts", "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "mine"}),
    ("sagemaker", "CreateModel", {"ModelName": "sagemaker-m", "ExecutionRoleArn": ROLE}),
    ("sagemaker", "CreateTrainingJob", {"TrainingJobName": "j", "RoleArn": ROLE}),
    ("sagemaker", "CreateProcessingJob", {"ProcessingJobName": "j", "RoleArn": ROLE}),
    ("sagemaker", "CreateNotebookInstance", {"NotebookInstanceName": "n", "RoleArn": ROLE}),
    ("sagemaker", "CreatePresignedNotebookInstanceUrl", {"NotebookInstanceName": "n"}),
    ("sagemaker", "CreatePipeline", {"PipelineName": "sagemaker-p", "RoleArn": ROLE}),
    ("sagemaker", "UpdatePipeline", {"PipelineName": "sagemaker-p", "RoleArn": ROLE}),
    ("codebuild", "CreateProject", {"name": "sagemaker-b", "serviceRole": ROLE}),
    ("codebuild", "UpdateProject", {"name": "sagemaker-b", "serviceRole": ROLE}),
    ("codebuild", "StartBuild", {"projectName": "sagemaker-b", "buildspecOverride": "version: 0.2"}),
    ("codepipeline", "UpdatePipeline", {"pipeline": {"name": "sagemaker-p", "roleArn": ROLE}}),
    ("cloudformation", "CreateStack", {"StackName": "sagemaker-s", "RoleARN": ROLE}),
    ("cloudformation", "UpdateStack", {"StackName": "sagemaker-s-deploy-prod"}),
    ("cloudformation", "CreateChangeSet", {"StackName": "sagemaker-s", "ChangeSetName": "c"}),
    ("lambda", "CreateFunction", {"FunctionName": "sagemaker-f", "Role": ROLE, "Code": {}}),
    ("lambda", "UpdateFunctionCode", {"FunctionName": "sagemaker-f"}),
    ("lambda", "AddPermission", {"FunctionName": "sagemaker-f", "StatementId": "s", "Action": "*"}),
    ("events", "PutTargets", {"Rule": "sagemaker-r", "Targets": [{"Id": "1", "Arn": "a", "RoleArn": ROLE}]}),
    ("stepfunctions", "CreateStateMachine", {"name": "sagemaker-s", "roleArn": ROLE, "definition": "{}"}),
    ("s3", "PutObject", {"Bucket": "sagemaker-project-p", "Key": "model.tar.gz"}),
    ("s3", "PutBucketPolicy", {"Bucket": "sagemaker-project-p", "Policy": "{}"}),
    ("kms", "PutKeyPolicy", {"KeyId": "k", "Policy": "{}", "PolicyName": "default"}),
    ("kms", "CreateGrant", {"KeyId": "k", "GranteePrincipal": ROLE, "Operations": ["Decrypt"]}),
    ("servicecatalog", "CreateConstraint", {"PortfolioId": "port-1", "ProductId": "prod-1", "Type": "LAUNCH", "Parameters": "{}"}),
    ("servicecatalog", "AssociatePrincipalWithPortfolio", {"PortfolioId": "port-1", "PrincipalARN": "a", "PrincipalType": "IAM"}),
]  # fmt: skip


def filled(value: Any, **names: str) -> Any:
    if isinstance(value, dict):
        return {key: filled(item, **names) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, **names) for item in value]
    if not isinstance(value, str) or value == "{}":
        return value
    return value.format(**names)


@pytest.mark.parametrize("who", ["team", "engineer", "approver"])
def test_no_way_is_open(account: str, who: str) -> None:
    principal = principal_of(bootstrap(account)[who].access_key)
    open_ways = [
        f"{service}:{operation}"
        for service, operation, params in WAYS
        if refusal(principal, facts(account, service, operation, filled(params, account=account, who=who)))
        is None
    ]
    assert open_ways == []


@pytest.mark.parametrize("who", ["team", "engineer", "approver"])
def test_nothing_of_iam_or_sts_but_who_one_is(who: str) -> None:
    """Of all their actions that AWS lists, on any resource, whatever the conditions say."""
    statements = json.loads(policy_document(who))["Statement"]
    without = [{key: value for key, value in item.items() if key != "Condition"} for item in statements]
    document = parse(json.dumps({"Version": "2012-10-17", "Statement": without}), who)
    allowed = {
        f"{prefix}:{details['name']}"
        for prefix in ("iam", "sts", "organizations", "sso")
        for details in catalogue.actions(prefix).values()
        for arn in ("*", "arn:aws:iam::123456789012:role/sagemaker-r", "arn:aws:iam::123456789012:user/u")
        if evaluate(f"{prefix}:{details['name']}", arn, Keys(), PolicySet(identity=(document,))).allowed
    }
    assert allowed == {"sts:GetCallerIdentity"}


def test_admin_passes_roles_to_the_services_of_projects_only(account: str) -> None:
    admin = principal_of(bootstrap(account)["admin"].access_key)
    role = f"arn:aws:iam::{account}:role/sagemaker-launch"
    build = {"name": "sagemaker-b", "serviceRole": role}
    assert refusal(admin, facts(account, "codebuild", "CreateProject", build)) is None
    function = {"FunctionName": "sagemaker-f", "Role": role, "Code": {}}
    assert refusal(admin, facts(account, "lambda", "CreateFunction", function))
    other = {**build, "serviceRole": f"arn:aws:iam::{account}:role/other"}
    error = refusal(admin, facts(account, "codebuild", "CreateProject", other))
    assert error and "iam:PassRole" in error.message


@pytest.mark.parametrize("status", ["Approved", "Rejected"])
@pytest.mark.parametrize("operation", ["CreateModelPackage", "UpdateModelPackage"])
def test_an_engineer_who_is_given_more_still_does_not_approve(
    account: str, status: str, operation: str
) -> None:
    """NoApproval is a Deny: no further policy of the same user opens it."""
    from moto.backends import get_backend

    principal = principal_of(bootstrap(account)["engineer"].access_key)
    everything = json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    )
    get_backend("iam")[account]["aws"].put_user_policy("engineer", "all", everything)
    package = f"arn:aws:sagemaker:{REGION}:{account}:model-package/g/1"
    params = (
        {"ModelPackageGroupName": "g"} if operation.startswith("Create") else {"ModelPackageArn": package}
    )
    error = refusal(
        principal, facts(account, "sagemaker", operation, {**params, "ModelApprovalStatus": status})
    )
    assert error and error.message.endswith("with an explicit deny in an identity-based policy")
    pending = {**params, "ModelApprovalStatus": "PendingManualApproval"}
    assert refusal(principal, facts(account, "sagemaker", operation, pending)) is None
    approval = {"pipelineName": "sagemaker-p", "stageName": "s", "actionName": "a"}
    assert refusal(principal, facts(account, "codepipeline", "PutApprovalResult", approval))
