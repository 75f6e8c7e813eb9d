"""What tasks wait for: nested executions, builds, callbacks, workers."""

from __future__ import annotations

import json
import threading
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.stepfunctions.machines import ACCOUNT, Machines, allow, role

START = "arn:aws:states:::states:startExecution"
PARAMETER = "arn:aws:states:::aws-sdk:ssm:putParameter.waitForTaskToken"
RULES = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]


def _nested(machine: str, pattern: str, **more: Any) -> dict[str, Any]:
    parameters = {"StateMachineArn": machine, "Input": {"n.$": "$.n"}}
    return {"Type": "Task", "Resource": START + pattern, "Parameters": parameters, "End": True, **more}


def test_nested_executions(machines: Machines) -> None:
    inner = machines.make({"Rest": {"Type": "Wait", "Seconds": 30, "End": True}})
    found = machines.output({"Run": _nested(inner, ".sync:2", OutputPath="$.Output")}, {"n": 1})
    assert found == {"n": 1}
    found = machines.output({"Run": _nested(inner, ".sync")}, {"n": 2})
    assert json.loads(found["Output"]) == {"n": 2}
    found = machines.output({"Run": _nested(inner, "")}, {"n": 3})
    assert found["ExecutionArn"].split(":")[6] == inner.split(":")[6]
    assert found["SdkHttpMetadata"]["HttpStatusCode"] == 200


def test_a_nested_execution_that_fails(machines: Machines) -> None:
    inner = machines.make({"Bad": {"Type": "Fail", "Error": "Broken", "Cause": "why"}})
    execution = machines.start(machines.make({"Run": _nested(inner, ".sync:2")}), {"n": 1})
    found = machines.end(execution)
    assert (found["status"], found["error"]) == ("FAILED", "States.TaskFailed")
    assert json.loads(found["cause"])["Error"] == "Broken"
    assert machines.types(execution)[1:-1] == [
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskFailed",
    ]


def test_what_is_waited_for_is_stopped_with_the_execution(machines: Machines) -> None:
    inner = machines.make({"Rest": {"Type": "Wait", "Seconds": 90_000, "End": True}})
    execution = machines.start(machines.make({"Run": _nested(inner, ".sync")}), {"n": 1})

    def listed() -> list[dict[str, Any]]:
        return list(machines.client.list_executions(stateMachineArn=inner)["executions"])

    deadline = time.monotonic() + 20
    while "TaskSubmitted" not in machines.types(execution):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    machines.client.stop_execution(executionArn=execution, error="Enough", cause="of it")
    found = machines.end(execution)
    assert (found["status"], found["error"], found["cause"]) == ("ABORTED", "Enough", "of it")
    assert machines.end(listed()[0]["executionArn"])["status"] == "ABORTED"
    assert machines.types(execution)[-2:] == ["TaskStateAborted", "ExecutionAborted"]


def test_builds(machines: Machines) -> None:
    sandbox = machines.sandbox
    builder = role(sandbox, "codebuild.amazonaws.com", allow("logs:*"))
    name = f"sfn-{uuid.uuid4().hex[:8]}"
    spec = "version: 0.2\nphases:\n  build:\n    commands: ['test $WORD = good']\n"
    sandbox.client("codebuild").create_project(
        name=name,
        source={"type": "NO_SOURCE", "buildspec": spec},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=builder,
    )
    arn = f"arn:aws:codebuild:us-east-1:{ACCOUNT}:project/{name}"
    building = Machines(
        sandbox, allow(["codebuild:StartBuild", "codebuild:BatchGetBuilds"], arn), allow(RULES)
    )
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::codebuild:startBuild.sync",
        "Parameters": {
            "ProjectName": name,
            "EnvironmentVariablesOverride": [{"Name": "WORD", "Value.$": "$.word"}],
        },
        "End": True,
    }
    machine = building.make({"Build": state})
    good = building.end(building.start(machine, {"word": "good"}), 60)
    assert json.loads(good["output"])["Build"]["BuildStatus"] == "SUCCEEDED"


