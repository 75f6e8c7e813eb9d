import re
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from tests.template.policies import allowed, statements
from tests.template.synthesised import ACCOUNT, PRINCIPAL, VERSIONS, filled, model, only, portfolio

RESOURCES = filled(portfolio())
LAUNCH = only(RESOURCES, "AWS::IAM::Role")
BOUNDARY_ARN = f"arn:aws:iam::{ACCOUNT}:policy/sagemaker-templates-boundary-us-east-1"

# What the handlers of a resource type need only for properties that our templates do not use.
UNUSED_PREFIXES = ("s3tables:", "firehose:", "codestar-connections:")
UNUSED = {
    "codecommit:PutRepositoryTriggers",
    "codecommit:UpdateRepositoryName",
    "codepipeline:DisableStageTransition",
    "codepipeline:EnableStageTransition",
    "codepipeline:StartPipelineExecution",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "kms:DisableKeyRotation",
    "sagemaker:DeleteModelPackageGroupPolicy",
    "sagemaker:PutModelPackageGroupPolicy",
}
UNUSED_PATTERN = re.compile(
    r"^logs:.*(Delivery|Index|ResourcePolic|BearerToken|DataProtection|LogGroupDeletion).*$"
    r"|^s3:.*(Abac|Accelerate|Acl|Analytics|CORS|Cors|IntelligentTiering|Inventory|MetadataTable|MetadataJournal"
    r"|MetadataInventory|MetadataAnnotation|Metrics|Notification|ObjectLock|Replication|Website|REST.PUT|DeleteObject"
    r"|DeleteBucketEncryption|DeleteBucketLifecycle).*$"
)
NEVER = {"iam:DeleteRolePermissionsBoundary"}
"""A handler asks for it to remove a boundary: exactly what the launch role must not."""


def needed() -> set[str]:
    actions = set()
    for kind in {resource["Type"] for resource in model()["Resources"].values()}:
        handlers = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema.get("handlers", {})
        for handler in ("create", "read", "update", "delete"):
            actions |= set(handlers.get(handler, {}).get("permissions", []))
    return actions


def is_unused(action: str) -> bool:
    return action in UNUSED or action.startswith(UNUSED_PREFIXES) or UNUSED_PATTERN.match(action) is not None


def test_the_launch_role_can_do_what_the_resource_handlers_ask_for() -> None:
    granted = {action for _, action, _, _ in allowed(LAUNCH)}
    assert {a for a in needed() - granted - NEVER if not is_unused(a)} == set()


def test_the_list_of_unused_actions_holds_nothing_idle() -> None:
    assert needed() >= UNUSED | NEVER


def test_codebuild_has_no_registry_schema_so_its_actions_are_named_here() -> None:
    granted = {action for _, action, _, _ in allowed(LAUNCH) if action.startswith("codebuild:")}
    assert granted == {
        "codebuild:BatchGetProjects",
        "codebuild:CreateProject",
        "codebuild:DeleteProject",
        "codebuild:UpdateProject",
    }


def test_roles_are_created_under_the_boundary_only() -> None:
    for _, statement in statements(LAUNCH):
        if {"iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"} & set(
            statement["Action"]
        ):
            assert statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": BOUNDARY_ARN}}
            assert statement["Resource"] == [f"arn:aws:iam::{ACCOUNT}:role/sagemaker-p-*"]


@pytest.mark.parametrize(
    "action",
    [
        "iam:AttachRolePolicy",
        "iam:CreatePolicyVersion",
        "iam:CreateUser",
        "iam:DeletePolicy",
        "iam:DeleteRolePermissionsBoundary",
        "s3:DeleteObject",
        "s3:PutObject",
        "sts:AssumeRole",
    ],
)
def test_the_launch_role_cannot_leave_its_boundary(action: str) -> None:
    assert action not in {granted for _, granted, _, _ in allowed(LAUNCH)}


def test_a_launch_cannot_reach_the_launch_role_itself() -> None:
    for _, action, resource, _ in allowed(LAUNCH):
        if action.startswith("iam:"):
            assert not LAUNCH["RoleName"].startswith(resource.partition("role/")[2].removesuffix("*"))


def test_the_product_is_shown_in_studio_with_every_version() -> None:
    product = only(RESOURCES, "AWS::ServiceCatalog::CloudFormationProduct")
    assert product["Tags"] == [{"Key": "sagemaker:studio-visibility", "Value": "true"}]
    hub = "https://sagemaker-templates-hub-123456789012-us-east-1.s3.us-east-1.amazonaws.com"
    assert [(a["Name"], a["Info"]) for a in product["ProvisioningArtifactParameters"]] == [
        (version, {"LoadTemplateFromURL": f"{hub}/products/model/{version}.template.json"})
        for version in VERSIONS
    ]


def test_users_launch_by_the_launch_role() -> None:
    constraint = only(RESOURCES, "AWS::ServiceCatalog::LaunchRoleConstraint")
    assert constraint["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/{LAUNCH['RoleName']}"
    assert portfolio()["Resources"]["ModelLaunch"]["DependsOn"] == ["ModelInPortfolio"]


def test_the_given_principals_have_access() -> None:
    association = only(RESOURCES, "AWS::ServiceCatalog::PortfolioPrincipalAssociation")
    assert (association["PrincipalARN"], association["PrincipalType"]) == (PRINCIPAL, "IAM")


def test_the_launch_role_trusts_the_two_services_that_provision() -> None:
    (statement,) = LAUNCH["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {
        "Service": ["cloudformation.amazonaws.com", "servicecatalog.amazonaws.com"]
    }


def test_outputs_name_what_publishing_reports() -> None:
    assert set(portfolio()["Outputs"]) == {"PortfolioId", "ModelProductId", "LaunchRoleArn", "BoundaryArn"}


def properties_of(kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in RESOURCES.values() if resource["Type"] == kind]


def test_a_product_is_in_one_portfolio_with_one_constraint() -> None:
    assert len(properties_of("AWS::ServiceCatalog::PortfolioProductAssociation")) == 1
    assert len(properties_of("AWS::ServiceCatalog::LaunchRoleConstraint")) == 1
