"""A pipeline by the SageMaker SDK alone, run by its own Python: `sdk_pipeline.py ROLE BUCKET GROUP`.

Each principal is a profile. Prints one JSON object of what the SDK was told.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["SAGEMAKER_VALIDATE_ROLE"] = "false"

import boto3
from botocore.exceptions import ClientError, WaiterError
from sagemaker.core import image_uris
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.resources import ModelPackage
from sagemaker.core.shapes import ProcessingOutput, ProcessingS3Output
from sagemaker.core.training.configs import Compute, InputData, OutputDataConfig, SourceCode
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.core.workflow.parameters import ParameterFloat, ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow import (
    CacheConfig,
    ConditionStep,
    FailStep,
    ModelStep,
    Pipeline,
    ProcessingStep,
    TrainingStep,
)
from sagemaker.serve.model_builder import ModelBuilder
from sagemaker.train import ModelTrainer

NAME = "sagemaker-clients-sdk"
QUIET = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}
PREPARE = """
import json, pathlib
out = pathlib.Path("/opt/ml/processing/output")
(out / "rows.csv").write_text("1,2\\n3,4\\n")
(out / "report.json").write_text(json.dumps({"rows": 2}))
"""
TRAIN = """
import argparse, os, pathlib
arguments = argparse.ArgumentParser()
arguments.add_argument("--word")
word = arguments.parse_args().word
rows = (pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]) / "rows.csv").read_text()
(pathlib.Path(os.environ["SM_MODEL_DIR"]) / "model.txt").write_text(word + rows)
"""


def build(session: PipelineSession, role: str, bucket: str, group: str, folder: Path) -> Pipeline:
    """Prepare → (enough rows?) → Train → Register, or TooFew."""
    (folder / "prepare.py").write_text(PREPARE)
    (folder / "train").mkdir()
    (folder / "train" / "train.py").write_text(TRAIN)
    image = image_uris.retrieve("sklearn", "us-east-1", version="1.9-0", instance_type="ml.m5.large")
    word = ParameterString("Word", default_value="hello")
    least = ParameterFloat("Least", default_value=1.0)
    uri = Join(on="/", values=["s3:/", bucket, "sdk", ExecutionVariables.PIPELINE_EXECUTION_ID])
    where = ProcessingS3Output(s3_uri=uri, local_path="/opt/ml/processing/output", s3_upload_mode="EndOfJob")
    processor = ScriptProcessor(
        image_uri=image,
        command=["python3"],
        instance_type="ml.m5.large",
        instance_count=1,
        role=role,
        sagemaker_session=session,
    )
    report = PropertyFile(name="Report", output_name="out", path="report.json")
    prepare = ProcessingStep(
        "Prepare",
        step_args=processor.run(
            code=str(folder / "prepare.py"),
            outputs=[ProcessingOutput(output_name="out", s3_output=where)],
        ),
        property_files=[report],
        cache_config=CacheConfig(enable_caching=True, expire_after="P1D"),
    )
    rows = prepare.properties.ProcessingOutputConfig.Outputs["out"].S3Output.S3Uri
    trainer = ModelTrainer(
        training_image=image,
        role=role,
        sagemaker_session=session,
        source_code=SourceCode(source_dir=str(folder / "train"), entry_script="train.py"),
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        output_data_config=OutputDataConfig(s3_output_path=f"s3://{bucket}/models"),
        hyperparameters={"word": word},
        input_data_config=[InputData(channel_name="train", data_source=rows)],
    )
    train = TrainingStep("Train", step_args=trainer.train())
    model = ModelBuilder(
        image_uri=image,
        s3_model_data_url=train.properties.ModelArtifacts.S3ModelArtifacts,
        role_arn=role,
        sagemaker_session=session,
    )
    register = ModelStep(
        "Register",
        step_args=model.register(
            model_package_group_name=group,
            content_types=["text/csv"],
            response_types=["text/csv"],
            approval_status="PendingManualApproval",
        ),
    )
    enough = ConditionGreaterThanOrEqualTo(
        left=JsonGet(step_name="Prepare", property_file=report, json_path="rows"), right=least
    )
    fail = FailStep("TooFew", error_message=Join(on=" ", values=["fewer rows than", least]))
    check = ConditionStep("Enough", conditions=[enough], if_steps=[train, register], else_steps=[fail])
    return Pipeline(NAME, parameters=[word, least], steps=[prepare, check], sagemaker_session=session)


def session_of(profile: str, bucket: str) -> PipelineSession:
    boto_session = boto3.Session(profile_name=profile)
    return PipelineSession(boto_session=boto_session, default_bucket=bucket, sagemaker_config=QUIET)


def main() -> None:
    role, bucket, group = sys.argv[1:]
    told: dict[str, Any] = {}
    pipeline = build(session_of("scientist", bucket), role, bucket, group, Path.cwd())
    told["created"] = pipeline.upsert(role_arn=role)["PipelineArn"]
    told["updated"] = pipeline.upsert(role_arn=role)["PipelineArn"]
    # From here on as the engineer, who may run pipelines but not define them.
    running = Pipeline(NAME, sagemaker_session=session_of("sandbox-engineer", bucket))
    first = running.start(parameters={"Word": "good"}, execution_display_name="first")
    first.wait(delay=1, max_attempts=120)
    told["first"] = first.describe()["PipelineExecutionStatus"]
    told["steps"] = {step["StepName"]: step["StepStatus"] for step in first.list_steps()}
    steps = {step["StepName"]: step for step in first.list_steps()}
    package = next(step for name, step in steps.items() if name.startswith("Register"))
    told["package"] = package["Metadata"]["RegisterModel"]["Arn"]
    told["model"] = steps["Train"]["Metadata"]["TrainingJob"]["Arn"]
    second = running.start(parameters={"Least": 5.0})
    try:
        second.wait(delay=1, max_attempts=120)
    except WaiterError as error:
        told["second"] = str(error)[:300]
    told["cached"] = [step["StepName"] for step in second.list_steps() if "CacheHitResult" in step]
    told["reason"] = {step["StepName"]: step.get("FailureReason") for step in second.list_steps()}
    for profile in ("sandbox-engineer", "sandbox-approver"):
        found = ModelPackage.get(told["package"], session=boto3.Session(profile_name=profile))
        try:
            found.update(model_approval_status="Approved")
        except ClientError as error:
            told["refused"] = str(error)[:300]
        else:
            told["approved by"] = profile
    found.refresh()
    told["status"] = found.model_approval_status
    print(json.dumps(told))


if __name__ == "__main__":
    main()
