"""Retries of a step, with the API's answers made up: what AWS does seldom and the sandbox never."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import sandbox.services.sagemaker  # noqa: F401  registers tasks and operations
from sandbox.engine.engine import Engine, Settings
from sandbox.engine.operations import OPERATIONS, Call
from sandbox.services.sagemaker import jobs, resource_tags
from sandbox.services.sagemaker.pipelines import calls
from sandbox.services.sagemaker.pipelines.executions import find_execution
from tests.sandbox.sagemaker.definitions import pipeline, processing

ROLE = "arn:aws:iam::123456789012:role/ml"


class Answers:
    """Stands in for the API under the pipeline's role: what CreateProcessingJob and Describe… answer, in turn."""

    def __init__(self, create: list[Any], describe: list[Any]) -> None:
        self.create_answers, self.describe_answers = create, describe
        self.created: list[str] = []

    def create(self, execution: Any, step_type: str, arguments: dict[str, Any], arn: str) -> str:
        self.created.append(arguments["ProcessingJobName"])
        answer = self.create_answers.pop(0)
        if answer:
            raise calls.CallFailed("CreateProcessingJob", SimpleNamespace(response=answer))
        return arn

    def describe(self, execution: Any, step_type: str, name: str) -> dict[str, Any]:
        reason = self.describe_answers.pop(0)
        if isinstance(reason, dict):
            raise calls.CallFailed("DescribeProcessingJob", SimpleNamespace(response=reason))
        status = {"ProcessingJobStatus": "Failed" if reason else "Completed"}
        return status | ({"FailureReason": reason} if reason else {})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(Settings(tmp_path, clock_rate=1000.0))
    engine.start()
    yield engine
    engine.stop()


def error(code: str, status: int) -> dict[str, Any]:
    return {
        "Error": {"Code": code, "Message": f"{code} happened"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }


def run(
    engine: Engine, answers: Answers, monkeypatch: pytest.MonkeyPatch, policies: list[Any]
) -> dict[str, Any]:
    """Runs a pipeline of one step against `answers`; its step when the execution has ended."""
    monkeypatch.setattr(calls, "create", answers.create)
    monkeypatch.setattr(calls, "describe", answers.describe)
    monkeypatch.setattr(jobs, "check_role", lambda *_: None)
    principal: Any = SimpleNamespace(caller_arn="arn:aws:iam::123456789012:root", id="123456789012")
    call = Call(engine, "sagemaker", "x", "123456789012", "us-east-1", principal, "id", "sagemaker")
    definition = pipeline(processing("Step", ROLE, "true", RetryPolicies=policies))
    OPERATIONS["sagemaker", "CreatePipeline"](
        call, PipelineName="p", PipelineDefinition=definition, RoleArn=ROLE, ClientRequestToken="t"
    )
    started = OPERATIONS["sagemaker", "StartPipelineExecution"](
        call, PipelineName="p", ClientRequestToken="t"
    )
    assert started
    execution = find_execution(call, started["PipelineExecutionArn"])
    end = time.monotonic() + 20
    while execution.read()["PipelineExecutionStatus"] == "Executing" and time.monotonic() < end:
        step = execution.step("Step")
        if step and step["StepStatus"] == "Executing" and step["Private"].get("Created"):
            execution.queue("Step")  # what the job's event does
        time.sleep(0.01)
    step = execution.step("Step")
    assert step
    return step


def test_throttled_calls_are_repeated_under_the_same_name(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Answers([error("ThrottlingException", 400), error("InternalFailure", 500), None], [""])
    step = run(engine, answers, monkeypatch, [])
    assert (step["StepStatus"], step["AttemptCount"]) == ("Succeeded", 3)
    assert len(set(answers.created)) == 1


def test_an_unending_fault_fails_the_step_with_its_cause(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = run(engine, Answers([error("InternalFailure", 500)] * 9, []), monkeypatch, [])
    assert (step["StepStatus"], step["AttemptCount"]) == ("Failed", 3)
    assert "Failed to invoke sagemaker:CreateProcessingJob" in step["FailureReason"]


def test_a_failed_job_is_replaced_by_a_new_one(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    internal = "InternalServerError: We encountered an internal error."
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 2, "IntervalSeconds": 10}
    answers = Answers([None, None, None], [internal, internal, ""])
    step = run(engine, answers, monkeypatch, [policy])
    assert (step["StepStatus"], step["AttemptCount"]) == ("Succeeded", 3)
    assert len(set(answers.created)) == 3


def test_a_job_that_cannot_be_asked_about_for_a_moment_is_asked_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Answers([None], [error("ThrottlingException", 400), ""])
    step = run(engine, answers, monkeypatch, [])
    assert (step["StepStatus"], step["AttemptCount"]) == ("Succeeded", 2)
    assert len(answers.created) == 1


def test_a_role_that_may_not_describe_its_job_is_told_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = run(engine, Answers([None], [error("AccessDeniedException", 400)]), monkeypatch, [])
    assert step["StepStatus"] == "Failed"
    assert "sagemaker:DescribeProcessingJob" in step["FailureReason"]
    assert "AccessDeniedException happened" in step["FailureReason"]


def test_without_a_policy_a_failed_job_fails_the_step(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = Answers([None], ["CapacityError: Unable to provision requested ML compute capacity."])
    step = run(engine, answers, monkeypatch, [])
    assert (step["StepStatus"], step["AttemptCount"]) == ("Failed", 1)
    assert step["FailureReason"].startswith("ClientError: CapacityError")


def test_what_was_made_by_an_unanswered_call_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore.exceptions import ClientError

    def taken(client: Any, operation: str, arguments: dict[str, Any]) -> None:
        raise ClientError(error("ResourceInUse", 400), operation)

    monkeypatch.setattr(calls, "_invoke", taken)
    monkeypatch.setattr(resource_tags, "mark", lambda *_: None)
    execution: Any = SimpleNamespace(
        session=lambda: SimpleNamespace(client=lambda _: None), records=lambda _: None, arn="e"
    )
    assert calls.create(execution, "Processing", {"ProcessingJobName": "p"}, "the-arn") == "the-arn"
