"""Pipelines: CreatePipeline and its kin. Executions are in executions.py."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from sandbox.engine.operations import AwsError, operation
from sandbox.services.sagemaker import jobs, resource_tags
from sandbox.services.sagemaker.listing import keep, paged, sort, within
from sandbox.services.sagemaker.pipelines.definition import DefinitionError
from sandbox.services.sagemaker.pipelines.execution import CACHE, DEFINITION, ENDED, EXECUTION, PIPELINE, STEP
from sandbox.services.sagemaker.pipelines.validation import validate
from sandbox.services.sagemaker.refusals import refuse
from sandbox.services.sagemaker.users import user_context

if TYPE_CHECKING:
    from sandbox.engine.operations import Call
    from sandbox.engine.store import Record

MAX_DEFINITION = 1048576
_SETTINGS = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")


def pipeline_arn(call: Call, name: str) -> str:
    return call.arn(f"pipeline/{name}")


def find_pipeline(call: Call, name_or_arn: str) -> Record:
    """The record of a pipeline by name or ARN. AwsError where it does not exist."""
    name = name_or_arn.removeprefix(pipeline_arn(call, ""))
    record = call.records(PIPELINE).get(name)
    if record is None:
        arn = name_or_arn if name_or_arn.startswith("arn:") else pipeline_arn(call, name)
        raise AwsError("ResourceNotFound", f"Pipeline '{arn}' does not exist.")
    return record


@operation("sagemaker", "CreatePipeline")
def create_pipeline(call: Call, **request: Any) -> dict[str, Any]:
    refuse("CreatePipeline", request, ("PipelineVersionAliases",))
    name = request["PipelineName"]
    definition = _definition(call, request)
    jobs.check_role(call, request["RoleArn"], "pipeline")
    now, arn = call.engine.clock.now(), pipeline_arn(call, name)
    record = keep(request, *_SETTINGS) | {
        "PipelineName": name,
        "PipelineDisplayName": request.get("PipelineDisplayName") or name,
        "PipelineArn": arn,
        "PipelineStatus": "Active",
        "CreationTime": now,
        "LastModifiedTime": now,
        "CreatedBy": user_context(call),
        "LastModifiedBy": user_context(call),
        "Private": {"Token": request["ClientRequestToken"]},
    }
    with call.engine.store.transaction():
        existing = call.records(PIPELINE).get(name)
        if existing and existing["Private"].get("Token") == request["ClientRequestToken"]:
            return {"PipelineArn": arn}
        if existing:
            raise AwsError(
                "ValidationException",
                "Pipeline names must be unique within an AWS account and region. "
                f"Pipeline with name ({name}) already exists.",
            )
        _store(call, record, definition)
        resource_tags.attach(call, arn, request.get("Tags"))
    return {"PipelineArn": arn}


@operation("sagemaker", "UpdatePipeline")
def update_pipeline(call: Call, **request: Any) -> dict[str, Any]:
    refuse("UpdatePipeline", request, ("PipelineVersionAliases",))
    find_pipeline(call, request["PipelineName"])
    given = request.get("PipelineDefinition") or request.get("PipelineDefinitionS3Location")
    definition = _definition(call, request) if given else None
    if request.get("RoleArn"):
        jobs.check_role(call, request["RoleArn"], "pipeline")
    with call.engine.store.transaction():
        record = find_pipeline(call, request["PipelineName"]) | keep(request, *_SETTINGS)
        record |= {"LastModifiedTime": call.engine.clock.now(), "LastModifiedBy": user_context(call)}
        _store(call, record, definition)
    return {"PipelineArn": record["PipelineArn"]}


def _store(call: Call, record: Record, definition: str | None) -> None:
    if definition is not None:
        digest = hashlib.sha256(definition.encode()).hexdigest()
        call.records(DEFINITION).put(digest, {"PipelineDefinition": definition})
        record["Private"] = record["Private"] | {"Definition": digest}
    call.records(PIPELINE).put(record["PipelineName"], record)


def _definition(call: Call, request: Record) -> str:
    """The text of a request's definition, found to be valid."""
    text, location = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
    if bool(text) == bool(location):
        raise AwsError(
            "ValidationException",
            "Exactly one of PipelineDefinition and PipelineDefinitionS3Location must be provided.",
        )
    if location:
        text = _fetch(call, location)
    assert text is not None
    try:
        validate(text)
    except DefinitionError as error:
        raise AwsError("ValidationException", f"Unable to parse pipeline definition. {error}") from None
    return text


