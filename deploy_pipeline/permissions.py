"""What the roles of the deploy pipeline do."""

from project.activities import (
    hand_on_artifacts,
    read_artifacts,
    read_project_data,
    read_source,
    run_builds,
    write_artifacts,
    write_build_logs,
)
from project.arns import Arns
from project.names import PROJECT_ID_TAG, STAGES, Names
from project.permissions import Activity, allow, never_approve_models, pass_role


def model_deploy_activities(names: Names, arns: Arns, key_arn: str) -> list[Activity]:
    """The CodeBuild project that picks the newest approved version and writes the stages' configurations."""
    return [
        write_build_logs(names, arns, names.model_deploy),
        read_artifacts(names, arns, key_arn),
        write_artifacts(names, arns, key_arn),
        _read_registry(names, arns),
        never_approve_models(),
    ]


def model_test_activities(names: Names, arns: Arns, key_arn: str) -> list[Activity]:
    """The CodeBuild project that asks the staging endpoint about held-out rows."""
    staging = arns.of("sagemaker", f"endpoint/{names.endpoint('staging')}")
    return [
        write_build_logs(names, arns, names.model_test),
        read_artifacts(names, arns, key_arn),
        read_project_data(names, arns, key_arn),
        _describe_versions(names, arns),
        Activity(
            "AskStagingEndpoint",
            (allow(["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"], [staging]),),
        ),
        never_approve_models(),
    ]


def deploy_pipeline_activities(names: Names, arns: Arns, key_arn: str) -> list[Activity]:
    """The CodePipeline: read the repository, run both builds, deploy the stages' stacks."""
    deploy_role = arns.role(names.role("deploy-stacks"))
    return [
        read_source(arns, names.model_deploy),
        hand_on_artifacts(names, arns, key_arn),
        run_builds(arns, [names.model_deploy, names.model_test]),
        _deploy_stacks(names, arns),
        pass_role([deploy_role], "cloudformation.amazonaws.com", name="PassDeployRole"),
    ]


def deploy_stacks_activities(names: Names, arns: Arns, key_arn: str) -> list[Activity]:
    """CloudFormation, for the endpoint stacks: models, configurations, endpoints, alarms, logs, scaling."""
    execution_role = arns.role(names.role("execution"))
    return [
        _manage_endpoints(names, arns),
        _encrypt_endpoint_volumes(key_arn),
        _manage_alarms(names, arns),
        _manage_logs(names, arns),
        _manage_scaling(arns),
        pass_role([execution_role], "sagemaker.amazonaws.com", name="PassExecutionRole"),
    ]


def _read_registry(names: Names, arns: Arns) -> Activity:
    """Listing names a group, which is no resource of the action: it cannot be limited to one."""
    return Activity("ReadModelRegistry", (allow(["sagemaker:ListModelPackages"], ["*"]),))


def _describe_versions(names: Names, arns: Arns) -> Activity:
    versions = arns.of("sagemaker", f"model-package/{names.model_package_group}/*")
    return Activity("DescribeVersions", (allow(["sagemaker:DescribeModelPackage"], [versions]),))


def _deploy_stacks(names: Names, arns: Arns) -> Activity:
    """Only the staging stack is ever replaced, and so deleted."""
    stacks = [arns.of("cloudformation", f"stack/{names.endpoint_stack(stage)}/*") for stage in STAGES]
    staging = arns.of("cloudformation", f"stack/{names.endpoint_stack('staging')}/*")
    actions = [
        "cloudformation:CreateStack",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
        "cloudformation:UpdateStack",
    ]
    return Activity(
        "DeployEndpointStacks", (allow(actions, stacks), allow(["cloudformation:DeleteStack"], [staging]))
    )


