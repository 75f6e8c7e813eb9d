"""Pipelines through the door: graph, branches, cache, retries, failures, stopping, permissions."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest

from tests.sandbox.sagemaker.conftest import TRUST, Room
from tests.sandbox.sagemaker.definitions import (
    SKLEARN,
    condition,
    fail,
    output_of,
    pipeline,
    processing,
    register,
    training,
)
from tests.sandbox.sagemaker.test_jobs import refusal

CACHED = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
REPORT = {"PropertyFileName": "Report", "OutputName": "out", "FilePath": "evaluation.json"}
RMSE = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"}, "Path": "rmse.value"}}
BAR = {"Name": "Bar", "Type": "Float", "DefaultValue": 6.0}


def whole(room: Room, rmse: str = "5.5", group: str | None = None) -> str:
    """Prepare → train → evaluate → register or fail."""
    role, bucket = room.role, room.bucket
    model = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    evaluate = f"""printf '{{"rmse": {{"value": {rmse}}}}}' > /opt/ml/processing/out/evaluation.json"""
    statistics = {"Std:Join": {"On": "/", "Values": [output_of("Evaluate"), "evaluation.json"]}}
    metrics = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": statistics}}}
    too_high = {"Std:Join": {"On": " ", "Values": ["RMSE", RMSE, "is over", {"Get": "Parameters.Bar"}]}}
    return pipeline(
        processing("Prepare", role, "echo 1 > /opt/ml/processing/out/train.csv", bucket, **CACHED),
        training(
            "Train",
            role,
            "cp /opt/ml/input/data/train/train.csv /opt/ml/model/",
            bucket,
            channels=[("train", output_of("Prepare"))],
            **CACHED,
        ),
        processing(
            "Evaluate", role, evaluate, bucket, inputs=[("model", model)], PropertyFiles=[REPORT], **CACHED
        ),
        condition(
            "Check",
            [{"Type": "LessThanOrEqualTo", "LeftValue": RMSE, "RightValue": {"Get": "Parameters.Bar"}}],
            [register("Register", group or f"{room.name}-models", model, more={"ModelMetrics": metrics})],
            [fail("TooHigh", too_high)],
        ),
        parameters=[BAR],
    )


def test_a_whole_pipeline_registers_a_model(room: Room) -> None:
    execution = room.run("whole", whole(room))
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    arn = execution["PipelineExecutionArn"]
    steps = room.steps(arn)
    assert {name: step["StepStatus"] for name, step in steps.items()} == dict.fromkeys(
        ("Prepare", "Train", "Evaluate", "Check", "Register"), "Succeeded"
    )
    assert steps["Check"]["Metadata"] == {"Condition": {"Outcome": "True"}}
    identifier = arn.rpartition("/")[2]
    job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    assert job.startswith(f"pipelines-{identifier}-Train-")
    tags = room.sagemaker.list_tags(ResourceArn=steps["Train"]["Metadata"]["TrainingJob"]["Arn"])["Tags"]
    assert tags == [{"Key": "sagemaker:pipeline-execution-arn", "Value": arn}]
    package = room.sagemaker.describe_model_package(
        ModelPackageName=steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    )
    assert package["ModelPackageVersion"] == 1
    assert package["MetadataProperties"]["GeneratedBy"] == arn
    container = package["InferenceSpecification"]["Containers"][0]
    assert container["ModelDataUrl"] == f"s3://{room.bucket}/models/{job}/output/model.tar.gz"
    statistics = package["ModelMetrics"]["ModelQuality"]["Statistics"]
    assert json.loads(room.text(statistics["S3Uri"]))["rmse"]["value"] == 5.5
    assert package["CreatedBy"]["IamIdentity"]["Arn"].startswith("arn:aws:sts::123456789012:assumed-role/")


def test_a_metric_over_the_bar_registers_nothing(room: Room) -> None:
    execution = room.run("bar", whole(room, "7.5", f"{room.name}-never"))
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert execution["FailureReason"] == "Step failure: One or multiple steps failed."
    steps = room.steps(execution["PipelineExecutionArn"])
    assert steps["TooHigh"]["FailureReason"] == "RMSE 7.5 is over 6.0"
    assert steps["TooHigh"]["Metadata"] == {"Fail": {"ErrorMessage": "RMSE 7.5 is over 6.0"}}
    assert "Register" not in steps
    assert refusal(
        lambda: room.sagemaker.describe_model_package_group(ModelPackageGroupName=f"{room.name}-never")
    )


@pytest.mark.parametrize("rmse", ["NaN", '"low"', "null"])
def test_a_metric_that_is_no_number_fails_the_condition(room: Room, rmse: str) -> None:
    execution = room.run(f"nan-{abs(hash(rmse))}", whole(room, rmse))
    assert execution["PipelineExecutionStatus"] == "Failed"
    steps = room.steps(execution["PipelineExecutionArn"])
    assert steps["Check"]["StepStatus"] == "Failed" and "Unable to resolve" in steps["Check"]["FailureReason"]
    assert "Register" not in steps and "TooHigh" not in steps


def test_unchanged_steps_come_from_the_cache(room: Room) -> None:
    name = f"{room.name}-cache"
    first = room.run("cache", whole(room))["PipelineExecutionArn"]
    began = time.monotonic()
    second = room.ended(room.start("cache"))["PipelineExecutionArn"]
    seconds = time.monotonic() - began
    hits = {step: each.get("CacheHitResult") for step, each in room.steps(second).items()}
    source = {"SourcePipelineExecutionArn": first}
    assert hits == {"Prepare": source, "Train": source, "Evaluate": source, "Check": None, "Register": None}
    assert seconds < 2
    # Another evaluation script: only what follows runs.
    room.sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=whole(room, "5.0"))
    third = room.ended(room.start("cache"))["PipelineExecutionArn"]
    hits = {step: "CacheHitResult" in each for step, each in room.steps(third).items()}
    assert hits == {"Prepare": True, "Train": True, "Evaluate": False, "Check": False, "Register": False}
    # The definition that an execution ran with stays its own.
    ran = room.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=first)
    assert ran["PipelineDefinition"] == whole(room)


def test_four_trivial_steps_are_quick(room: Room) -> None:
    steps = [processing("A", room.role, "echo a > /opt/ml/processing/out/a", room.bucket)]
    for before, name in (("A", "B"), ("B", "C"), ("C", "D")):
        script = "cp /opt/ml/processing/before/a /opt/ml/processing/out/"
        steps.append(processing(name, room.role, script, room.bucket, inputs=[("before", output_of(before))]))
    room.run("quick", pipeline(*steps))
    execution = room.ended(room.start("quick"))
    seconds = (execution["LastModifiedTime"] - execution["CreationTime"]).total_seconds()
    # The goal is 1.0 s on an idle machine (make bench); this machine may be busy.
    assert execution["PipelineExecutionStatus"] == "Succeeded" and seconds < 5


def test_a_failed_step_stops_what_depends_on_it_and_nothing_else(room: Room) -> None:
    role, bucket = room.role, room.bucket
    definition = pipeline(
        processing("Bad", role, "echo cannot parse column rent; exit 4", bucket),
        processing("After", role, "true", bucket, DependsOn=["Bad"]),
        processing("Other", role, "true", bucket),
        processing("Last", role, "true", bucket, DependsOn=[{"Step": "Other"}]),
    )
    execution = room.run("partial", definition)
    steps = room.steps(execution["PipelineExecutionArn"])
    statuses = {name: step["StepStatus"] for name, step in steps.items()}
    assert statuses == {"Bad": "Failed", "Other": "Succeeded", "Last": "Succeeded"}
    reason = "ClientError: AlgorithmError: cannot parse column rent, exit code: 4"
    assert steps["Bad"]["FailureReason"] == reason
    assert execution["PipelineExecutionStatus"] == "Failed"


def test_a_failed_execution_is_retried_from_its_failed_step(room: Room) -> None:
    switch = [("switch", f"s3://{room.bucket}/switch")]
    definition = pipeline(
        processing("First", room.role, "true", room.bucket),
        processing("Flaky", room.role, "true", room.bucket, inputs=switch, DependsOn=["First"]),
    )
    execution = room.run("retry", definition)
    arn = execution["PipelineExecutionArn"]
    assert execution["PipelineExecutionStatus"] == "Failed"
    first = room.steps(arn)["First"]
    room.put("switch/on")
    request = {"PipelineExecutionArn": arn, "ClientRequestToken": uuid.uuid4().hex}
    room.sagemaker.retry_pipeline_execution(**request)
    execution = room.ended(arn)
    assert execution["PipelineExecutionStatus"] == "Succeeded" and "FailureReason" not in execution
    assert room.steps(arn)["First"] == first
    assert room.sagemaker.retry_pipeline_execution(**request)["PipelineExecutionArn"] == arn
    code, message = refusal(lambda: room.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn))
    assert code == "ConflictException" and "Succeeded" in message


def test_an_execution_is_stopped_with_its_jobs(room: Room) -> None:
    definition = pipeline(
        processing("Long", room.role, "sleep 600", room.bucket),
        processing("Next", room.role, "true", room.bucket, DependsOn=["Long"]),
    )
    room.create_pipeline("stop", definition)
    arn = room.start("stop")
    steps = room.until(lambda: room.steps(arn), lambda steps: steps["Long"]["StepStatus"] == "Executing")
    delete = room.sagemaker.delete_pipeline
    assert refusal(lambda: delete(PipelineName=f"{room.name}-stop"))[0] == "ConflictException"
    room.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert room.ended(arn)["PipelineExecutionStatus"] == "Stopped"
    assert {name: step["StepStatus"] for name, step in room.steps(arn).items()} == {"Long": "Stopped"}
    job = steps["Long"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    assert room.job("Processing", job)["ProcessingJobStatus"] == "Stopped"
    delete(PipelineName=f"{room.name}-stop")
    code, message = refusal(lambda: room.sagemaker.describe_pipeline(PipelineName=f"{room.name}-stop"))
    assert code == "ResourceNotFound" and message.endswith("does not exist.")


def test_a_fail_step_ends_the_execution_and_its_running_steps(room: Room) -> None:
    definition = pipeline(
        processing("Long", room.role, "sleep 600", room.bucket), fail("Enough", "stop here")
    )
    execution = room.run("fail", definition)
    statuses = {
        name: step["StepStatus"] for name, step in room.steps(execution["PipelineExecutionArn"]).items()
    }
    assert (execution["PipelineExecutionStatus"], statuses) == (
        "Failed",
        {"Long": "Stopped", "Enough": "Failed"},
    )


def test_calls_are_made_as_the_pipelines_role(room: Room) -> None:
    weak = room.make_role("weak-pipeline", "s3:*", "logs:*")
    execution = room.run("denied", pipeline(processing("Step", room.role, "true", room.bucket)), role=weak)
    reason = room.steps(execution["PipelineExecutionArn"])["Step"]["FailureReason"]
    assert reason.startswith(
        "ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: User: "
    )
    assert "is not authorized to perform: sagemaker:CreateProcessingJob" in reason


def test_a_builder_that_may_not_approve_cannot_register_an_approved_model(room: Room) -> None:
    role = room.make_role("builder", "s3:*", "logs:*", "ecr:*", "sagemaker:*", "iam:PassRole")
    statement = {
        "Effect": "Deny",
        "Action": ["sagemaker:CreateModelPackage", "sagemaker:UpdateModelPackage"],
        "Resource": "*",
        "Condition": {"StringEquals": {"sagemaker:ModelApprovalStatus": "Approved"}},
    }
    room.iam.put_role_policy(
        RoleName=role.rpartition("/")[2],
        PolicyName="no-approval",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    model = room.put("approved/model.tar.gz")
    status = {"ModelApprovalStatus": {"Get": "Parameters.Status"}}
    step = register("Register", f"{room.name}-approved", model, more=status)
    parameters = [{"Name": "Status", "Type": "String", "DefaultValue": "Approved"}]
    execution = room.run("approved", pipeline(step, parameters=parameters), role=role)
    reason = room.steps(execution["PipelineExecutionArn"])["Register"]["FailureReason"]
    assert (
        "is not authorized to perform: sagemaker:CreateModelPackage" in reason and "explicit deny" in reason
    )
    pending = room.ended(room.start("approved", parameters={"Status": "PendingManualApproval"}))
    assert pending["PipelineExecutionStatus"] == "Succeeded"


def test_a_step_may_run_again_by_its_retry_policy(room: Room) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 2, "IntervalSeconds": 1}
    step = processing("Step", room.role, "exit 1", room.bucket, RetryPolicies=[policy])
    execution = room.run("policy", pipeline(step))
    # An algorithm's own error is no internal error: trying again cannot help, one attempt is made.
    assert room.steps(execution["PipelineExecutionArn"])["Step"]["AttemptCount"] == 1


def test_parameters_variables_and_parallelism(room: Room) -> None:
    text = {
        "Std:Join": {
            "On": "-",
            "Values": [{"Get": f"Execution.{name}"} for name in ("PipelineName", "PipelineExecutionId")],
        }
    }
    step = processing("Show", room.role, 'echo "$WHO $HOW"', room.bucket)
    step["Arguments"]["Environment"] = {"WHO": text, "HOW": {"Get": "Parameters.How"}}
    step["Arguments"]["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = {"Get": "Parameters.Count"}
    parameters: list[dict[str, Any]] = [
        {"Name": "How", "Type": "String", "EnumValues": ["fast", "slow"]},
        {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
    ]
    others = [processing(name, room.role, "true", room.bucket) for name in ("X", "Y")]
    room.create_pipeline("parameters", pipeline(step, *others, parameters=parameters))
    code, message = refusal(lambda: room.start("parameters"))
    assert code == "ValidationException" and "[How] have no default value" in message
    code, message = refusal(lambda: room.start("parameters", parameters={"How": "odd"}))
    assert code == "ValidationException" and "is not one of [fast, slow]" in message
    token = uuid.uuid4().hex
    arguments: dict[str, Any] = {
        "parameters": {"How": "fast"},
        "ClientRequestToken": token,
        "ParallelismConfiguration": {"MaxParallelExecutionSteps": 1},
    }
    arn = room.start("parameters", **arguments)
    assert room.start("parameters", **arguments | {"parameters": {"How": "fast"}}) == arn
    execution = room.ended(arn)
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    steps = room.steps(arn)
    job = steps["Show"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    assert room.log("Processing", job) == [f"{room.name}-parameters-{arn.rpartition('/')[2]} fast"]
    shown = room.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)[
        "PipelineParameters"
    ]
    assert shown == [{"Name": "How", "Value": "fast"}, {"Name": "Count", "Value": "1"}]
    times = sorted((step["StartTime"], step["EndTime"]) for step in steps.values())
    assert all(earlier[1] <= later[0] for earlier, later in zip(times, times[1:], strict=False))


def test_a_model_step_makes_a_model_that_later_steps_can_name(room: Room) -> None:
    data = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    model = {
        "Name": "Make_Model",
        "Type": "Model",
        "Arguments": {
            "PrimaryContainer": {"Image": SKLEARN, "ModelDataUrl": data},
            "ExecutionRoleArn": room.role,
            "Tags": [{"Key": "k", "Value": "v"}],
        },
    }
    show = processing("Show", room.role, 'echo "$MODEL"', room.bucket)
    show["Arguments"]["Environment"] = {"MODEL": {"Get": "Steps.Make_Model.ModelName"}}
    train = training("Train", room.role, "echo 1 > /opt/ml/model/model.bin", room.bucket)
    execution = room.run("model", pipeline(train, model, show))
    steps = room.steps(execution["PipelineExecutionArn"])
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    name = steps["Make_Model"]["Metadata"]["Model"]["Arn"].rpartition("/")[2]
    assert name.startswith(f"pipelines-{execution['PipelineExecutionArn'].rpartition('/')[2]}-Make-Model-")
    described = room.sagemaker.describe_model(ModelName=name)
    assert described["PrimaryContainer"]["ModelDataUrl"].endswith("/output/model.tar.gz")
    job = steps["Show"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    assert room.log("Processing", job) == [name]
    tags = {tag["Key"] for tag in room.sagemaker.list_tags(ResourceArn=described["ModelArn"])["Tags"]}
    assert tags == {"k", "sagemaker:pipeline-execution-arn"}


def test_names_of_jobs_fit_and_may_have_a_prefix_of_their_own(room: Room) -> None:
    long = processing("A" * 64, room.role, "true", room.bucket)
    own = processing("Own", room.role, "true", room.bucket)
    own["Arguments"]["ProcessingJobName"] = {"Std:Join": {"On": "-", "Values": ["mine", room.name]}}
    execution = room.run("names", pipeline(long, own))
    steps = room.steps(execution["PipelineExecutionArn"])
    names = {
        name: step["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2] for name, step in steps.items()
    }
    assert len(names["A" * 64]) == 63
    assert (
        names["Own"].startswith(f"mine-{room.name}-") and len(names["Own"]) == len(f"mine-{room.name}-") + 10
    )


def test_a_pipelines_role_must_trust_sagemaker(room: Room) -> None:
    name = f"{room.name}-untrusting"
    trust = json.dumps(TRUST).replace("sagemaker.amazonaws.com", "codebuild.amazonaws.com")
    role = room.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    code, message = refusal(lambda: room.create_pipeline("untrusting", pipeline(fail("F", "x")), role))
    assert code == "ValidationException" and message.startswith(f"Could not assume role {role}.")


def test_a_pipeline_is_created_once_by_its_token(room: Room) -> None:
    request = {
        "PipelineName": f"{room.name}-token",
        "PipelineDefinition": pipeline(fail("F", "x")),
        "RoleArn": room.role,
        "ClientRequestToken": uuid.uuid4().hex,
    }
    assert room.sagemaker.create_pipeline(**request) is not None
    first = room.sagemaker.create_pipeline(**request)["PipelineArn"]
    assert first == room.sagemaker.describe_pipeline(PipelineName=request["PipelineName"])["PipelineArn"]


def test_definitions_are_refused_before_anything_is_kept(room: Room) -> None:
    code, message = refusal(
        lambda: room.create_pipeline("bad", pipeline({"Name": "T", "Type": "Tuning", "Arguments": {}}))
    )
    assert code == "ValidationException"
    assert (
        message
        == "Unable to parse pipeline definition. Step 'T': step type 'Tuning' is not implemented by the sandbox."
    )
    assert (
        refusal(lambda: room.sagemaker.describe_pipeline(PipelineName=f"{room.name}-bad"))[0]
        == "ResourceNotFound"
    )
    good = pipeline(fail("F", "x"))
    room.create_pipeline("good", good)
    code, message = refusal(lambda: room.create_pipeline("good", good))
    assert code == "ValidationException" and "already exists" in message
    described = room.sagemaker.describe_pipeline(PipelineName=f"{room.name}-good")
    assert described["PipelineDefinition"] == good and described["PipelineStatus"] == "Active"
    code, message = refusal(
        lambda: room.start("good", SelectiveExecutionConfig={"SelectedSteps": [{"StepName": "F"}]})
    )
    assert code == "ValidationException" and "SelectiveExecutionConfig" in message


def test_a_definition_may_be_in_s3(room: Room) -> None:
    definition = pipeline(fail("F", "x"))
    room.put("definition.json", definition)
    name = f"{room.name}-in-s3"
    location = {"Bucket": room.bucket, "ObjectKey": "definition.json"}
    room.sagemaker.create_pipeline(
        PipelineName=name, PipelineDefinitionS3Location=location, RoleArn=room.role
    )
    assert room.sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == definition


def test_executions_and_pipelines_are_listed(room: Room) -> None:
    room.create_pipeline("listed", pipeline(fail("F", "x")))
    arns = [room.start("listed") for _ in range(3)]
    for arn in arns:
        room.ended(arn)
    pages = room.sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=f"{room.name}-listed", PaginationConfig={"PageSize": 2}
    )
    listed = [each for page in pages for each in page["PipelineExecutionSummaries"]]
    assert [each["PipelineExecutionArn"] for each in listed] == arns[::-1]
    assert {each["PipelineExecutionFailureReason"] for each in listed} == {
        "Step failure: One or multiple steps failed."
    }
    pipelines = room.sagemaker.list_pipelines(PipelineNamePrefix=f"{room.name}-listed")["PipelineSummaries"]
    assert len(pipelines) == 1 and "LastExecutionTime" in pipelines[0]
    update = room.sagemaker.update_pipeline_execution
    update(PipelineExecutionArn=arns[0], PipelineExecutionDescription="first")
    described = room.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arns[0])
    assert described["PipelineExecutionDescription"] == "first"