def test_sync_needs_the_permission_for_its_rule(machines: Machines) -> None:
    inner = machines.make({"Say": {"Type": "Succeed"}})
    powerless = Machines(machines.sandbox, allow("states:*"))
    with pytest.raises(ClientError, match="is not authorized to create managed-rule") as refused:
        powerless.make({"Run": _nested(inner, ".sync")})
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def _callback(name: str, **more: Any) -> dict[str, Any]:
    parameters = {"Name": name, "Type": "String", "Value.$": "$$.Task.Token", "Overwrite": True}
    return {"Type": "Task", "Resource": PARAMETER, "Parameters": parameters, "End": True, **more}


def _token(machines: Machines, name: str) -> str:
    ssm = machines.sandbox.client("ssm")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            return str(ssm.get_parameter(Name=name)["Parameter"]["Value"])
        except ssm.exceptions.ParameterNotFound:
            time.sleep(0.02)
    raise AssertionError("no token was sent")


def test_callbacks(machines: Machines) -> None:
    name = f"/token/{uuid.uuid4().hex}"
    execution = machines.start(machines.make({"Ask": _callback(name)}))
    token = _token(machines, name)
    machines.client.send_task_heartbeat(taskToken=token)
    machines.client.send_task_success(taskToken=token, output='{"answer": 42}')
    assert json.loads(machines.end(execution)["output"]) == {"answer": 42}
    with pytest.raises(machines.client.exceptions.TaskTimedOut):
        machines.client.send_task_success(taskToken=token, output="{}")
    with pytest.raises(machines.client.exceptions.InvalidToken):
        machines.client.send_task_failure(taskToken="nobody's")


def test_a_callback_that_fails_or_stays_away(machines: Machines) -> None:
    name = f"/token/{uuid.uuid4().hex}"
    execution = machines.start(machines.make({"Ask": _callback(name)}))
    machines.client.send_task_failure(taskToken=_token(machines, name), error="No", cause="never")
    found = machines.end(execution)
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "No", "never")
    catch = [{"ErrorEquals": ["States.Timeout"], "Next": "Late"}]
    late = {"Late": {"Type": "Pass", "OutputPath": "$.Error", "End": True}}
    asked = _callback(f"{name}x", TimeoutSeconds=2, HeartbeatSeconds=1, Catch=catch)
    assert machines.output({"Ask": asked} | late) == "States.HeartbeatTimeout"


def test_activities(machines: Machines) -> None:
    client = machines.client
    name = f"work-{uuid.uuid4().hex[:8]}"
    activity = client.create_activity(name=name)["activityArn"]
    assert client.create_activity(name=name)["activityArn"] == activity
    found: dict[str, Any] = {}

    def work() -> None:
        while not found.get("taskToken"):
            found.update(client.get_activity_task(activityArn=activity, workerName="worker"))
        client.send_task_success(taskToken=found["taskToken"], output=found["input"])

    worker = threading.Thread(target=work)
    worker.start()
    execution = machines.start(
        machines.make({"Work": {"Type": "Task", "Resource": activity, "End": True}}), {"a": 1}
    )
    assert json.loads(machines.end(execution)["output"]) == {"a": 1}
    worker.join()
    events = machines.history(execution)
    assert [event["type"] for event in events][2:5] == [
        "ActivityScheduled",
        "ActivityStarted",
        "ActivitySucceeded",
    ]
    assert events[3]["activityStartedEventDetails"] == {"workerName": "worker"}
    client.delete_activity(activityArn=activity)
    with pytest.raises(client.exceptions.ActivityDoesNotExist):
        client.describe_activity(activityArn=activity)


def test_events_are_put_with_the_execution_as_resource(machines: Machines) -> None:
    entry = {"Source": "test", "DetailType": "Said", "Detail": {"a.$": "$.a"}}
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::events:putEvents",
        "Parameters": {"Entries": [entry]},
        "ResultSelector": {"failed.$": "$.FailedEntryCount"},
        "End": True,
    }
    assert machines.output({"Say": state}, {"a": 1}) == {"failed": 0}
