"""Pipeline executions: StartPipelineExecution and its kin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import AwsError, operation
from sandbox.services.sagemaker import jobs
from sandbox.services.sagemaker.listing import keep, paged, sort, within
from sandbox.services.sagemaker.pipelines.definition import DefinitionError
from sandbox.services.sagemaker.pipelines.execution import (
    DEFINITION,
    ENDED,
    EXECUTION,
    PIPELINE,
    STEP,
    TOKEN,
    Execution,
)
from sandbox.services.sagemaker.pipelines.expressions import ExpressionError, as_text, resolve
from sandbox.services.sagemaker.pipelines.parameters import bind
from sandbox.services.sagemaker.pipelines.pipelines import find_pipeline
from sandbox.services.sagemaker.pipelines.scope import ExecutionScope
from sandbox.services.sagemaker.refusals import refuse
from sandbox.services.sagemaker.users import user_context

if TYPE_CHECKING:
    from sandbox.engine.operations import Call
    from sandbox.engine.store import Record

ID_LENGTH = 12
_REFUSED = ("SelectiveExecutionConfig", "PipelineVersionId", "PipelineVersionAlias", "MlflowExperimentName")
_SETTINGS = ("PipelineExecutionDisplayName", "PipelineExecutionDescription", "ParallelismConfiguration")
_STEP_SHOWN = (
    "StepName",
    "StepDisplayName",
    "StepDescription",
    "StartTime",
    "EndTime",
    "StepStatus",
    "CacheHitResult",
    "FailureReason",
    "Metadata",
    "AttemptCount",
)


def find_execution(call: Call, arn: str) -> Execution:
    """The execution of an ARN. AwsError where it does not exist."""
    pipeline, _, identifier = arn.removeprefix(call.arn("pipeline/")).partition("/execution/")
    execution = Execution(call.engine, call.account, call.region, pipeline, identifier)
    if call.records(EXECUTION).get(execution.key) is None:
        raise AwsError("ResourceNotFound", f"Pipeline execution '{arn}' does not exist.")
    return execution


@operation("sagemaker", "StartPipelineExecution")
def start_pipeline_execution(call: Call, **request: Any) -> dict[str, Any]:
    refuse("StartPipelineExecution", request, _REFUSED)
    if request.get("RoleArn"):
        jobs.check_role(call, request["RoleArn"], "pipeline")
    with call.engine.store.transaction():
        pipeline = find_pipeline(call, request["PipelineName"])
        tokens = call.records(TOKEN)
        token = f"{pipeline['PipelineName']}/{request['ClientRequestToken']}"
        made = tokens.get(token)
        if made:
            return made
        execution = Execution(
            call.engine, call.account, call.region, pipeline["PipelineName"], random_id(ID_LENGTH)
        )
        _put_execution(call, execution, pipeline, request)
        answer = {"PipelineExecutionArn": execution.arn}
        tokens.put(token, answer)
        call.records(PIPELINE).put(
            pipeline["PipelineName"], pipeline | {"LastRunTime": call.engine.clock.now()}
        )
        execution.publish(execution.read(), None)
        execution.advance()
    return answer


def _put_execution(call: Call, execution: Execution, pipeline: Record, request: Record) -> None:
    now, digest = call.engine.clock.now(), pipeline["Private"]["Definition"]
    record = keep(pipeline, "ParallelismConfiguration") | keep(request, *_SETTINGS)
    record |= {
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineExecutionArn": execution.arn,
        "PipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName")
        or f"execution-{int(now * 1000)}",
        "PipelineExecutionStatus": "Executing",
        "CreationTime": now,
        "LastModifiedTime": now,
        "CreatedBy": user_context(call),
        "LastModifiedBy": user_context(call),
        "RoleArn": request.get("RoleArn") or pipeline["RoleArn"],
        "Private": {"Definition": digest, "Parameters": {}},
    }
    records = call.records(EXECUTION)
    records.put(execution.key, record)
    definition = execution.definition()
    given = _given(request)
    try:
        record["Private"]["Parameters"] = bind(definition.parameters, given)
        records.put(execution.key, record)
        if definition.experiment:
            scope = ExecutionScope(execution)
            record["PipelineExperimentConfig"] = resolve(definition.experiment, scope)
            records.put(execution.key, record)
    except (DefinitionError, ExpressionError) as error:
        raise AwsError("ValidationException", str(error)) from None


def _given(request: Record) -> dict[str, str]:
    entries = request.get("PipelineParameters") or []
    given = {entry["Name"]: entry["Value"] for entry in entries}
    if len(given) < len(entries):
        raise AwsError("ValidationException", "Names of pipeline parameters must be unique.")
    return given


@operation("sagemaker", "DescribePipelineExecution")
def describe_pipeline_execution(call: Call, PipelineExecutionArn: str) -> dict[str, Any]:
    record = find_execution(call, PipelineExecutionArn).read()
    del record["Private"]
    return record


@operation("sagemaker", "ListPipelineExecutions")
def list_pipeline_executions(call: Call, **request: Any) -> dict[str, Any]:
    refuse("ListPipelineExecutions", request, ("PipelineVersionAlias",))
    name = find_pipeline(call, request["PipelineName"])["PipelineName"]
    executions = [
        record
        for record in call.records(EXECUTION).list(f"{name}/")
        if within(record["CreationTime"], request.get("CreatedAfter"), request.get("CreatedBefore"))
    ]
    member = "PipelineExecutionArn" if request.get("SortBy") == "PipelineExecutionArn" else "CreationTime"
    executions = sort(executions, lambda record: record[member], request.get("SortOrder"), "Descending")
    return paged("PipelineExecutionSummaries", [_summary(record) for record in executions], request)


def _summary(record: Record) -> Record:
    summary = keep(
        record,
        "PipelineExecutionArn",
        "PipelineExecutionStatus",
        "PipelineExecutionDescription",
        "PipelineExecutionDisplayName",
    )
    summary["StartTime"] = record["CreationTime"]
    if "FailureReason" in record:
        summary["PipelineExecutionFailureReason"] = record["FailureReason"]
    return summary


@operation("sagemaker", "ListPipelineExecutionSteps")
def list_pipeline_execution_steps(call: Call, **request: Any) -> dict[str, Any]:
    execution = find_execution(call, request.get("PipelineExecutionArn", ""))
    steps = sort(
        list(execution.steps().values()),
        lambda step: (step["StartTime"], step["Private"]["Order"]),
        request.get("SortOrder"),
        "Descending",
    )
    return paged("PipelineExecutionSteps", [keep(step, *_STEP_SHOWN) for step in steps], request)


@operation("sagemaker", "StopPipelineExecution")
def stop_pipeline_execution(call: Call, PipelineExecutionArn: str, ClientRequestToken: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        execution = find_execution(call, PipelineExecutionArn)
        status = execution.read()["PipelineExecutionStatus"]
        if status in ENDED:
            raise AwsError(
                "ConflictException",
                f"Pipeline execution '{execution.arn}' cannot be stopped: its status is {status}.",
            )
        if status != "Stopping":
            execution.change("Stopping", LastModifiedBy=user_context(call))
            execution.advance()
    return {"PipelineExecutionArn": execution.arn}


@operation("sagemaker", "RetryPipelineExecution")
def retry_pipeline_execution(call: Call, **request: Any) -> dict[str, Any]:
    with call.engine.store.transaction():
        execution = find_execution(call, request["PipelineExecutionArn"])
        token = f"{execution.key}/{request['ClientRequestToken']}"
        answer = {"PipelineExecutionArn": execution.arn}
        if call.records(TOKEN).get(token):
            return answer
        record = execution.read()
        if record["PipelineExecutionStatus"] not in ("Failed", "Stopped"):
            raise AwsError(
                "ConflictException",
                f"Pipeline execution '{execution.arn}' cannot be retried: its status is "
                f"{record['PipelineExecutionStatus']}, not Failed or Stopped.",
            )
        # What succeeded stays; what failed or was stopped starts anew.
        for name, step in execution.steps().items():
            if step["StepStatus"] != "Succeeded":
                call.records(STEP).delete(f"{execution.key}/{name}")
        record.pop("FailureReason", None)
        call.records(EXECUTION).put(execution.key, record)
        call.records(TOKEN).put(token, answer)
        execution.change(
            "Executing", LastModifiedBy=user_context(call), **keep(request, "ParallelismConfiguration")
        )
        execution.advance()
    return answer


@operation("sagemaker", "UpdatePipelineExecution")
def update_pipeline_execution(call: Call, **request: Any) -> dict[str, Any]:
    with call.engine.store.transaction():
        execution = find_execution(call, request["PipelineExecutionArn"])
        execution.change(LastModifiedBy=user_context(call), **keep(request, *_SETTINGS))
        execution.advance()
    return {"PipelineExecutionArn": execution.arn}


@operation("sagemaker", "DescribePipelineDefinitionForExecution")
def describe_pipeline_definition_for_execution(call: Call, PipelineExecutionArn: str) -> dict[str, Any]:
    record = find_execution(call, PipelineExecutionArn).read()
    stored = call.records(DEFINITION).get(record["Private"]["Definition"])
    assert stored is not None
    return stored | {"CreationTime": record["CreationTime"]}


@operation("sagemaker", "ListPipelineParametersForExecution")
def list_pipeline_parameters_for_execution(call: Call, **request: Any) -> dict[str, Any]:
    parameters = find_execution(call, request["PipelineExecutionArn"]).read()["Private"]["Parameters"]
    shown = [{"Name": name, "Value": as_text(value)} for name, value in parameters.items()]
    return paged("PipelineParameters", shown, request)
