"""What runs inside SageMaker runs as this role: the pipeline, its jobs, and the models behind endpoints."""

from project.activities import write_project_data
from project.arns import Arns
from project.names import PROJECT_ID_TAG, Names
from project.permissions import Activity, allow, never_approve_models, pass_role

JOB_PREFIX = "pipelines-"
"""SageMaker Pipelines names the jobs of its steps so; only the tags tell whose they are."""


def execution_activities(names: Names, arns: Arns, key_arn: str) -> list[Activity]:
    """Activities of the execution role."""
    return [
        write_project_data(names, arns, key_arn),
        _encrypt_jobs(key_arn),
        _run_jobs(names, arns),
        _register_models(names, arns),
        _write_job_logs(names, arns),
        _publish_metrics(names, arns),
        _pull_images(arns),
        pass_role([arns.role(names.role("execution"))], "sagemaker.amazonaws.com", name="PassItselfToJobs"),
        never_approve_models(),
    ]


def _encrypt_jobs(key_arn: str) -> Activity:
    """A volume takes a grant; a key given for the output of a job takes Encrypt.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html
    """
    condition = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return Activity(
        "EncryptJobs",
        (
            allow(["kms:CreateGrant"], [key_arn], condition),
            allow(["kms:DescribeKey", "kms:Encrypt"], [key_arn]),
        ),
    )


def _run_jobs(names: Names, arns: Arns) -> Activity:
    jobs = [arns.of("sagemaker", f"{kind}/{JOB_PREFIX}*") for kind in ("processing-job", "training-job")]
    carries_tag = {"StringEquals": {f"aws:RequestTag/{PROJECT_ID_TAG}": names.project_id}}
    is_ours = {"StringEquals": {f"aws:ResourceTag/{PROJECT_ID_TAG}": names.project_id}}
    create = ["sagemaker:AddTags", "sagemaker:CreateProcessingJob", "sagemaker:CreateTrainingJob"]
    follow = [
        "sagemaker:DescribeProcessingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:StopProcessingJob",
        "sagemaker:StopTrainingJob",
    ]
    return Activity("RunJobs", (allow(create, jobs, carries_tag), allow(follow, jobs, is_ours)))


def _register_models(names: Names, arns: Arns) -> Activity:
    group = names.model_package_group
    return Activity(
        "RegisterModels",
        (
            allow(
                [
                    "sagemaker:CreateModelPackage",
                    "sagemaker:DescribeModelPackage",
                ],
                [arns.of("sagemaker", f"model-package/{group}/*")],
            ),
            allow(
                ["sagemaker:CreateModelPackage"],
                [arns.of("sagemaker", f"model-package-group/{group}")],
            ),
        ),
    )


def _write_job_logs(names: Names, arns: Arns) -> Activity:
    groups = [
        arns.log_group("/aws/sagemaker/ProcessingJobs"),
        arns.log_group("/aws/sagemaker/TrainingJobs"),
        arns.log_group(names.endpoint_log_group("*")),
    ]
    actions = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
    return Activity("WriteJobLogs", (allow(actions, [*groups, *(f"{group}:*" for group in groups)]),))


def _publish_metrics(names: Names, arns: Arns) -> Activity:
    """Metrics of jobs and endpoints; alarms are read when an endpoint's update watches them."""
    namespaces = {"StringLike": {"cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*"]}}
    return Activity(
        "PublishMetrics",
        (
            allow(["cloudwatch:PutMetricData"], ["*"], namespaces),
            allow(["cloudwatch:DescribeAlarms"], [arns.of("cloudwatch", f"alarm:{names.prefix}-*")]),
        ),
    )


def _pull_images(arns: Arns) -> Activity:
    """AWS's SageMaker containers live in registries of AWS's own accounts, others in each region."""
    images = f"arn:{arns.partition}:ecr:{arns.region}:*:repository/sagemaker-*"
    actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    return Activity("PullImages", (allow(["ecr:GetAuthorizationToken"], ["*"]), allow(actions, [images])))
