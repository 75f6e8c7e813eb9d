"""The permissions boundary: the most that any role of any project may do, whatever its own policies say.

The portfolio's stack holds it once an account and region; the launch role may create roles only with it, and
may not change it. So neither a mistake in a template nor a changed one makes a role stronger than this.
"""

from project.arns import Arns
from project.names import PROJECT_ID_TAG
from project.permissions import Statement, allow, never_approve_models

SAGEMAKER_ACTIONS = (
    "sagemaker:AddTags",
    "sagemaker:CreateEndpoint*",
    "sagemaker:CreateModel",
    "sagemaker:CreateModelPackage",
    "sagemaker:CreatePipeline",
    "sagemaker:CreateProcessingJob",
    "sagemaker:CreateTrainingJob",
    "sagemaker:DeleteEndpoint*",
    "sagemaker:DeleteModel",
    "sagemaker:DeleteTags",
    "sagemaker:Describe*",
    "sagemaker:InvokeEndpoint",
    "sagemaker:List*",
    "sagemaker:Start*",
    "sagemaker:Stop*",
    "sagemaker:Update*",
)
SAGEMAKER_RESOURCES = (
    "endpoint/*",
    "endpoint-config/sagemaker-p-*",
    "model/sagemaker-p-*",
    "model-package/*",
    "model-package-group/*",
    "pipeline/sagemaker-*",
    "processing-job/pipelines-*",
    "training-job/pipelines-*",
)


def boundary_name(region: str) -> str:
    """Name of the managed policy. IAM is global and portfolios are regional: hence the region."""
    return f"sagemaker-templates-boundary-{region}"


def boundary_statements(arns: Arns) -> list[Statement]:
    """Statements of the boundary: services and name prefixes of projects, and nothing of IAM but PassRole."""
    bucket = arns.bucket(f"sagemaker-project-*-{arns.account}")
    belongs_to_a_project = {"Null": {f"aws:ResourceTag/{PROJECT_ID_TAG}": "false"}}
    return [
        allow(
            ["s3:GetBucket*", "s3:GetObject*", "s3:ListBucket*", "s3:PutObject", "s3:AbortMultipartUpload"],
            [bucket, f"{bucket}/*"],
        ),
        allow(
            ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*"],
            [arns.of("kms", "key/*")],
            belongs_to_a_project,
        ),
        allow(
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [arns.log_group("/aws/codebuild/sagemaker-*"), arns.log_group("/aws/sagemaker/*")],
        ),
        allow(
            [
                "logs:AssociateKmsKey",
                "logs:DeleteLogGroup",
                "logs:DeleteRetentionPolicy",
                "logs:DisassociateKmsKey",
                "logs:ListTagsForResource",
                "logs:PutRetentionPolicy",
                "logs:TagResource",
                "logs:UntagResource",
            ],
            [arns.log_group("/aws/sagemaker/Endpoints/*")],
        ),
        allow(
            [
                "codecommit:CancelUploadArchive",
                "codecommit:GetBranch",
                "codecommit:GetCommit",
                "codecommit:GetUploadArchiveStatus",
                "codecommit:UploadArchive",
            ],
            [arns.of("codecommit", "sagemaker-*")],
        ),
        allow(
            ["codebuild:BatchGetBuilds", "codebuild:StartBuild"],
            [arns.of("codebuild", "project/sagemaker-*")],
        ),
        allow(["codepipeline:StartPipelineExecution"], [arns.of("codepipeline", "sagemaker-*")]),
        allow(
            [
                "cloudformation:CreateStack",
                "cloudformation:Describe*",
                "cloudformation:GetTemplate*",
                "cloudformation:UpdateStack",
            ],
            [arns.of("cloudformation", "stack/sagemaker-*/*")],
        ),
        allow(
            ["cloudformation:DeleteStack"], [arns.of("cloudformation", "stack/sagemaker-*-deploy-staging/*")]
        ),
        allow(list(SAGEMAKER_ACTIONS), [arns.of("sagemaker", kind) for kind in SAGEMAKER_RESOURCES]),
        allow(
            [
                "cloudwatch:DeleteAlarms",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:ListTagsForResource",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:TagResource",
                "cloudwatch:UntagResource",
            ],
            [arns.of("cloudwatch", "alarm:sagemaker-*")],
        ),
        allow(
            [
                "application-autoscaling:DeleteScalingPolicy",
                "application-autoscaling:DeregisterScalableTarget",
                "application-autoscaling:ListTagsForResource",
                "application-autoscaling:PutScalingPolicy",
                "application-autoscaling:RegisterScalableTarget",
                "application-autoscaling:TagResource",
                "application-autoscaling:UntagResource",
            ],
            [arns.of("application-autoscaling", "scalable-target/*")],
        ),
        allow(
            [
                "application-autoscaling:Describe*",
                "cloudwatch:GetMetricData",
                "cloudwatch:PutMetricData",
                "ecr:GetAuthorizationToken",
                "logs:DescribeLogGroups",
                "sagemaker:ListModelPackages",
            ],
            ["*"],
        ),
        allow(
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            [f"arn:{arns.partition}:ecr:{arns.region}:*:repository/sagemaker-*"],
        ),
        allow(["iam:PassRole"], [arns.role("sagemaker-p-*")]),
        allow(
            ["iam:CreateServiceLinkedRole", "iam:PassRole"],
            [arns.role("aws-service-role/sagemaker.application-autoscaling.amazonaws.com/*")],
        ),
        *never_approve_models().statements,
    ]