def _manage_endpoints(names: Names, arns: Arns) -> Activity:
    parts = names.endpoint_parts
    endpoints = [arns.of("sagemaker", f"endpoint/{names.endpoint(stage)}") for stage in STAGES]
    models = arns.of("sagemaker", f"model/{parts}*")
    configurations = arns.of("sagemaker", f"endpoint-config/{parts}*")
    everything = [models, configurations, *endpoints]
    carries_tag = {"StringEquals": {f"aws:RequestTag/{PROJECT_ID_TAG}": names.project_id}}
    return Activity(
        "ManageEndpoints",
        (
            allow(
                ["sagemaker:CreateEndpoint", "sagemaker:CreateEndpointConfig", "sagemaker:CreateModel"],
                everything,
                carries_tag,
            ),
            allow(
                [
                    "sagemaker:AddTags",
                    "sagemaker:DeleteEndpoint",
                    "sagemaker:DeleteEndpointConfig",
                    "sagemaker:DeleteModel",
                    "sagemaker:DeleteTags",
                    "sagemaker:DescribeEndpoint",
                    "sagemaker:DescribeEndpointConfig",
                    "sagemaker:DescribeModel",
                    "sagemaker:ListTags",
                    "sagemaker:UpdateEndpoint",
                ],
                everything,
            ),
            allow(
                ["sagemaker:DescribeModelPackage"],
                [arns.of("sagemaker", f"model-package/{names.model_package_group}/*")],
            ),
        ),
    )


def _encrypt_endpoint_volumes(key_arn: str) -> Activity:
    condition = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return Activity(
        "EncryptEndpointVolumes",
        (allow(["kms:CreateGrant"], [key_arn], condition), allow(["kms:DescribeKey"], [key_arn])),
    )


def _manage_alarms(names: Names, arns: Arns) -> Activity:
    alarms = [arns.of("cloudwatch", f"alarm:{names.prefix}-{stage}-*") for stage in STAGES]
    actions = [
        "cloudwatch:DeleteAlarms",
        "cloudwatch:DescribeAlarms",
        "cloudwatch:ListTagsForResource",
        "cloudwatch:PutMetricAlarm",
        "cloudwatch:TagResource",
        "cloudwatch:UntagResource",
    ]
    return Activity("ManageAlarms", (allow(actions, alarms),))


def _manage_logs(names: Names, arns: Arns) -> Activity:
    groups = [arns.log_group(names.endpoint_log_group(stage)) for stage in STAGES]
    actions = [
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DeleteRetentionPolicy",
        "logs:DisassociateKmsKey",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
    ]
    groups += [f"{group}:*" for group in groups]
    return Activity("ManageLogs", (allow(actions, groups), allow(["logs:DescribeLogGroups"], ["*"])))


def _manage_scaling(arns: Arns) -> Activity:
    """Scalable targets have generated ids: only the service they scale tells ours from others'."""
    targets = [arns.of("application-autoscaling", "scalable-target/*")]
    of_sagemaker = {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}}
    service_role = arns.role(
        "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
        "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    )
    to_scaling = {"StringEquals": {"iam:PassedToService": "application-autoscaling.amazonaws.com"}}
    service = {"StringEquals": {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}}
    return Activity(
        "ManageScaling",
        (
            allow(
                [
                    "application-autoscaling:DeleteScalingPolicy",
                    "application-autoscaling:DeregisterScalableTarget",
                    "application-autoscaling:PutScalingPolicy",
                    "application-autoscaling:RegisterScalableTarget",
                ],
                targets,
                of_sagemaker,
            ),
            allow(
                [
                    "application-autoscaling:ListTagsForResource",
                    "application-autoscaling:TagResource",
                    "application-autoscaling:UntagResource",
                ],
                targets,
            ),
            allow(
                [
                    "application-autoscaling:DescribeScalableTargets",
                    "application-autoscaling:DescribeScalingPolicies",
                    "application-autoscaling:DescribeScheduledActions",
                ],
                ["*"],
            ),
            allow(["iam:CreateServiceLinkedRole"], [service_role], service),
            allow(["iam:PassRole"], [service_role], to_scaling),
        ),
    )
