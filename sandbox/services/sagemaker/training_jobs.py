"""Training jobs: CreateTrainingJob and its kin. training_run.py runs them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError, operation
from sandbox.services.sagemaker import jobs
from sandbox.services.sagemaker.jobs import TRAINING
from sandbox.services.sagemaker.listing import keep
from sandbox.services.sagemaker.refusals import refuse
from sandbox.services.sagemaker.s3_uri import parse_s3_uri
from sandbox.services.sagemaker.training_status import moved

if TYPE_CHECKING:
    from sandbox.engine.operations import Call

REFUSED = (
    "AlgorithmSpecification.AlgorithmName",
    "AlgorithmSpecification.TrainingInputMode=Pipe",
    "AlgorithmSpecification.TrainingImageConfig.TrainingRepositoryAccessMode=Vpc",
    "InputDataConfig[].InputMode=Pipe",
    "InputDataConfig[].CompressionType=Gzip",
    "InputDataConfig[].RecordWrapperType=RecordIO",
    "InputDataConfig[].ShuffleConfig",
    "InputDataConfig[].DataSource.FileSystemDataSource",
    "InputDataConfig[].DataSource.DatasetSource",
    "InputDataConfig[].DataSource.S3DataSource.S3DataType=ManifestFile",
    "InputDataConfig[].DataSource.S3DataSource.S3DataType=AugmentedManifestFile",
    "InputDataConfig[].DataSource.S3DataSource.S3DataType=Converse",
    "InputDataConfig[].DataSource.S3DataSource.ModelAccessConfig",
    "InputDataConfig[].DataSource.S3DataSource.HubAccessConfig",
    "ResourceConfig.InstanceGroups",
    "ResourceConfig.TrainingPlanArn",
    "ResourceConfig.InstancePreferences",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "DebugRuleConfigurations",
    "TensorBoardOutputConfig",
    "ProfilerRuleConfigurations",
    "RemoteDebugConfig.EnableRemoteDebug",
    "InfraCheckConfig.EnableInfraCheck",
    "SessionChainingConfig.EnableSessionTagChaining",
    "ServerlessJobConfig",
    "MlflowConfig",
    "ModelPackageConfig",
)
_COPIED = (
    "TrainingJobName",
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "DebugHookConfig",
    "ExperimentConfig",
    "ProfilerConfig",
    "Environment",
    "RetryStrategy",
)
_DEFAULT_RUNTIME = 86400


@operation("sagemaker", "CreateTrainingJob")
def create_training_job(call: Call, **request: Any) -> dict[str, Any]:
    refuse("CreateTrainingJob", request, REFUSED)
    _check(request)
    jobs.check_image(request["AlgorithmSpecification"]["TrainingImage"])
    volume_key = request["ResourceConfig"].get("VolumeKmsKeyId")
    jobs.check_role(call, request["RoleArn"], TRAINING.resource, volume_key)
    name = request["TrainingJobName"]
    output = request["OutputDataConfig"]
    folder = parse_s3_uri(output["S3OutputPath"]).below(name, "output")
    artifacts = (
        folder.below("model") if output.get("CompressionType") == "NONE" else folder.below("model.tar.gz")
    )
    record = keep(request, *_COPIED) | {
        "StoppingCondition": {"MaxRuntimeInSeconds": _DEFAULT_RUNTIME}
        | (request.get("StoppingCondition") or {}),
        "ModelArtifacts": {"S3ModelArtifacts": str(artifacts)},
        "EnableNetworkIsolation": bool(request.get("EnableNetworkIsolation")),
        "EnableInterContainerTrafficEncryption": bool(request.get("EnableInterContainerTrafficEncryption")),
        "EnableManagedSpotTraining": False,
    }
    record |= moved(record, "Starting", "Starting the training job", call.engine.clock.now())
    return jobs.create(call, TRAINING, record, request.get("Tags"))


def _check(request: dict[str, Any]) -> None:
    algorithm = request["AlgorithmSpecification"]
    if not algorithm.get("TrainingImage"):
        raise AwsError("ValidationException", "TrainingImage of AlgorithmSpecification must be provided.")
    resources = request.get("ResourceConfig") or {}
    if not resources.get("InstanceType"):
        raise AwsError("ValidationException", "InstanceType of ResourceConfig must be provided.")
    if (resources.get("InstanceCount") or 1) != 1:
        raise AwsError("ValidationException", "More than one instance is not implemented by the sandbox.")
    if not request["OutputDataConfig"]["S3OutputPath"].startswith("s3://"):
        raise AwsError("ValidationException", "S3OutputPath must start with s3://.")
    names = [channel["ChannelName"] for channel in request.get("InputDataConfig") or []]
    if len(set(names)) < len(names):
        raise AwsError("ValidationException", "Channel names must be unique.")
    for channel in request.get("InputDataConfig") or []:
        source = channel["DataSource"].get("S3DataSource")
        if not source or not source["S3Uri"].startswith("s3://"):
            raise AwsError(
                "ValidationException",
                f"Channel {channel['ChannelName']} needs an S3DataSource with an s3:// URI.",
            )
    for metric in algorithm.get("MetricDefinitions") or []:
        _check_metric(metric)


def _check_metric(metric: dict[str, str]) -> None:
    try:
        groups = re.compile(metric["Regex"]).groups
    except re.error as error:
        raise AwsError(
            "ValidationException", f"Regex of metric {metric['Name']} is invalid: {error}."
        ) from None
    if groups < 1:
        raise AwsError(
            "ValidationException", f"Regex of metric {metric['Name']} needs a group for the value."
        )


@operation("sagemaker", "DescribeTrainingJob")
def describe_training_job(call: Call, TrainingJobName: str) -> dict[str, Any]:
    return jobs.described(jobs.find(call, TRAINING, TrainingJobName))


@operation("sagemaker", "ListTrainingJobs")
def list_training_jobs(call: Call, **request: Any) -> dict[str, Any]:
    refuse("ListTrainingJobs", request, ("WarmPoolStatusEquals", "TrainingPlanArnEquals"))
    return jobs.listed(call, TRAINING, request, "SecondaryStatus")


@operation("sagemaker", "StopTrainingJob")
def stop_training_job(call: Call, TrainingJobName: str) -> None:
    with call.engine.store.transaction():
        record = jobs.find(call, TRAINING, TrainingJobName)
        changes = moved(record, "Stopping", "Stopping the training job", call.engine.clock.now())
        jobs.stop(call, TRAINING, TrainingJobName, changes)
