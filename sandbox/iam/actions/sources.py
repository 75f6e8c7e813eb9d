"""Where the generic resolution needs to be told: members that name a resource, and what the reference leaves
out."""

from __future__ import annotations

SOURCES: dict[str, dict[str, tuple[str, ...]]] = {
    "codecommit": {
        "repository": (
            "repositoryName",
            "repositoryNames",
            "oldName",
            "targets.repositoryName",
            "resourceArn",
        )
    },
    "codepipeline": {
        "pipeline": ("pipelineName", "name", "pipeline.name"),
        "webhook": ("webhook.name", "webhookName", "name"),
    },
    "codebuild": {
        "project": ("projectName", "name", "names", "projectArn"),
        "report-group": ("reportGroupArn", "reportGroupArns", "name", "arn"),
    },
    "cloudwatch": {
        "alarm": ("AlarmName", "AlarmNames"),
        "dashboard": ("DashboardName", "DashboardNames"),
        "insight-rule": ("RuleName", "RuleNames"),
        "metric-stream": ("Name", "Names"),
        "alarm-mute-rule": ("AlarmMuteRuleName", "Name"),
        "dataset": ("DatasetIdentifier",),
    },
    "ssm": {
        "parameter": ("Name", "Names", "Path", "ResourceId"),
        "document": ("Name", "DocumentName", "Document.Name"),
        "association": ("AssociationId", "AssociationIds"),
        "automation-definition": ("DocumentName",),
        "automation-execution": ("AutomationExecutionId",),
        "maintenancewindow": ("WindowId", "ResourceId"),
        "patchbaseline": ("BaselineId",),
        "servicesetting": ("SettingId",),
        "instance": ("InstanceId", "InstanceIds", "Target"),
        "managed-instance": ("InstanceId", "InstanceIds"),
        "opsitem": ("OpsItemId", "ResourceId"),
        "opsmetadata": ("OpsMetadataArn", "ResourceId"),
        "session": ("SessionId",),
        "windowtarget": ("WindowTargetId",),
        "windowtask": ("WindowTaskId",),
    },
    "iam": {"mfa": ("VirtualMFADeviceName", "SerialNumber")},
    "logs": {"delivery": ("id",), "scheduled-query": ("identifier", "name")},
    "sagemaker": {
        "model-package": ("ModelPackageName", "ModelPackageArn", "ModelPackageArnList"),
        "model-package-group": ("ModelPackageGroupName", "ModelPackageGroup"),
        "data-quality-job-definition": ("JobDefinitionName",),
        "model-bias-job-definition": ("JobDefinitionName",),
        "model-explainability-job-definition": ("JobDefinitionName",),
        "model-quality-job-definition": ("JobDefinitionName",),
        "inference-recommendations-job": ("JobName", "InferenceRecommendationsJobName"),
        "mlflow-tracking-server": ("TrackingServerName",),
        "device": ("DeviceName", "DeviceNames", "Devices.DeviceName"),
    },
}
"""Per IAM prefix and resource type: the members that hold its name, first present wins."""

IGNORED: dict[str, frozenset[str]] = {
    "events": frozenset({"event-busv2", "event-sourcev2", "subscriber", "alias", "key"}),
    "codebuild": frozenset({"build", "build-batch"}),
    "cloudwatch": frozenset({"dataset"}),
    "ssm": frozenset({"bucket", "iam-role", "task"}),
}
"""Resource types of which the sandbox has none, or which name another service's resource."""

EXTRA: dict[tuple[str, str], tuple[str, ...]] = {
    ("cloudwatch", "DescribeAlarmContributors"): ("alarm",),
    ("sagemaker", "DeleteEndpointPolicy"): ("endpoint",),
    ("sagemaker", "GetEndpointPolicy"): ("endpoint",),
    ("sagemaker", "PutEndpointPolicy"): ("endpoint",),
}
"""Actions newer than the reference, with their resource types."""

EVERY: dict[tuple[str, str], str] = {
    ("cloudwatch", "alarm"): "alarm:*",
    ("cloudwatch", "alarm-mute-rule"): "alarm-mute-rule:*",
    ("codepipeline", "webhook"): "webhook:*",
    ("sagemaker", "image-version"): "image-version/*",
    ("sagemaker", "pipeline-execution"): "pipeline/*/execution/*",
    ("ssm", "cloud-connector"): "cloud-connector/*",
    ("ssm", "CreateAssociationBatch"): "document/*",
    ("ssm", "CancelMaintenanceWindowExecution"): "maintenancewindow/*",
    ("ssm", "GetAccessToken"): "opsitem/*",
    ("ssm", "GetCalendarState"): "document/*",
    ("ssm", "GetDefaultPatchBaseline"): "patchbaseline/*",
}
"""What a request without a name is about, by action or by resource type."""
