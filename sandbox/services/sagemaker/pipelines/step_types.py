"""What each step type calls and describes, and which types exist that the sandbox does not run."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StepCall:
    """`create`: the API operation of a step; `name_member`: the request member that Pipelines fills in;
    `describe`: the operation whose output is the step's properties, `describe_by` its identifying member;
    `metadata`: the member of ListPipelineExecutionSteps' Metadata."""

    create: str
    name_member: str | None
    describe: str
    describe_by: str
    metadata: str


CALLS = {
    "Processing": StepCall(
        "CreateProcessingJob",
        "ProcessingJobName",
        "DescribeProcessingJob",
        "ProcessingJobName",
        "ProcessingJob",
    ),
    "Training": StepCall(
        "CreateTrainingJob", "TrainingJobName", "DescribeTrainingJob", "TrainingJobName", "TrainingJob"
    ),
    "Model": StepCall("CreateModel", "ModelName", "DescribeModel", "ModelName", "Model"),
    "RegisterModel": StepCall(
        "CreateModelPackage", None, "DescribeModelPackage", "ModelPackageName", "RegisterModel"
    ),
}
JOB_STEPS = ("Processing", "Training")
IMPLEMENTED = (*CALLS, "Condition", "Fail")
NOT_IMPLEMENTED = (
    "Tuning",
    "Transform",
    "Lambda",
    "Callback",
    "QualityCheck",
    "ClarifyCheck",
    "EMR",
    "EMRServerless",
    "AutoML",
    "Endpoint",
    "EndpointConfig",
    "InferenceComponent",
    "Lineage",
    "ForEach",
    "Job",
    "Athena",
    "Cleanup",
    "HubContent",
    "BedrockCustomModel",
    "BedrockCustomModelDeployment",
    "BedrockProvisionedModelThroughput",
    "BedrockModelImport",
)


@functools.cache
def service_model() -> Any:
    """botocore's model of the SageMaker API."""
    from botocore.session import Session

    return Session().get_service_model("sagemaker")


def input_shape(step_type: str) -> Any:
    return service_model().operation_model(CALLS[step_type].create).input_shape


def property_shape(step_type: str) -> Any:
    return service_model().operation_model(CALLS[step_type].describe).output_shape
