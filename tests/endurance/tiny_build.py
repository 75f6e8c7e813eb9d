"""The whole build of a tiny commit, committed to a project's repository: a pipeline of one process.

It does what the seed's build does, as the same role: puts the project's SageMaker pipeline, runs it for its
commit, once, and waits. The step's process writes the commit's word; what is registered carries it.
"""

import json
import os
import time
from pathlib import Path

import boto3

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"


def definition(settings: "os._Environ[str]", word: str, commit: str) -> str:
    bucket, key = settings["ARTIFACT_BUCKET"], settings["ARTIFACT_KMS_KEY_ARN"]
    where = f"s3://{bucket}/tiny/{commit}"
    script = f"echo {word} > /opt/ml/processing/out/model.tar.gz"
    process = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c", script]},
        "RoleArn": settings["SAGEMAKER_PIPELINE_ROLE_ARN"],
        "Tags": tags(settings),
        "ProcessingOutputConfig": {
            "KmsKeyId": key,
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": where,
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ],
        },
    }
    register = {
        "ModelPackageGroupName": settings["MODEL_PACKAGE_GROUP_NAME"],
        "ModelApprovalStatus": "PendingManualApproval",
        "CustomerMetadataProperties": {"GitCommit": commit, "Word": {"Get": "Parameters.Word"}},
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": f"{where}/model.tar.gz"}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }
    steps = [
        {"Name": "Write", "Type": "Processing", "Arguments": process},
        {"Name": "Register", "Type": "RegisterModel", "Arguments": register, "DependsOn": ["Write"]},
    ]
    parameters = [{"Name": "Word", "Type": "String", "DefaultValue": word}]
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": steps})


def tags(settings: "os._Environ[str]") -> list[dict[str, str]]:
    """Tags of whatever a project makes: its roles may make nothing else."""
    return [
        {"Key": "sagemaker:project-name", "Value": settings["SAGEMAKER_PROJECT_NAME"]},
        {"Key": "sagemaker:project-id", "Value": settings["SAGEMAKER_PROJECT_ID"]},
    ]


def main() -> None:
    settings = os.environ
    commit, word = settings["CODEBUILD_RESOLVED_SOURCE_VERSION"], Path("word.txt").read_text().strip()
    sagemaker = boto3.client("sagemaker", region_name=settings["AWS_REGION"])
    name = settings["SAGEMAKER_PIPELINE_NAME"]
    pipeline = {
        "PipelineName": name,
        "PipelineDefinition": definition(settings, word, commit),
        "RoleArn": settings["SAGEMAKER_PIPELINE_ROLE_ARN"],
    }
    try:
        sagemaker.update_pipeline(**pipeline)
    except sagemaker.exceptions.ResourceNotFound:
        sagemaker.create_pipeline(**pipeline, Tags=tags(settings))
    arn = sagemaker.start_pipeline_execution(
        PipelineName=name,
        PipelineExecutionDisplayName=f"commit-{commit[:12]}",
        PipelineParameters=[{"Name": "Word", "Value": word}],
        ClientRequestToken=commit[:40],
    )["PipelineExecutionArn"]
    status = "Executing"
    while status not in ("Succeeded", "Failed", "Stopped"):
        time.sleep(0.5)
        status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)["PipelineExecutionStatus"]
    print(f"{arn}: {status}", flush=True)
    if status != "Succeeded":
        steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
        raise SystemExit("; ".join(step.get("FailureReason", "") for step in steps))


if __name__ == "__main__":
    main()
