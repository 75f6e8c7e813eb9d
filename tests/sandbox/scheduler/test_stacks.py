"""A stack of a machine, its version and alias, and the schedule that starts it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from tests.sandbox.cloudformation.stacks import Stacks, new_name
from tests.sandbox_process import SandboxProcess


def _role(service: str, action: str | None = None, resource: Any = "*") -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    properties: dict[str, Any] = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    if action:
        statement = {"Effect": "Allow", "Action": action, "Resource": resource}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        properties["Policies"] = [{"PolicyName": "p", "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _template(word: str, expression: str) -> dict[str, Any]:
    definition = {
        "StartAt": "Say",
        "States": {"Say": {"Type": "Pass", "Result": {"word": "${Word}"}, "End": True}},
    }
    return {
        "MachineRole": _role("states.amazonaws.com"),
        "StartRole": _role("scheduler.amazonaws.com", "states:StartExecution", {"Ref": "Machine"}),
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": {"Fn::GetAtt": ["MachineRole", "Arn"]},
                "DefinitionString": json.dumps(definition),
                "DefinitionSubstitutions": {"Word": word},
            },
        },
        "Version": {
            "Type": "AWS::StepFunctions::StateMachineVersion",
            "Properties": {
                "StateMachineArn": {"Ref": "Machine"},
                "StateMachineRevisionId": {"Fn::GetAtt": ["Machine", "StateMachineRevisionId"]},
            },
        },
        "Live": {
            "Type": "AWS::StepFunctions::StateMachineAlias",
            "Properties": {
                "Name": "live",
                "RoutingConfiguration": [{"StateMachineVersionArn": {"Ref": "Version"}, "Weight": 100}],
            },
        },
        "Group": {"Type": "AWS::Scheduler::ScheduleGroup", "Properties": {}},
        "Schedule": {
            "Type": "AWS::Scheduler::Schedule",
            "Properties": {
                "GroupName": {"Ref": "Group"},
                "ScheduleExpression": expression,
                "FlexibleTimeWindow": {"Mode": "OFF"},
                "State": "DISABLED",
                "Target": {"Arn": {"Ref": "Live"}, "RoleArn": {"Fn::GetAtt": ["StartRole", "Arn"]}},
            },
        },
        "Worker": {
            "Type": "AWS::StepFunctions::Activity",
            "Properties": {"Name": f"worker-{uuid.uuid4().hex[:8]}"},
        },
    }


def test_machine_version_alias_and_schedule(sandbox: SandboxProcess) -> None:
    stacks, name = Stacks(sandbox.client("cloudformation")), new_name()
    tags = [{"Key": "team", "Value": "ml"}]
    made = stacks.create({"Resources": (resources := _template("one", "rate(1 days)"))}, name, Tags=tags)
    assert made["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
    ids = stacks.physical(name)
    states, scheduler = sandbox.client("stepfunctions"), sandbox.client("scheduler")
    assert ids["Version"] == f"{ids['Machine']}:1"
    assert ids["Live"] == f"{ids['Machine']}:live"
    assert {"key": "team", "value": "ml"} in states.list_tags_for_resource(resourceArn=ids["Machine"])["tags"]
    assert '"one"' in states.describe_state_machine(stateMachineArn=ids["Live"])["definition"]

    resources["Machine"]["Properties"]["DefinitionSubstitutions"]["Word"] = "two"
    resources["Schedule"]["Properties"]["ScheduleExpression"] = "rate(2 days)"
    changed = stacks.update(name, {"Resources": resources})
    assert changed["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)
    ids = stacks.physical(name)
    assert ids["Version"] == f"{ids['Machine']}:2"
    assert '"two"' in states.describe_state_machine(stateMachineArn=ids["Live"])["definition"]
    found = scheduler.get_schedule(Name=ids["Schedule"], GroupName=ids["Group"])
    assert (found["ScheduleExpression"], found["State"]) == ("rate(2 days)", "DISABLED")

    assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"
    listed = [item["name"] for item in states.list_state_machines()["stateMachines"]]
    assert ids["Machine"].rpartition(":")[2] not in listed


def test_a_definition_that_is_refused_fails_its_resource(sandbox: SandboxProcess) -> None:
    stacks, name = Stacks(sandbox.client("cloudformation")), new_name()
    state = {"Type": "Choice", "Choices": [{"Variable": "$", "StringMatches": "a"}], "Default": "End"}
    resources = {
        "Role": _role("states.amazonaws.com"),
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "Definition": {"StartAt": "A", "States": {"A": state, "End": {"Type": "Succeed"}}},
            },
        },
    }
    assert stacks.create({"Resources": resources}, name)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert (
        "Invalid State Machine Definition: 'SCHEMA_VALIDATION_FAILED: These fields are required: [Next] at "
        "/States/A/Choices[0]'" in stacks.reasons(name)["Machine"]
    )
