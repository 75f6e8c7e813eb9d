"""Each type of state, through the API."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.stepfunctions.machines import Machines

END: dict[str, Any] = {"Type": "Pass", "End": True}
GET = "arn:aws:states:::aws-sdk:ssm:getParameter"


def test_data_flows_through_jsonpath_states(machines: Machines) -> None:
    states = {
        "Take": {
            "Type": "Pass",
            "InputPath": "$.order",
            "Parameters": {
                "id.$": "$.id",
                "text.$": "States.Format('{} of {}', $.id, $$.Execution.Name)",
                "fixed": 1,
            },
            "ResultPath": "$.taken.here",
            "Assign": {"number.$": "$.id"},
            "Next": "Choose",
        },
        "Choose": {
            "Type": "Choice",
            "Choices": [
                {
                    "And": [
                        {"Variable": "$.taken.here.id", "NumericGreaterThanEquals": 3},
                        {"Not": {"Variable": "$.none", "IsPresent": True}},
                    ],
                    "Next": "Rest",
                }
            ],
            "Default": "Wrong",
        },
        "Rest": {"Type": "Wait", "SecondsPath": "$.order.pause", "Next": "Last"},
        "Last": {
            "Type": "Pass",
            "Parameters": {"n.$": "$number", "here.$": "$.taken.here"},
            "Next": "Done",
        },
        "Done": {"Type": "Succeed"},
        "Wrong": {"Type": "Fail"},
    }
    name = f"run-{uuid.uuid4().hex[:6]}"
    execution = machines.start(machines.make(states), {"order": {"id": 3, "pause": 20}}, name=name)
    found = machines.end(execution)
    assert found["status"] == "SUCCEEDED", found.get("cause")
    assert json.loads(found["output"]) == {"n": 3, "here": {"id": 3, "text": f"3 of {name}", "fixed": 1}}
    events = machines.history(execution)
    assert [event["id"] for event in events] == list(range(1, len(events) + 1))
    assert [event["previousEventId"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ChoiceStateEntered",
        "ChoiceStateExited",
        "WaitStateEntered",
        "WaitStateExited",
        "PassStateEntered",
        "PassStateExited",
        "SucceedStateEntered",
        "SucceedStateExited",
        "ExecutionSucceeded",
    ]
    assert events[2]["stateExitedEventDetails"]["assignedVariables"] == {"number": "3"}


def test_jsonata_states(machines: Machines) -> None:
    states = {
        "Begin": {
            "Type": "Pass",
            "Assign": {"total": "{% $sum($states.input.items.price) %}", "none": None},
            "Output": {"items": "{% $states.input.items %}"},
            "Next": "Choose",
        },
        "Choose": {
            "Type": "Choice",
            "Choices": [
                {
                    "Condition": "{% $total > 5 %}",
                    "Assign": {"big": True},
                    "Output": "{% $total %}",
                    "Next": "Each",
                }
            ],
            "Default": "Wrong",
        },
        "Each": {
            "Type": "Map",
            "Items": "{% [1..3] %}",
            "ItemSelector": {"n": "{% $states.context.Map.Item.Value * $total %}"},
            "MaxConcurrency": 2,
            "ItemProcessor": {
                "StartAt": "One",
                "States": {
                    "One": {"Type": "Pass", "Output": "{% $states.input.n + ($big ? 1 : 0) %}", "End": True}
                },
            },
            "Output": "{% {'all': $states.result, 'none': $none, 'id': $length($uuid())} %}",
            "End": True,
        },
        "Wrong": {"Type": "Fail", "Error": "{% 'E' & $string($total) %}"},
    }
    items = {"items": [{"price": 4}, {"price": 6}]}
    assert machines.output(states, items, QueryLanguage="JSONata") == {
        "all": [11, 21, 31],
        "none": None,
        "id": 36,
    }
    failed = machines.run(states, {"items": [{"price": 4}]}, QueryLanguage="JSONata")
    assert (failed["status"], failed["error"]) == ("FAILED", "E4")


def test_an_expression_that_fails_can_be_caught(machines: Machines) -> None:
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": GET,
            "Arguments": {"Name": "{% $states.input.missing %}"},
            "Catch": [
                {
                    "ErrorEquals": ["States.QueryEvaluationError"],
                    "Output": "{% $states.errorOutput.Error %}",
                    "Next": "Say",
                }
            ],
            "End": True,
        },
        "Say": END,
    }
    execution = machines.start(machines.make(states, QueryLanguage="JSONata"))
    assert json.loads(machines.end(execution)["output"]) == "States.QueryEvaluationError"
    assert "EvaluationFailed" in machines.types(execution)


def test_a_path_that_leads_nowhere_ends_the_execution(machines: Machines) -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Say"}]
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": GET,
            "Parameters": {"Name.$": "$.x"},
            "Catch": catch,
            "End": True,
        },
        "Say": END,
    }
    found = machines.run(states, {"y": 1})
    assert (found["status"], found["error"]) == ("FAILED", "States.Runtime")
    assert found["cause"] == (
        "An error occurred while executing the state 'Ask' (entered at the event id #2). The JSONPath '$.x' "
        "specified for the field 'Name.$' could not be found in the input '{\"y\":1}'"
    )


def test_retries_then_catch(machines: Machines) -> None:
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": GET,
            "Parameters": {"Name.$": "States.Format('/none/{}', $$.State.RetryCount)"},
            "Retry": [
                {"ErrorEquals": ["Other.Error"], "MaxAttempts": 9},
                {
                    "ErrorEquals": ["Ssm.ParameterNotFoundException"],
                    "IntervalSeconds": 10,
                    "MaxAttempts": 2,
                    "MaxDelaySeconds": 15,
                    "JitterStrategy": "FULL",
                },
            ],
            "Catch": [{"ErrorEquals": ["States.TaskFailed"], "ResultPath": "$.failed", "Next": "Say"}],
            "End": True,
        },
        "Say": END,
    }
    execution = machines.start(machines.make(states), {"a": 1})
    output = json.loads(machines.end(execution)["output"])
    assert output["a"] == 1
    assert output["failed"]["Error"] == "Ssm.ParameterNotFoundException"
    assert "Parameter /none/2 not found. (Service: Ssm, Status Code: 400" in output["failed"]["Cause"]
    assert machines.types(execution).count("TaskScheduled") == 3
    assert machines.types(execution).count("TaskStateEntered") == 1


def test_parallel_branches_join_in_order_and_fail_together(machines: Machines) -> None:
    slow = {"StartAt": "Slow", "States": {"Slow": {"Type": "Wait", "Seconds": 60, "End": True}}}
    quick = {"StartAt": "Quick", "States": {"Quick": {"Type": "Pass", "Result": 2, "End": True}}}
    both = {
        "Type": "Parallel",
        "Branches": [slow, quick],
        "ResultSelector": {"second.$": "$[1]"},
        "End": True,
    }
    assert machines.output({"Both": both}, {"a": 1}) == {"second": 2}
    bad = {"StartAt": "Bad", "States": {"Bad": {"Type": "Fail", "Error": "Broken", "Cause": "why"}}}
    slow["States"]["Slow"]["Seconds"] = 100_000
    execution = machines.start(machines.make({"Both": both | {"Branches": [slow, bad]}}))
    found = machines.end(execution)
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "Broken", "why")
    types = machines.types(execution)
    assert types[-3:] == ["WaitStateAborted", "ParallelStateFailed", "ExecutionFailed"]


def test_sdk_results_are_pascal_case_and_arguments_any_shape(machines: Machines) -> None:
    name = f"/sfn/{uuid.uuid4().hex}"
    put = "arn:aws:states:::aws-sdk:ssm:putParameter"
    states = {
        "Put": {
            "Type": "Task",
            "Resource": put,
            "Parameters": {"Name": name, "Type": "String", "Value.$": "$.value"},
            "Next": "Get",
        },
        "Get": {
            "Type": "Task",
            "Resource": GET,
            "Parameters": {"Name": name},
            "ResultSelector": {"got.$": "$.Parameter.Value", "arn.$": "$.Parameter.Arn"},
            "End": True,
        },
    }
    found = machines.output(states, {"value": {"a": [1]}})
    assert json.loads(found["got"]) == {"a": [1]}
    assert found["arn"].endswith(f":parameter{name}")


def test_no_choice_holds(machines: Machines) -> None:
    rule = {"Variable": "$.a", "StringEquals": "b", "Next": "Say"}
    found = machines.run({"Choose": {"Type": "Choice", "Choices": [rule]}, "Say": END}, {"a": 1})
    assert (found["status"], found["error"]) == ("FAILED", "States.NoChoiceMatched")
    found = machines.run({"Choose": {"Type": "Choice", "Choices": [rule]}, "Say": END}, {})
    assert found["error"] == "States.Runtime"
    assert found["cause"].endswith(
        "Invalid path '$.a': The choice state's condition path references an invalid value."
    )


def test_a_role_may_only_what_it_may(machines: Machines) -> None:
    states = {"List": {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:s3:listBuckets", "End": True}}
    found = machines.run(states)
    assert (found["status"], found["error"]) == ("FAILED", "S3.S3Exception")
    assert "is not authorized to perform: s3:ListAllMyBuckets" in found["cause"]


def test_a_payload_may_not_be_larger_than_256_kib(machines: Machines) -> None:
    states = {"Twice": {"Type": "Pass", "Parameters": {"a.$": "$.text", "b.$": "$.text"}, "End": True}}
    found = machines.run(states, {"text": "x" * 140_000})
    assert (found["status"], found["error"]) == ("FAILED", "States.DataLimitExceeded")


def test_executions_time_out_in_waits(machines: Machines) -> None:
    found = machines.run({"Rest": {"Type": "Wait", "Seconds": 90_000, "End": True}}, TimeoutSeconds=60)
    assert (found["status"], found.get("error")) == ("TIMED_OUT", "States.Timeout")


def test_a_role_that_does_not_trust_is_refused(machines: Machines) -> None:
    with pytest.raises(
        ClientError, match="Neither the global service principal states.amazonaws.com"
    ) as refused:
        machines.client.create_state_machine(
            name="untrusted",
            definition=json.dumps({"StartAt": "A", "States": {"A": END}}),
            roleArn=machines.role + "x",
        )
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
