"""Four trivial processing steps, each reading the file that the one before it wrote: run, and all cached.

From StartPipelineExecution to Succeeded as an AWS client sees it, asking every few milliseconds.
"""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

from bench.machine import machine
from bench.measure import Measure, Result, Turns, seconds

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
STEPS = ("First", "Second", "Third", "Fourth")
INPUT, OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"
RUN_SECONDS, CACHED_SECONDS = 1.0, 0.3
ASK_SECONDS = 0.005


def run(*, quick: bool) -> list[Result]:
    with machine() as here:
        sagemaker = here.access().client("sagemaker")
        here.access().client("s3").create_bucket(Bucket="bench")
        role = here.role("bench", "s3:*", "logs:*", "ecr:*", "sagemaker:*", "iam:PassRole")
        sagemaker.create_pipeline(PipelineName="bench", PipelineDefinition=_definition(role), RoleArn=role)
        number = itertools.count(1)
        # The first builds the environment of the image and makes the sandbox's clients.
        _run(sagemaker, "0", cached=False)

        def fresh() -> float:
            return seconds(lambda: _run(sagemaker, str(next(number)), cached=False))

        def cached() -> float:
            return seconds(lambda: _run(sagemaker, "0", cached=True))

        taken = Turns().take(2 if quick else 5, fresh=fresh, cached=cached).samples
    note = "processing jobs in a chain, their files through S3"
    return [
        Measure("four trivial steps", "s", taken["fresh"], RUN_SECONDS, note=note),
        Measure("four trivial steps, all cached", "s", taken["cached"], CACHED_SECONDS),
    ]


def _run(sagemaker: Any, round_: str, *, cached: bool) -> None:
    """`round_` stands in every step's environment: a new one misses the cache, an old one must hit it."""
    arn = sagemaker.start_pipeline_execution(
        PipelineName="bench", PipelineParameters=[{"Name": "Round", "Value": round_}]
    )["PipelineExecutionArn"]
    while True:
        answer = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if answer["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
            break
        time.sleep(ASK_SECONDS)
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    if answer["PipelineExecutionStatus"] != "Succeeded":
        raise RuntimeError("; ".join(step["FailureReason"] for step in steps if "FailureReason" in step))
    if [cached] * len(STEPS) != ["CacheHitResult" in step for step in steps]:
        raise RuntimeError(f"steps that should {'' if cached else 'not '}come from the cache do otherwise")


def _definition(role: str) -> str:
    steps = [_step(name, role, before) for name, before in zip(STEPS, (None, *STEPS), strict=False)]
    parameters = [{"Name": "Round", "Type": "String", "DefaultValue": "0"}]
    return json.dumps({"Version": "2020-12-01", "Parameters": parameters, "Steps": steps})


def _step(name: str, role: str, before: str | None) -> dict[str, Any]:
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
    script = f"cat {INPUT}/* > {OUTPUT}/file" if before else f"echo $ROUND > {OUTPUT}/file"
    place = {"Std:Join": {"On": "/", "Values": ["s3://bench", name, {"Get": "Parameters.Round"}]}}
    arguments: dict[str, Any] = {
        "ProcessingResources": {"ClusterConfig": cluster},
        "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["sh", "-c", script]},
        "RoleArn": role,
        "Environment": {"ROUND": {"Get": "Parameters.Round"}},
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {"S3Uri": place, "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"},
                }
            ]
        },
    }
    if before:
        uri = {"Get": f"Steps.{before}.ProcessingOutputConfig.Outputs['out'].S3Output.S3Uri"}
        source = {"S3Uri": uri, "LocalPath": INPUT, "S3DataType": "S3Prefix", "S3InputMode": "File"}
        arguments["ProcessingInputs"] = [{"InputName": "before", "S3Input": source}]
    cache = {"Enabled": True, "ExpireAfter": "P1D"}
    return {"Name": name, "Type": "Processing", "Arguments": arguments, "CacheConfig": cache}
