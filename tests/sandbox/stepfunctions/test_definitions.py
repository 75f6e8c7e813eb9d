"""Definitions that are accepted, and those that are refused in AWS's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.services.stepfunctions.definition.validate import diagnose
from tests.sandbox.stepfunctions.machines import Machines

END: dict[str, Any] = {"Type": "Pass", "End": True}
SDK = "arn:aws:states:::aws-sdk:"


def problems(states: dict[str, Any], type: str = "STANDARD", **body: Any) -> list[str]:
    text = json.dumps({"StartAt": next(iter(states)), "States": states} | body)
    return [item.text() for item in diagnose(text, type)]


def task(resource: str, **more: Any) -> dict[str, Any]:
    return {"A": {"Type": "Task", "Resource": resource, "End": True, **more}}


def test_graphs() -> None:
    assert problems({"A": {"Type": "Pass", "Next": "B"}, "B": END}) == []
    assert problems({"A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "A"}}) == [
        "MISSING_END_STATE: Workflow has no terminal state at null"
    ]
    assert problems({"A": {"Type": "Pass", "Next": "pass3"}, "B": END}) == [
        "MISSING_TRANSITION_TARGET: Missing 'Next' target: pass3 at /States/A/Next",
        'MISSING_TRANSITION_TARGET: State "B" is not reachable. at /States/B',
    ]
    assert problems({"A": END}, StartAt="B")[0] == (
        "MISSING_TRANSITION_TARGET: Missing 'Next' target: B at /StartAt"
    )
    inner = {"Type": "Map", "ItemProcessor": {"StartAt": "A", "States": {"A": END}}, "End": True}
    assert problems({"M": {"Type": "Pass", "Next": "A"}, "A": inner}) == [
        "DUPLICATE_STATE_NAME: Duplicate State name: A at /States/A/ItemProcessor/States/A"
    ]


@pytest.mark.parametrize("kind", ["Pass", "Wait", "Choice", "Succeed", "Fail", "Map", "Parallel"])
def test_fields_that_a_type_has_not(kind: str) -> None:
    found = problems({"A": {"Type": kind, "TimeoutSeconds": 1}})
    assert "SCHEMA_VALIDATION_FAILED: Field 'TimeoutSeconds' is not supported at /States/A" in found


@pytest.mark.parametrize(
    ("states", "language", "expected"),
    [
        (
            {"A": END | {"Output": 1}},
            "JSONPath",
            "SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONPath', but field 'Output' is only "
            "supported for the 'JSONata' QueryLanguage at /States/A",
        ),
        (
            {"A": END | {"QueryLanguage": "JSONPath"}},
            "JSONata",
            "SCHEMA_VALIDATION_FAILED: 'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state "
            "machine at /States/A",
        ),
        (
            {"A": END | {"Output": {"v": "{% phone %}"}}},
            "JSONata",
            "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not supported. at "
            "/States/A/Output/v",
        ),
        (
            {"A": END | {"Output": "{% 1 + %}"}},
            "JSONata",
            "INVALID_JSONATA_EXPRESSION: Unexpected end of expression at /States/A/Output",
        ),
        (
            {"A": END | {"Parameters": {"x.$": "a.b"}}},
            "JSONPath",
            "SCHEMA_VALIDATION_FAILED: The value for the field 'x.$' must be a valid JSONPath or a valid "
            "intrinsic function call at /States/A/Parameters/x.$",
        ),
        (
            {"A": END | {"ResultPath": "$..a"}},
            "JSONPath",
            "SCHEMA_VALIDATION_FAILED: Value is not a Reference Path at /States/A/ResultPath",
        ),
        (
            {"A": {"Type": "Wait", "Seconds": 1, "SecondsPath": "$.a", "End": True}},
            "JSONPath",
            "SCHEMA_VALIDATION_FAILED: There should only be one of the following fields: [Seconds, SecondsPath] "
            "at /States/A",
        ),
        (
            {"A": END | {"Assign": {"states": 1}}},
            "JSONPath",
            "SCHEMA_VALIDATION_FAILED: The variable name 'states' is reserved at /States/A/Assign/states",
        ),
    ],
)
def test_query_languages(states: dict[str, Any], language: str, expected: str) -> None:
    assert problems(states, QueryLanguage=language) == [expected]


@pytest.mark.parametrize(
    ("resource", "more", "expected"),
    [
        ("somewhere", {}, "Value is not a valid resource ARN"),
        (f"{SDK}s3:getObjekt", {}, "is not recognized"),
        (f"{SDK}sagemaker:createModel.sync", {}, "is not recognized"),
        (f"{SDK}ssm:getParameter", {"Parameters": {"Nam": "a"}}, 'The field "Nam" is not supported'),
        ("arn:aws:states:::glue:startJobRun.sync", {}, "is not implemented in the sandbox"),
        (
            "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            {"Parameters": {"QueueUrl": "a"}},
            "$$.Task.Token",
        ),
        (
            f"{SDK}ssm:getParameter",
            {"Retry": [{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["A"]}]},
            "States.ALL",
        ),
        (f"{SDK}ssm:getParameter", {"Catch": [{"ErrorEquals": ["A"]}]}, "These fields are required: [Next]"),
        (f"{SDK}ssm:getParameter", {"TimeoutSeconds": 0}, "Minimum value is 1"),
    ],
)
def test_tasks(resource: str, more: dict[str, Any], expected: str) -> None:
    [found] = problems(task(resource, **more))
    assert expected in found


def test_accepted() -> None:
    assert problems(task("arn:aws:lambda:us-east-1:123456789012:function:f:live")) == []
    assert (
        problems(task(f"{SDK}personalize:createSolution", Parameters={"Name": "a", "DatasetGroupArn": "b"}))
        == []
    )
    assert problems(task(f"{SDK}sfn:startSyncExecution", Parameters={"StateMachineArn.$": "$.a"})) == []
    assert (
        problems(
            task("arn:aws:states:::sagemaker:createTrainingJob.sync", Parameters={"TrainingJobName": "a"})
        )
        == []
    )


def test_express_machines_do_not_wait() -> None:
    text = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    parameters = {"QueueUrl": "q", "MessageBody.$": "$$.Task.Token"}
    [found] = problems(task(text, Parameters=parameters), "EXPRESS")
    assert "Express state machine does not support 'waitForTaskToken' service integration" in found


def test_diagnostics_through_the_api(machines: Machines) -> None:
    bad = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "N"}}})
    found = machines.client.validate_state_machine_definition(definition=bad, maxResults=1)
    assert (found["result"], found["truncated"]) == ("FAIL", True)
    assert found["diagnostics"] == [
        {
            "severity": "ERROR",
            "code": "MISSING_TRANSITION_TARGET",
            "message": "Missing 'Next' target: N",
            "location": "/States/A/Next",
        }
    ]
    with pytest.raises(
        machines.client.exceptions.InvalidDefinition, match="Invalid State Machine Definition: '"
    ):
        machines.client.create_state_machine(name="bad", definition=bad, roleArn=machines.role)
    good = json.dumps({"StartAt": "A", "States": {"A": END}})
    assert machines.client.validate_state_machine_definition(definition=good)["result"] == "OK"
