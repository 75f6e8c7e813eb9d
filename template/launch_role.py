"""The launch role: what Service Catalog and CloudFormation may do to bring up, change and delete a project.

Everything is limited to names that projects have. Roles may be created only under the boundary, so the launch
role cannot make anything stronger than a project's roles, nor itself.

The actions per resource type follow the `handlers` of CloudFormation's registry schemas, for the properties
that our templates use.
"""

from project.arns import Arns
from project.boundary import boundary_name
from project.hub import hub_bucket_name
from project.names import PROJECT_ID_TAG
from project.permissions import Activity, allow

SERVICES_OF_ROLES = (
    "cloudformation.amazonaws.com",
    "codebuild.amazonaws.com",
    "codepipeline.amazonaws.com",
    "events.amazonaws.com",
    "sagemaker.amazonaws.com",
)
"""Services that a project's roles are handed to."""


def launch_role_name(region: str) -> str:
    return f"sagemaker-templates-launch-{region}"


def launch_activities(arns: Arns) -> list[Activity]:
    """Activities of the launch role."""
    return [
        _provision(arns),
        _read_hub(arns),
        _create_roles_under_boundary(arns),
        _manage_keys(arns),
        _manage_buckets(arns),
        _manage_logs(arns),
        _manage_repositories(arns),
        _manage_builds(arns),
        _manage_pipelines(arns),
        _manage_rules(arns),
        _manage_model_package_groups(arns),
    ]


def _provision(arns: Arns) -> Activity:
    """Stacks of Service Catalog (`SC-…`) and of SageMaker's S3 templates (`SP-…`).

    https://docs.aws.amazon.com/servicecatalog/latest/adminguide/constraints-launch.html
    """
    stacks = [arns.of("cloudformation", f"stack/{prefix}-*") for prefix in ("SC", "SP")]
    actions = [
        "cloudformation:CreateStack",
        "cloudformation:DeleteStack",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
        "cloudformation:SetStackPolicy",
        "cloudformation:UpdateStack",
    ]
    anything = ["cloudformation:GetTemplateSummary", "cloudformation:ValidateTemplate"]
    return Activity("ProvisionProjects", (allow(actions, stacks), allow(anything, ["*"])))


def _read_hub(arns: Arns) -> Activity:
    """Templates and seeds; Service Catalog's own copies of templates carry the same tag."""
    hub = arns.bucket(hub_bucket_name(arns.account, arns.region))
    read = ["s3:GetObject", "s3:GetObjectVersion"]
    provisioning = {"StringEquals": {"s3:ExistingObjectTag/servicecatalog:provisioning": "true"}}
    return Activity(
        "ReadTemplatesAndSeeds",
        (
            allow(["s3:GetObject"], ["*"], provisioning),
            allow(read, [f"{hub}/products/*", f"{hub}/seeds/*", f"{hub}/studio/*"]),
        ),
    )


def _create_roles_under_boundary(arns: Arns) -> Activity:
    roles = [arns.role("sagemaker-p-*")]
    boundary = {"StringEquals": {"iam:PermissionsBoundary": arns.policy(boundary_name(arns.region))}}
    to_services = {"StringEquals": {"iam:PassedToService": list(SERVICES_OF_ROLES)}}
    with_boundary = [
        "iam:CreateRole",
        "iam:DeleteRolePolicy",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
    ]
    plain = [
        "iam:DeleteRole",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
        "iam:UpdateRoleDescription",
    ]
    return Activity(
        "CreateRolesUnderBoundary",
        (
            allow(with_boundary, roles, boundary),
            allow(plain, roles),
            allow(["iam:PassRole"], roles, to_services),
        ),
    )


def _manage_keys(arns: Arns) -> Activity:
    keys = [arns.of("kms", "key/*")]
    tagged = {"Null": {f"aws:RequestTag/{PROJECT_ID_TAG}": "false"}}
    ours = {"Null": {f"aws:ResourceTag/{PROJECT_ID_TAG}": "false"}}
    aliases = [arns.of("kms", "alias/sagemaker-*")]
    manage_alias = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
    manage = [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:DisableKey",
        "kms:EnableKey",
        "kms:EnableKeyRotation",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
        "kms:ListResourceTags",
        "kms:PutKeyPolicy",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:UpdateKeyDescription",
    ]
    return Activity(
        "ManageKeys",
        (
            allow(["kms:CreateKey", "kms:TagResource"], ["*"], tagged),
            allow(["kms:ListAliases"], ["*"]),
            allow(manage, keys, ours),
            allow(manage_alias, aliases),
            allow(manage_alias, keys, ours),
        ),
    )


