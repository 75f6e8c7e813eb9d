"""Puts the definition into SageMaker, starts one execution of it and follows it to its end."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from pipelines.settings import Settings

PIPELINE_ENDED = {"Succeeded", "Failed", "Stopped"}
SHORTEST_POLL_SECONDS, LONGEST_POLL_SECONDS, POLL_GROWTH = 0.2, 30.0, 1.5
LOG_GROUPS = {"ProcessingJob": "/aws/sagemaker/ProcessingJobs", "TrainingJob": "/aws/sagemaker/TrainingJobs"}


class ExecutionFailed(Exception):
    """The pipeline execution did not succeed; the message says which step and why."""


def put_pipeline(sagemaker: Any, settings: Settings, definition: str) -> str:
    """Create or update the pipeline. Returns its ARN."""
    pipeline = {
        "PipelineName": settings.pipeline_name,
        "PipelineDefinition": definition,
        "PipelineDescription": f"Project {settings.project_name}, as of commit {settings.commit}",
        "RoleArn": settings.role_arn,
    }
    try:
        return sagemaker.update_pipeline(**pipeline)["PipelineArn"]
    except sagemaker.exceptions.ResourceNotFound:
        return sagemaker.create_pipeline(**pipeline, Tags=settings.tags)["PipelineArn"]


def start(sagemaker: Any, settings: Settings) -> str:
    """Start the commit's execution, once. Returns its ARN.

    The token counts the commit's failed executions: a build that is delivered twice or retried while its
    execution runs (or after it succeeded) gets that same execution; after a failure, a retry starts anew.
    """
    listing = sagemaker.list_pipeline_executions(
        PipelineName=settings.pipeline_name, SortBy="CreationTime", SortOrder="Descending", MaxResults=100
    )
    failures = sum(
        summary.get("PipelineExecutionDisplayName") == settings.execution_name
        and summary["PipelineExecutionStatus"] in ("Failed", "Stopped")
        for summary in listing["PipelineExecutionSummaries"]
    )
    return sagemaker.start_pipeline_execution(
        PipelineName=settings.pipeline_name,
        PipelineExecutionDisplayName=settings.execution_name,
        PipelineExecutionDescription=f"commit {settings.commit}",
        ClientRequestToken=settings.request_token(failures),
    )["PipelineExecutionArn"]


def follow(
    sagemaker: Any,
    arn: str,
    show: Callable[[str], None] = print,
    wait: Callable[[float], None] = time.sleep,
) -> list[dict[str, Any]]:
    """Show each step's progress until the execution ends. Returns its steps.

    SageMaker offers nothing but polling to a client: often while things happen, seldom while they do not.

    Raises:
        ExecutionFailed: naming the failed steps and their reasons.
    """
    shown: dict[str, str] = {}
    delay = SHORTEST_POLL_SECONDS
    while True:
        # The execution first: when it has ended, the steps read after it are final.
        execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        steps = list_steps(sagemaker, arn)
        changed = [step for step in steps if shown.get(step["StepName"]) != step["StepStatus"]]
        for step in changed:
            shown[step["StepName"]] = step["StepStatus"]
            show(progress(step))
        status = execution["PipelineExecutionStatus"]
        if status in PIPELINE_ENDED:
            break
        delay = SHORTEST_POLL_SECONDS if changed else min(delay * POLL_GROWTH, LONGEST_POLL_SECONDS)
        wait(delay)
    if status != "Succeeded":
        raise ExecutionFailed(failure(execution, steps))
    return steps


def list_steps(sagemaker: Any, arn: str) -> list[dict[str, Any]]:
    """All steps of the execution, in the order they started."""
    pages = sagemaker.get_paginator("list_pipeline_execution_steps").paginate(
        PipelineExecutionArn=arn, SortOrder="Ascending"
    )
    return [step for page in pages for step in page["PipelineExecutionSteps"]]


def progress(step: dict[str, Any]) -> str:
    """One line about a step."""
    line = f"{step['StepName']}: {step['StepStatus']}"
    if "EndTime" in step and "StartTime" in step:
        line += f" after {(step['EndTime'] - step['StartTime']).total_seconds():.1f} s"
    if "CacheHitResult" in step:
        line += " (unchanged: taken from an earlier execution)"
    outcome = step.get("Metadata", {}).get("Condition", {}).get("Outcome")
    return f"{line}: {outcome}" if outcome else line


def failure(execution: dict[str, Any], steps: list[dict[str, Any]]) -> str:
    """Why the execution did not succeed."""
    status, arn = execution["PipelineExecutionStatus"], execution["PipelineExecutionArn"]
    lines = [f"pipeline execution {status}: {arn}"]
    for step in steps:
        if step["StepStatus"] == "Failed":
            lines.append(f"  step {step['StepName']}: {step.get('FailureReason', 'no reason given')}")
            lines.extend(f"    log group {group}, job {job}" for group, job in logs(step))
    if len(lines) == 1:
        lines.append(f"  {execution.get('FailureReason', 'no step failed')}")
    return "\n".join(lines)


def logs(step: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Log group and ARN of the step's job, where it has one."""
    for kind, group in LOG_GROUPS.items():
        arn = step.get("Metadata", {}).get(kind, {}).get("Arn")
        if arn:
            yield group, arn


def registered(steps: list[dict[str, Any]]) -> str | None:
    """ARN of the model package that the execution registered, or None."""
    arns = (step.get("Metadata", {}).get("RegisterModel", {}).get("Arn") for step in steps)
    return next(filter(None, arns), None)
