"""Pipeline definitions for tests: small steps whose scripts are shell or Python one-liners."""

from __future__ import annotations

import json
from typing import Any

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"
Step = dict[str, Any]


def shell(script: str) -> dict[str, list[str]]:
    """Entrypoint and arguments that run `script` in sh; an argument holds 256 characters and no newline."""
    text = "; ".join(line.strip() for line in script.strip().splitlines())
    parts = [text[start : start + 256] for start in range(0, len(text), 256)]
    return {
        "ContainerEntrypoint": ["sh", "-c", 'eval "$(printf %s "$@")"', "sh"],
        "ContainerArguments": parts,
    }


def processing(name: str, role: str, script: str, bucket: str = "b", **settings: Any) -> Step:
    """A processing step that runs `script` in sh; its output `out` goes to s3://bucket/<name>."""
    inputs = settings.pop("inputs", [])
    arguments = {
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
        },
        "AppSpecification": {"ImageUri": SKLEARN} | shell(script),
        "RoleArn": role,
        "ProcessingInputs": [
            {
                "InputName": each,
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": f"/opt/ml/processing/{each}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for each, uri in inputs
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": f"s3://{bucket}/{name}",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    }
    return {"Name": name, "Type": "Processing", "Arguments": arguments} | settings


def training(name: str, role: str, script: str, bucket: str = "b", **settings: Any) -> Step:
    """A training step that runs `script` in sh."""
    arguments: dict[str, Any] = {
        "AlgorithmSpecification": {
            "TrainingImage": SKLEARN,
            "TrainingInputMode": "File",
            "MetricDefinitions": settings.pop("metrics", []),
        }
        | shell(script),
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "RoleArn": role,
    }
    channels = settings.pop("channels", [])
    if channels:
        arguments["InputDataConfig"] = [
            {
                "ChannelName": channel,
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
                "ContentType": "text/csv",
            }
            for channel, uri in channels
        ]
    return {"Name": name, "Type": "Training", "Arguments": arguments} | settings


def register(name: str, group: str, model: Any, **settings: Any) -> Step:
    container = {"Image": SKLEARN, "ModelDataUrl": model}
    arguments = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": {
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    }
    return {
        "Name": name,
        "Type": "RegisterModel",
        "Arguments": arguments | settings.pop("more", {}),
    } | settings


def condition(name: str, conditions: list[Any], yes: list[Step], no: list[Step]) -> Step:
    return {
        "Name": name,
        "Type": "Condition",
        "Arguments": {"Conditions": conditions, "IfSteps": yes, "ElseSteps": no},
    }


def fail(name: str, message: Any) -> Step:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def output_of(step: str) -> dict[str, str]:
    return {"Get": f"Steps.{step}.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}


def pipeline(*steps: Step, parameters: list[dict[str, Any]] | None = None, **more: Any) -> str:
    """The text of a definition."""
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters or [], "Steps": list(steps)} | more)
