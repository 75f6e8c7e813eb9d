"""What the roles of the build pipeline do."""

from project.activities import (
    hand_on_artifacts,
    read_artifacts,
    read_source,
    run_builds,
    write_build_logs,
    write_project_data,
)
from project.arns import Arns
from project.names import PROJECT_ID_TAG, Names
from project.permissions import Activity, allow, never_approve_models, pass_role


def model_build_activities(names: Names, arns: Arns, key_arn: str) -> list[Activity]:
    """The CodeBuild project: upload code and data, write the SageMaker pipeline, start and follow it."""
    execution_role = arns.role(names.role("execution"))
    return [
        write_build_logs(names, arns, names.model_build),
        read_artifacts(names, arns, key_arn),
        write_project_data(names, arns, key_arn),
        _run_sagemaker_pipeline(names, arns),
        pass_role([execution_role], "sagemaker.amazonaws.com", name="PassExecutionRole"),
        never_approve_models(),
    ]


def _run_sagemaker_pipeline(names: Names, arns: Arns) -> Activity:
    pipeline = arns.of("sagemaker", f"pipeline/{names.sagemaker_pipeline}")
    carries_tag = {"StringEquals": {f"aws:RequestTag/{PROJECT_ID_TAG}": names.project_id}}
    return Activity(
        "RunSageMakerPipeline",
        (
            allow(["sagemaker:AddTags", "sagemaker:CreatePipeline"], [pipeline], carries_tag),
            allow(
                [
                    "sagemaker:ListPipelineExecutions",
                    "sagemaker:StartPipelineExecution",
                    "sagemaker:UpdatePipeline",
                ],
                [pipeline],
            ),
            allow(
                [
                    "sagemaker:DescribePipelineExecution",
                    "sagemaker:ListPipelineExecutionSteps",
                ],
                [f"{pipeline}/execution/*"],
            ),
        ),
    )


def build_pipeline_activities(names: Names, arns: Arns, key_arn: str) -> list[Activity]:
    """The CodePipeline: read the repository, hand it to the build."""
    return [
        read_source(arns, names.model_build),
        hand_on_artifacts(names, arns, key_arn),
        run_builds(arns, [names.model_build]),
    ]