def _fetch(call: Call, location: Record) -> str:
    from botocore.exceptions import ClientError

    arguments = {"Bucket": location["Bucket"], "Key": location["ObjectKey"]} | keep(location, "VersionId")
    where = f"s3://{location['Bucket']}/{location['ObjectKey']}"
    try:
        body: bytes = call.session(jobs.SERVICE).client("s3").get_object(**arguments)["Body"].read()
        text = body.decode()
    except ClientError as error:
        raise AwsError(
            "ValidationException", f"Unable to read the pipeline definition at {where}: {error}"
        ) from None
    except UnicodeDecodeError:
        raise AwsError(
            "ValidationException", f"The pipeline definition at {where} is not UTF-8 text."
        ) from None
    if len(text) > MAX_DEFINITION:
        raise AwsError(
            "ValidationException", f"The pipeline definition at {where} is over {MAX_DEFINITION} bytes."
        )
    return text


@operation("sagemaker", "DescribePipeline")
def describe_pipeline(call: Call, **request: Any) -> dict[str, Any]:
    refuse("DescribePipeline", request, ("PipelineVersionId", "PipelineVersionAlias"))
    record = find_pipeline(call, request["PipelineName"])
    stored = call.records(DEFINITION).get(record.pop("Private")["Definition"])
    assert stored is not None
    return record | stored


@operation("sagemaker", "DeletePipeline")
def delete_pipeline(call: Call, PipelineName: str, ClientRequestToken: str) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = find_pipeline(call, PipelineName)
        prefix = f"{record['PipelineName']}/"
        for execution in call.records(EXECUTION).list(prefix):
            if execution["PipelineExecutionStatus"] not in ENDED:
                raise AwsError(
                    "ConflictException",
                    f"Pipeline '{record['PipelineArn']}' cannot be deleted while its execution "
                    f"'{execution['PipelineExecutionArn']}' is running. Stop it first.",
                )
        for kind in (EXECUTION, STEP, CACHE):
            records = call.records(kind)
            for key in records.keys(prefix):
                records.delete(key)
        call.records(PIPELINE).delete(record["PipelineName"])
        resource_tags.detach(call, record["PipelineArn"])
    return {"PipelineArn": record["PipelineArn"]}


@operation("sagemaker", "ListPipelines")
def list_pipelines(call: Call, **request: Any) -> dict[str, Any]:
    refuse("ListPipelines", request, ("ManagedBy",))
    pipelines = [
        record
        for record in call.records(PIPELINE).list(request.get("PipelineNamePrefix") or "")
        if within(record["CreationTime"], request.get("CreatedAfter"), request.get("CreatedBefore"))
    ]
    member = "PipelineName" if request.get("SortBy") == "Name" else "CreationTime"
    pipelines = sort(pipelines, lambda record: record[member], request.get("SortOrder"), "Descending")
    summaries = [
        keep(
            record,
            "PipelineArn",
            "PipelineName",
            "PipelineDisplayName",
            "PipelineDescription",
            "RoleArn",
            "CreationTime",
            "LastModifiedTime",
        )
        | ({"LastExecutionTime": record["LastRunTime"]} if "LastRunTime" in record else {})
        for record in pipelines
    ]
    return paged("PipelineSummaries", summaries, request)
