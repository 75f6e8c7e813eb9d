"""Executions of CodePipeline's pipelines and of SageMaker's, and what each step does."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from cli.access import Access
from cli.errors import USAGE, CliError, is_absent
from cli.waiting import Waiter
from project.names import Names


class NoExecution(CliError):
    """No execution is the one that is meant."""


RUNNING = ("InProgress", "Stopping", "Executing")


def of_code_pipeline(access: Access, pipeline: str, limit: int = 20) -> list[dict[str, Any]]:
    """Newest executions of a CodePipeline pipeline, newest first."""
    client = access.client("codepipeline")
    try:
        answer = client.list_pipeline_executions(pipelineName=pipeline, maxResults=min(limit, 100))
    except ClientError as error:
        if is_absent(error):
            return []
        raise
    return [_code_summary(pipeline, item) for item in answer["pipelineExecutionSummaries"]]


def _code_summary(pipeline: str, item: dict[str, Any]) -> dict[str, Any]:
    revisions = item.get("sourceRevisions") or [{}]
    trigger = item.get("trigger", {})
    return {
        "Pipeline": pipeline,
        "ExecutionId": item["pipelineExecutionId"],
        "Status": item["status"],
        "Started": item.get("startTime"),
        "Commit": (revisions[0].get("revisionId") or "")[:12] or None,
        "Trigger": trigger.get("triggerType"),
    }


def of_sagemaker(access: Access, pipeline: str, limit: int = 20) -> list[dict[str, Any]]:
    """Newest executions of a SageMaker pipeline, newest first."""
    client = access.client("sagemaker")
    try:
        answer = client.list_pipeline_executions(
            PipelineName=pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=min(limit, 100)
        )
    except ClientError as error:
        if is_absent(error):  # before the first build there is no pipeline
            return []
        raise
    return [
        {
            "Pipeline": pipeline,
            "ExecutionId": item["PipelineExecutionArn"].rpartition("/")[2],
            "Status": item["PipelineExecutionStatus"],
            "Started": item["StartTime"],
            "Name": item.get("PipelineExecutionDisplayName"),
            "ExecutionArn": item["PipelineExecutionArn"],
        }
        for item in answer["PipelineExecutionSummaries"]
    ]


def actions(access: Access, pipeline: str, execution_id: str) -> list[dict[str, Any]]:
    """Actions of one CodePipeline execution, in the order they started."""
    pages = (
        access.client("codepipeline")
        .get_paginator("list_action_executions")
        .paginate(pipelineName=pipeline, filter={"pipelineExecutionId": execution_id})
    )
    found = [item for page in pages for item in page["actionExecutionDetails"]]
    return sorted(found, key=lambda item: item["startTime"])


def action_summary(item: dict[str, Any]) -> dict[str, Any]:
    """A line about an action."""
    result = item.get("output", {}).get("executionResult", {})
    message = result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary")
    return {
        "Stage": item["stageName"],
        "Action": item["actionName"],
        "Status": item["status"],
        "Started": item["startTime"],
        "ExternalId": result.get("externalExecutionId"),
        "Summary": " ".join(message.split()) if message else None,
    }


def steps(access: Access, execution_arn: str) -> list[dict[str, Any]]:
    """Steps of a SageMaker pipeline execution, in the order they started."""
    pages = (
        access.client("sagemaker")
        .get_paginator("list_pipeline_execution_steps")
        .paginate(PipelineExecutionArn=execution_arn, SortOrder="Ascending")
    )
    return [step for page in pages for step in page["PipelineExecutionSteps"]]


def step_summary(step: dict[str, Any]) -> dict[str, Any]:
    """A line about a step."""
    seconds = None
    if "StartTime" in step and "EndTime" in step:
        seconds = round((step["EndTime"] - step["StartTime"]).total_seconds(), 1)
    return {
        "Step": step["StepName"],
        "Status": step["StepStatus"],
        "Seconds": seconds,
        "FromCache": "CacheHitResult" in step,
        "Arn": step_arn(step),
        "FailureReason": step.get("FailureReason"),
    }


def step_arn(step: dict[str, Any]) -> str | None:
    """ARN of what a step made or ran, whatever its kind."""
    for detail in step.get("Metadata", {}).values():
        if isinstance(detail, dict) and detail.get("Arn"):
            return str(detail["Arn"])
    return None


def pick(access: Access, names: Names, wanted: str | None, pipeline: str | None) -> dict[str, Any]:
    """The execution named by its id, ARN, display name or commit, or the newest one (of `pipeline`)."""
    found = [item for item in of_project(access, names) if pipeline is None or item["Pipeline"] == pipeline]
    if wanted:
        texts = ("ExecutionId", "ExecutionArn", "Name", "Commit")
        found = [item for item in found if any(_matches(item.get(key), wanted) for key in texts)]
    if not found:
        raise NoExecution(
            f"there is no execution {wanted or ''} of {pipeline or names.prefix}".replace("  ", " "),
            next_step=f"`mlops pipeline list {names.project}`",
            code=USAGE,
        )
    return found[0]


def await_start(
    access: Access, names: Names, wanted: str, pipeline: str | None, waiter: Waiter
) -> dict[str, Any]:
    """As `pick`, for an execution that a push or an event is about to start."""

    def ask() -> dict[str, Any] | None:
        try:
            return pick(access, names, wanted, pipeline)
        except NoExecution:
            return None

    found = waiter.until(ask, bool, what=f"the start of execution {wanted}")
    assert found is not None
    return found


def _matches(value: str | None, wanted: str) -> bool:
    """Beginnings will do, as with git's commits."""
    return bool(value) and (
        str(value).startswith(wanted) or (len(wanted) >= 12 and wanted.startswith(str(value)))
    )


def of_project(access: Access, names: Names, limit: int = 20) -> list[dict[str, Any]]:
    """Executions of all pipelines of a project, newest first."""
    found = [
        *of_code_pipeline(access, names.model_build, limit),
        *of_code_pipeline(access, names.model_deploy, limit),
        *of_sagemaker(access, names.sagemaker_pipeline, limit),
    ]
    return sorted(found, key=lambda item: item["Started"].timestamp(), reverse=True)
