"""The state change events of registry, jobs and pipelines, in EventBridge's form."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import sandbox.services.sagemaker  # noqa: F401  registers operations
from sandbox.engine import tasks
from sandbox.engine.engine import Engine, Settings
from sandbox.engine.events import LISTENERS, listener
from sandbox.engine.operations import OPERATIONS, Call
from sandbox.services.sagemaker import jobs
from tests.sandbox.sagemaker.definitions import fail, pipeline

ACCOUNT, REGION = "123456789012", "us-east-1"
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class Account:
    """An engine, calls to its operations, and the events they publish."""

    def __init__(self, state: Path) -> None:
        self.engine = Engine(Settings(state, clock_rate=1000.0))
        self.events: list[dict[str, Any]] = []
        self.arrived = threading.Condition()
        listener("aws.sagemaker")(self.hear)
        self.engine.start()
        principal: Any = SimpleNamespace(caller_arn=f"arn:aws:iam::{ACCOUNT}:root", id=ACCOUNT)
        self.call = Call(self.engine, "sagemaker", "x", ACCOUNT, REGION, principal, "id", "sagemaker")

    def hear(self, engine: Engine, event: dict[str, Any]) -> None:
        with self.arrived:
            self.events.append(event)
            self.arrived.notify_all()

    def do(self, operation: str, **request: Any) -> dict[str, Any]:
        return OPERATIONS["sagemaker", operation](self.call, **request) or {}

    def wait(self, detail_type: str, count: int) -> list[dict[str, Any]]:
        """The first `count` events of a type, in the order in which they were published."""

        def heard() -> list[dict[str, Any]]:
            return [event for event in self.events if event["detail-type"] == f"SageMaker {detail_type}"]

        with self.arrived:
            assert self.arrived.wait_for(lambda: len(heard()) >= count, timeout=20), self.events
            return heard()


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    before = dict(LISTENERS)
    account = Account(tmp_path)
    yield account
    account.engine.stop()
    LISTENERS.clear()
    LISTENERS.update(before)


def test_registration_and_approval_are_told(account: Account) -> None:
    account.do("CreateModelPackageGroup", ModelPackageGroupName="g")
    arn = account.do("CreateModelPackage", ModelPackageGroupName="g", SourceUri="s3://b/m")["ModelPackageArn"]
    account.wait("Model Package State Change", 1)
    account.do(
        "UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="ok"
    )
    created, approved = account.wait("Model Package State Change", 2)
    assert created["resources"] == approved["resources"] == [arn]
    detail = created["detail"]
    assert (detail["ModelPackageGroupName"], detail["ModelPackageVersion"]) == ("g", 1)
    assert (detail["ModelPackageArn"], detail["ModelApprovalStatus"]) == (arn, "PendingManualApproval")
    assert detail["ModelPackageStatus"] == "Completed" and ISO.fullmatch(detail["CreationTime"])
    assert "UpdatedModelPackageFields" not in detail
    detail = approved["detail"]
    assert detail["ModelApprovalStatus"] == "Approved" and ISO.fullmatch(detail["LastModifiedTime"])
    assert detail["UpdatedModelPackageFields"] == ["ApprovalDescription", "ModelApprovalStatus"]


def test_an_executions_and_its_steps_changes_are_told(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "check_role", lambda *_: None)
    role = f"arn:aws:iam::{ACCOUNT}:role/ml"
    account.do(
        "CreatePipeline",
        PipelineName="p",
        PipelineDefinition=pipeline(fail("Enough", "too high")),
        RoleArn=role,
        ClientRequestToken="t",
    )
    started = account.do("StartPipelineExecution", PipelineName="p", ClientRequestToken="t")
    arn = started["PipelineExecutionArn"]
    executions = account.wait("Model Building Pipeline Execution Status Change", 2)
    by_status = {event["detail"]["currentPipelineExecutionStatus"]: event for event in executions}
    assert set(by_status) == {"Executing", "Failed"}
    failed = by_status["Failed"]
    assert failed["resources"] == [f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:pipeline/p", arn]
    assert failed["detail"]["previousPipelineExecutionStatus"] == "Executing"
    assert failed["detail"]["pipelineExecutionArn"] == arn
    assert ISO.fullmatch(failed["detail"]["executionEndTime"])
    steps = account.wait("Model Building Pipeline Execution Step Status Change", 2)
    step = next(event["detail"] for event in steps if event["detail"]["currentStepStatus"] == "Failed")
    assert (step["stepName"], step["stepType"], step["failureReason"]) == ("Enough", "Fail", "too high")
    assert step["metadata"] == {"fail": {"errorMessage": "too high"}}


@pytest.mark.parametrize("kind", [jobs.PROCESSING, jobs.TRAINING])
def test_a_jobs_changes_are_told_with_times_in_milliseconds(
    account: Account, kind: jobs.JobKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tasks.HANDLERS, kind.task, lambda engine, key, payload: None)
    arn = jobs.create(account.call, kind, {kind.name: "job", "RoleArn": "r"}, None)[kind.arn]
    job = jobs.Job(account.engine, kind, ACCOUNT, REGION, "job")
    job.finish("Failed", {"FailureReason": "AlgorithmError: , exit code: 1"})
    events = account.wait(f"{kind.prefix} Job State Change", 2)
    statuses = {event["detail"][kind.status]: event for event in events}
    assert set(statuses) == {"InProgress", "Failed"}
    detail = statuses["Failed"]["detail"]
    assert statuses["Failed"]["resources"] == [arn] and "Private" not in detail
    assert detail["FailureReason"] == "AlgorithmError: , exit code: 1"
    assert isinstance(detail["CreationTime"], int) and detail["CreationTime"] > 10**12
