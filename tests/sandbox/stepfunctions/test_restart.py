"""kill -9 while executions run: each goes on where it was."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.scheduler.test_schedules import at
from tests.sandbox.stepfunctions.machines import Machines, allow, role
from tests.sandbox_process import SandboxProcess

RULES = ["events:PutTargets", "events:PutRule", "events:DescribeRule"]
SEED = 20240229
KILLS = 2


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


def _machine(inner: str) -> dict[str, Any]:
    """Every item waits, writes a parameter, and runs another machine to its end."""
    item = {
        "Rest": {"Type": "Wait", "Seconds": 120, "Next": "Write"},
        "Write": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:ssm:putParameter",
            "Parameters": {
                "Name.$": "States.Format('/killed/{}/{}', $$.Execution.Name, $.i)",
                "Value": "1",
                "Type": "String",
                "Overwrite": True,
            },
            "ResultPath": None,
            "Next": "Run",
        },
        "Run": {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {"StateMachineArn": inner, "Input": {"i.$": "$.i"}},
            "OutputPath": "$.Output.i",
            "End": True,
        },
    }
    processor = {"StartAt": "Rest", "States": item}
    selector = {"i.$": "$$.Map.Item.Value"}
    each = {
        "Type": "Map",
        "ItemSelector": selector,
        "MaxConcurrency": 3,
        "ItemProcessor": processor,
        "End": True,
    }
    return {"Each": each}


def test_executions_and_schedules_survive(own: SandboxProcess) -> None:
    chance = random.Random(SEED)
    statements = [allow("ssm:PutParameter"), allow(RULES)]
    statements.append(allow(["states:StartExecution", "states:DescribeExecution", "states:StopExecution"]))
    machines = Machines(own, *statements)
    inner = machines.make({"Rest": {"Type": "Wait", "Seconds": 120, "End": True}})
    outer = machines.make(_machine(inner))
    running = [machines.start(outer, [1, 2, 3, 4, 5], name=f"run-{index}") for index in range(2)]
    starter = role(own, "scheduler.amazonaws.com", allow("states:StartExecution", inner))
    own.client("scheduler").create_schedule(
        Name="once",
        ScheduleExpression=at(600),
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={"Arn": inner, "RoleArn": starter, "Input": '{"scheduled": true}'},
    )
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 0.8))
        own.kill()
        own.start_again()
    machines.client = own.client("stepfunctions")
    for execution in running:
        found = machines.end(execution, 60)
        assert (found["status"], found.get("cause")) == ("SUCCEEDED", None)
        assert json.loads(found["output"]) == [1, 2, 3, 4, 5]
        events = machines.history(execution)
        assert [event["id"] for event in events] == list(range(1, len(events) + 1))
        types = [event["type"] for event in events]
        for kind in ("WaitStateEntered", "WaitStateExited", "MapIterationStarted", "MapIterationSucceeded"):
            assert types.count(kind) == 5, kind
        assert types.count("TaskStateEntered") == types.count("TaskSucceeded") == 10
    started = machines.client.list_executions(stateMachineArn=inner)["executions"]
    assert len(started) == 2 * 5 + 1, "one nested execution an item, and the scheduled one"
