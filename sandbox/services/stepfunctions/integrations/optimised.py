"""The optimised integrations: which calls there are, and how they name their errors.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.services.stepfunctions.integrations.resource import REQUEST, SYNC, SYNC2, TOKEN


@dataclass(frozen=True)
class Job:
    """How `.sync` follows what it started.

    `key`: the member of the answer that names the job, or of the request where `from_request`;
    `describe` and `stop`: operations that take it as `parameter`; `status`: where the description tells it.
    """

    describe: str
    stop: str
    parameter: str
    key: str
    from_request: bool
    status: str
    succeeded: frozenset[str]
    failed: frozenset[str]
    rule: str


@dataclass(frozen=True)
class Service:
    """A service with optimised integrations, and the patterns of each action.

    `label` and `fault`: the beginning and the general name of its errors
    (`SageMaker.AmazonSageMakerException`); `title` as causes name it.
    """

    botocore: str
    label: str
    fault: str
    title: str
    actions: Mapping[str, tuple[str, ...]]
    jobs: Mapping[str, Job] = field(default_factory=dict)


def _sagemaker(noun: str, status: str, rule: str) -> Job:
    return Job(
        describe=f"Describe{noun}",
        stop=f"Stop{noun}",
        parameter=f"{noun}Name",
        key=f"{noun}Name",
        from_request=True,
        status=status,
        succeeded=frozenset({"Completed"}),
        failed=frozenset({"Failed", "Stopped"}),
        rule=rule,
    )


def _tuning() -> Job:
    noun = "HyperParameterTuningJob"
    return _sagemaker(noun, f"{noun}Status", "StepFunctionsGetEventsForSageMakerTuningJobsRule")


_EXECUTION = Job(
    describe="DescribeExecution",
    stop="StopExecution",
    parameter="executionArn",
    key="executionArn",
    from_request=False,
    status="status",
    succeeded=frozenset({"SUCCEEDED"}),
    failed=frozenset({"FAILED", "TIMED_OUT", "ABORTED"}),
    rule="StepFunctionsGetEventsForStepFunctionsExecutionRule",
)

_BUILD = Job(
    describe="BatchGetBuilds",
    stop="StopBuild",
    parameter="ids",
    key="build.id",
    from_request=False,
    status="builds.buildStatus",
    succeeded=frozenset({"SUCCEEDED"}),
    failed=frozenset({"FAILED", "FAULT", "TIMED_OUT", "STOPPED"}),
    rule="StepFunctionsGetEventForCodeBuildStartBuildRule",
)

_PLAIN = (REQUEST,)
_TOKEN = (REQUEST, TOKEN)
_SYNC = (REQUEST, SYNC)

SERVICES: dict[str, Service] = {
    "lambda": Service("lambda", "Lambda", "AWSLambdaException", "AWSLambda", {"invoke": _TOKEN}),
    "sagemaker": Service(
        "sagemaker",
        "SageMaker",
        "AmazonSageMakerException",
        "AmazonSageMaker",
        {
            "createTrainingJob": _SYNC,
            "createTransformJob": _SYNC,
            "createProcessingJob": _SYNC,
            "createHyperParameterTuningJob": _SYNC,
            "createLabelingJob": _SYNC,
            "createModel": _PLAIN,
            "createEndpointConfig": _PLAIN,
            "createEndpoint": _PLAIN,
            "updateEndpoint": _PLAIN,
        },
        {
            "createTrainingJob": _sagemaker(
                "TrainingJob", "TrainingJobStatus", "StepFunctionsGetEventsForSageMakerTrainingJobsRule"
            ),
            "createTransformJob": _sagemaker(
                "TransformJob", "TransformJobStatus", "StepFunctionsGetEventsForSageMakerTransformJobsRule"
            ),
            "createProcessingJob": _sagemaker(
                "ProcessingJob", "ProcessingJobStatus", "StepFunctionsGetEventsForSageMakerProcessingJobsRule"
            ),
            "createHyperParameterTuningJob": _tuning(),
        },
    ),
    "sns": Service("sns", "SNS", "AmazonSNSException", "AmazonSNS", {"publish": _TOKEN}),
    "sqs": Service("sqs", "SQS", "AmazonSQSException", "AmazonSQS", {"sendMessage": _TOKEN}),
    "events": Service(
        "events", "EventBridge", "AmazonEventBridgeException", "AmazonEventBridge", {"putEvents": _TOKEN}
    ),
    "states": Service(
        "stepfunctions",
        "StepFunctions",
        "AWSStepFunctionsException",
        "AWSStepFunctions",
        {"startExecution": (REQUEST, SYNC, SYNC2, TOKEN)},
        {"startExecution": _EXECUTION},
    ),
    "codebuild": Service(
        "codebuild",
        "CodeBuild",
        "AWSCodeBuildException",
        "AWSCodeBuild",
        {
            "startBuild": _SYNC,
            "stopBuild": _PLAIN,
            "batchDeleteBuilds": _PLAIN,
            "batchGetReports": _PLAIN,
        },
        {"startBuild": _BUILD},
    ),
}
"""By the service's name in a resource."""

ELSEWHERE = frozenset(
    {
        "apigateway",
        "aps",
        "athena",
        "batch",
        "bedrock",
        "databrew",
        "dynamodb",
        "ecs",
        "eks",
        "elasticmapreduce",
        "emr-containers",
        "emr-serverless",
        "glue",
        "http",
        "mediaconvert",
    }
)
"""Services that AWS has optimised integrations for and the sandbox does not have."""