def _manage_buckets(arns: Arns) -> Activity:
    buckets = [arns.bucket("sagemaker-project-p-*")]
    settings = (
        "BucketLogging",
        "BucketOwnershipControls",
        "BucketPolicy",
        "BucketPublicAccessBlock",
        "BucketTagging",
        "BucketVersioning",
        "EncryptionConfiguration",
        "LifecycleConfiguration",
    )
    actions = ["s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:ListBucket"]
    actions += [f"s3:{verb}{setting}" for verb in ("Get", "Put") for setting in settings]
    actions += ["s3:ListTagsForResource", "s3:TagResource", "s3:UntagResource"]
    return Activity("ManageBuckets", (allow(actions, buckets),))


def _manage_logs(arns: Arns) -> Activity:
    group = arns.log_group("/aws/codebuild/sagemaker-*")
    actions = [
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DeleteRetentionPolicy",
        "logs:DisassociateKmsKey",
        "logs:GetDataProtectionPolicy",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
    ]
    return Activity("ManageLogs", (allow(actions, [group]), allow(["logs:DescribeLogGroups"], ["*"])))


def _manage_repositories(arns: Arns) -> Activity:
    actions = [
        "codecommit:CreateCommit",
        "codecommit:CreateRepository",
        "codecommit:DeleteRepository",
        "codecommit:GetRepository",
        "codecommit:GetRepositoryTriggers",
        "codecommit:ListTagsForResource",
        "codecommit:TagResource",
        "codecommit:UntagResource",
        "codecommit:UpdateRepositoryDescription",
        "codecommit:UpdateRepositoryEncryptionKey",
    ]
    return Activity(
        "ManageRepositories",
        (
            allow(actions, [arns.of("codecommit", "sagemaker-*")]),
            allow(["codecommit:ListRepositories"], ["*"]),
        ),
    )


def _manage_builds(arns: Arns) -> Activity:
    actions = [
        "codebuild:BatchGetProjects",
        "codebuild:CreateProject",
        "codebuild:DeleteProject",
        "codebuild:UpdateProject",
    ]
    return Activity("ManageBuilds", (allow(actions, [arns.of("codebuild", "project/sagemaker-*")]),))


def _manage_pipelines(arns: Arns) -> Activity:
    actions = [
        "codepipeline:CreatePipeline",
        "codepipeline:DeletePipeline",
        "codepipeline:GetPipeline",
        "codepipeline:GetPipelineState",
        "codepipeline:ListTagsForResource",
        "codepipeline:TagResource",
        "codepipeline:UntagResource",
        "codepipeline:UpdatePipeline",
    ]
    return Activity("ManagePipelines", (allow(actions, [arns.of("codepipeline", "sagemaker-*")]),))


def _manage_rules(arns: Arns) -> Activity:
    actions = [
        "events:DeleteRule",
        "events:DescribeRule",
        "events:ListTagsForResource",
        "events:ListTargetsByRule",
        "events:PutRule",
        "events:PutTargets",
        "events:RemoveTargets",
        "events:TagResource",
        "events:UntagResource",
    ]
    return Activity("ManageRules", (allow(actions, [arns.of("events", "rule/sagemaker-p-*")]),))


def _manage_model_package_groups(arns: Arns) -> Activity:
    actions = [
        "sagemaker:AddTags",
        "sagemaker:CreateModelPackageGroup",
        "sagemaker:DeleteModelPackageGroup",
        "sagemaker:DeleteTags",
        "sagemaker:DescribeModelPackageGroup",
        "sagemaker:GetModelPackageGroupPolicy",
        "sagemaker:ListTags",
    ]
    group = arns.of("sagemaker", "model-package-group/*-p-*")
    return Activity("ManageModelPackageGroups", (allow(actions, [group]),))
