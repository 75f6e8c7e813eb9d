"""Machines and executions as records: names, versions, aliases, express executions, listings."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.stepfunctions.machines import Machines, allow, policy

SAY: dict[str, Any] = {"Say": {"Type": "Pass", "End": True}}
LONG: dict[str, Any] = {"Rest": {"Type": "Wait", "Seconds": 90_000, "End": True}}


def test_names_of_executions(machines: Machines) -> None:
    machine = machines.make(LONG)
    first = machines.start(machine, {"a": 1}, name="one")
    assert machines.start(machine, {"a": 1}, name="one") == first
    with pytest.raises(machines.client.exceptions.ExecutionAlreadyExists, match="Execution Already Exists"):
        machines.start(machine, {"a": 2}, name="one")
    machines.client.stop_execution(executionArn=first)
    with pytest.raises(machines.client.exceptions.ExecutionAlreadyExists):
        machines.start(machine, {"a": 1}, name="one")
    uuid.UUID(machines.start(machines.make(SAY)).rpartition(":")[2])
    for name in ("a b", "a/b", "a:b"):
        with pytest.raises(machines.client.exceptions.InvalidName):
            machines.start(machine, name=name)
    with pytest.raises(machines.client.exceptions.InvalidExecutionInput):
        machines.client.start_execution(stateMachineArn=machine, input="{")


def test_executions_are_listed_by_status(machines: Machines) -> None:
    machine = machines.make(LONG)
    names = ["a", "b", "c"]
    arns = [machines.start(machine, name=name) for name in names]
    machines.client.stop_execution(executionArn=arns[1])
    running = machines.client.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=1)
    assert [item["name"] for item in running["executions"]] == ["c"]
    rest = machines.client.list_executions(
        stateMachineArn=machine, statusFilter="RUNNING", maxResults=1, nextToken=running["nextToken"]
    )
    assert [item["name"] for item in rest["executions"]] == ["a"]
    machines.client.delete_state_machine(stateMachineArn=machine)
    assert machines.client.describe_execution(executionArn=arns[0])["status"] == "ABORTED"
    with pytest.raises(machines.client.exceptions.StateMachineDoesNotExist):
        machines.start(machine)


def test_creation_repeated(machines: Machines) -> None:
    definition = json.dumps({"StartAt": "Say", "States": SAY})
    name = f"m-{uuid.uuid4().hex[:8]}"
    request = {"name": name, "definition": definition, "roleArn": machines.role}
    arn = machines.client.create_state_machine(**request)["stateMachineArn"]
    assert machines.client.create_state_machine(**request)["stateMachineArn"] == arn
    with pytest.raises(machines.client.exceptions.StateMachineAlreadyExists):
        machines.client.create_state_machine(**request | {"definition": definition + " "})


def test_versions_and_aliases(machines: Machines) -> None:
    client, machine = machines.client, machines.make(SAY)
    first = client.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    assert client.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"] == first
    changed = json.dumps({"StartAt": "Say", "States": {"Say": {"Type": "Pass", "Result": 2, "End": True}}})
    second = client.update_state_machine(stateMachineArn=machine, definition=changed, publish=True)[
        "stateMachineVersionArn"
    ]
    assert (first, second) == (f"{machine}:1", f"{machine}:2")
    routes = [
        {"stateMachineVersionArn": first, "weight": 0},
        {"stateMachineVersionArn": second, "weight": 100},
    ]
    alias = client.create_state_machine_alias(name="live", routingConfiguration=routes)[
        "stateMachineAliasArn"
    ]
    found = machines.end(machines.start(alias, {"a": 1}))
    assert (found["output"], found["stateMachineVersionArn"], found["stateMachineAliasArn"]) == (
        "2",
        second,
        alias,
    )
    assert machines.end(machines.start(first, {"a": 1}))["output"] == '{"a":1}'
    listed = client.list_executions(stateMachineArn=alias)["executions"]
    assert [item["stateMachineAliasArn"] for item in listed] == [alias]
    with pytest.raises(ClientError, match="must not be referenced by an alias"):
        client.delete_state_machine_version(stateMachineVersionArn=first)
    with pytest.raises(ClientError, match="weights must equal 100"):
        client.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=routes[:1])
    client.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=routes[1:])
    client.delete_state_machine_version(stateMachineVersionArn=first)
    listed = client.list_state_machine_versions(stateMachineArn=machine)["stateMachineVersions"]
    assert [item["stateMachineVersionArn"] for item in listed] == [second]


def test_express_executions_are_waited_for(machines: Machines) -> None:
    double = {"Say": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, $.n)"}, "End": True}}
    machine = machines.make(double, type="EXPRESS")
    found = machines.client.start_sync_execution(stateMachineArn=machine, input='{"n": 2}')
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"n": 4})
    assert found["executionArn"].split(":")[5] == "express"
    with pytest.raises(machines.client.exceptions.StateMachineTypeNotSupported):
        machines.client.start_sync_execution(stateMachineArn=machines.make(SAY))
    with pytest.raises(machines.client.exceptions.StateMachineTypeNotSupported):
        machines.client.list_executions(stateMachineArn=machine)
    with pytest.raises(machines.client.exceptions.InvalidArn):
        machines.client.describe_execution(executionArn=found["executionArn"])


def test_tags_and_policies_on_them(machines: Machines) -> None:
    machine = machines.make(SAY)
    machines.client.tag_resource(resourceArn=machine, tags=[{"key": "team", "value": "a"}])
    sandbox, name = machines.sandbox, f"u-{uuid.uuid4().hex[:8]}"
    iam = sandbox.client("iam")
    iam.create_user(UserName=name)
    condition = {"StringEquals": {"aws:ResourceTag/team": "a", "states:StateMachineQualifier": "live"}}
    statement = allow("states:StartExecution", machine, Condition=condition)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy(statement))
    keys = iam.create_access_key(UserName=name)["AccessKey"]
    import boto3

    client = boto3.client(
        "stepfunctions",
        region_name="us-east-1",
        endpoint_url=sandbox.url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
    )
    with pytest.raises(ClientError, match="is not authorized to perform: states:StartExecution"):
        client.start_execution(stateMachineArn=machine)
    version = machines.client.publish_state_machine_version(stateMachineArn=machine)["stateMachineVersionArn"]
    routes = [{"stateMachineVersionArn": version, "weight": 100}]
    machines.client.create_state_machine_alias(name="live", routingConfiguration=routes)
    client.start_execution(stateMachineArn=f"{machine}:live")


def test_history_in_reverse_and_without_data(machines: Machines) -> None:
    execution = machines.start(machines.make(SAY), {"a": 1})
    machines.end(execution)
    found = machines.client.get_execution_history(
        executionArn=execution, reverseOrder=True, maxResults=2, includeExecutionData=False
    )
    assert [event["type"] for event in found["events"]] == ["ExecutionSucceeded", "PassStateExited"]
    assert found["events"][1]["stateExitedEventDetails"] == {"name": "Say"}
    rest = machines.client.get_execution_history(
        executionArn=execution, reverseOrder=True, nextToken=found["nextToken"]
    )
    assert [event["id"] for event in rest["events"]] == [2, 1]


def test_history_goes_to_the_log_group(machines: Machines) -> None:
    sandbox, group = machines.sandbox, f"/states/{uuid.uuid4().hex[:8]}"
    logs = sandbox.client("logs")
    logs.create_log_group(logGroupName=group)
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"
    configuration = {
        "level": "ALL",
        "includeExecutionData": True,
        "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": arn}}],
    }
    request = {
        "name": f"m-{uuid.uuid4().hex[:8]}",
        "definition": json.dumps({"StartAt": "Say", "States": SAY}),
        "loggingConfiguration": configuration,
        "type": "EXPRESS",
    }
    with pytest.raises(ClientError, match="not authorized to access the Log Destination"):
        machines.client.create_state_machine(**request, roleArn=machines.role)
    logging = Machines(sandbox, allow("logs:*"))
    machine = logging.client.create_state_machine(**request, roleArn=logging.role)["stateMachineArn"]
    found = logging.client.start_sync_execution(stateMachineArn=machine, input='{"a": 1}')
    import time

    deadline = time.monotonic() + 20
    lines: list[dict[str, Any]] = []
    while len(lines) < 4 and time.monotonic() < deadline:
        events = logs.filter_log_events(logGroupName=group)["events"]
        lines = [json.loads(event["message"]) for event in events]
        time.sleep(0.05)
    assert [line["type"] for line in lines] == [
        "ExecutionStarted",
        "PassStateEntered",
        "PassStateExited",
        "ExecutionSucceeded",
    ]
    assert {line["execution_arn"] for line in lines} == {found["executionArn"]}
    assert lines[1]["details"]["input"] == '{"a":1}'


def test_a_redrive_goes_on_from_what_failed(machines: Machines) -> None:
    name = f"/redrive/{uuid.uuid4().hex}"
    get = "arn:aws:states:::aws-sdk:ssm:getParameter"
    ask = {"Type": "Task", "Resource": get, "Parameters": {"Name": name}, "OutputPath": "$.Parameter.Value"}
    branches = [
        {"StartAt": "Count", "States": {"Count": {"Type": "Pass", "Result": 1, "End": True}}},
        {"StartAt": "Ask", "States": {"Ask": ask | {"End": True}}},
    ]
    states = {
        "Begin": {"Type": "Pass", "Next": "Both"},
        "Both": {"Type": "Parallel", "Branches": branches, "End": True},
    }
    execution = machines.start(machines.make(states))
    failed = machines.end(execution)
    assert (failed["status"], failed["redriveStatus"]) == ("FAILED", "REDRIVABLE")
    machines.sandbox.client("ssm").put_parameter(Name=name, Value="there", Type="String")
    machines.client.redrive_execution(executionArn=execution)
    found = machines.end(execution)
    assert (found["status"], json.loads(found["output"]), found["redriveCount"]) == (
        "SUCCEEDED",
        [1, "there"],
        1,
    )
    types = machines.types(execution)
    assert types.count("PassStateEntered") == 2
    assert types.count("TaskStateEntered") == 1
    assert types.count("TaskScheduled") == 2
    assert "ExecutionRedriven" in types
    with pytest.raises(machines.client.exceptions.ExecutionNotRedrivable):
        machines.client.redrive_execution(executionArn=execution)


def test_states_are_tested_alone(machines: Machines) -> None:
    def test(state: dict[str, Any], value: Any = None, **more: Any) -> dict[str, Any]:
        return dict(
            machines.client.test_state(definition=json.dumps(state), input=json.dumps(value or {}), **more)
        )

    found = test(
        {"Type": "Pass", "Parameters": {"b.$": "$.a"}, "Next": "On"}, {"a": 1}, inspectionLevel="DEBUG"
    )
    assert (found["status"], found["output"], found["nextState"]) == ("SUCCEEDED", '{"b":1}', "On")
    assert found["inspectionData"]["afterParameters"] == '{"b":1}'
    choice = {"Type": "Choice", "QueryLanguage": "JSONata", "Default": "No"}
    rule = {"Condition": "{% $states.input.n > $limit %}", "Next": "Yes"}
    assert test(choice | {"Choices": [rule]}, {"n": 3}, variables='{"limit": 2}')["nextState"] == "Yes"
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:ssm:getParameter",
        "Parameters": {"Name": "/none"},
        "Retry": [{"ErrorEquals": ["Ssm.Other"]}],
        "Catch": [{"ErrorEquals": ["Ssm.ParameterNotFoundException"], "ResultPath": "$.e", "Next": "Caught"}],
        "End": True,
    }
    found = test(task, {"a": 1}, roleArn=machines.role)
    assert (found["status"], found["nextState"], json.loads(found["output"])["a"]) == (
        "CAUGHT_ERROR",
        "Caught",
        1,
    )
    assert test(task, mock={"errorOutput": {"error": "Ssm.Other", "cause": "c"}})["status"] == "RETRIABLE"
    assert test(task, mock={"result": '{"Parameter": {}}'})["output"] == '{"Parameter":{}}'
    assert test({"Type": "Fail", "Error": "E"})["error"] == "E"
    with pytest.raises(machines.client.exceptions.InvalidDefinition):
        test({"Type": "Pass"})
