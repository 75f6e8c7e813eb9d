"""A sandbox that is killed in the middle of a stack operation finishes it: nothing lost, nothing doubled."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.cloudformation.stacks import Stacks, new_name
from tests.sandbox_process import SandboxProcess

COUNT = 12


def _chain(text: str) -> dict[str, Any]:
    """Resources of several services, most of them one after the other."""
    resources: dict[str, Any] = {}
    for index in range(COUNT):
        name = f"R{index}"
        if index % 3 == 0:
            resources[name] = {
                "Type": "AWS::Events::Rule",
                "Properties": {"ScheduleExpression": "rate(1 day)", "State": "DISABLED", "Description": text},
            }
        elif index % 3 == 1:
            resources[name] = {"Type": "AWS::CloudWatch::Alarm", "Properties": _alarm(text)}
        else:
            resources[name] = {
                "Type": "AWS::CodeCommit::Repository",
                "Properties": {
                    "RepositoryName": {"Fn::Sub": f"${{AWS::StackName}}-{name}"},
                    "RepositoryDescription": text,
                },
            }
        if index and index != 5:
            resources[name]["DependsOn"] = f"R{index - 1}"
    return {"Resources": resources}


def _alarm(text: str) -> dict[str, Any]:
    return {
        "AlarmDescription": text,
        "Namespace": "Test",
        "MetricName": "M",
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanThreshold",
    }


def _found(sandbox: SandboxProcess) -> list[tuple[str, str]]:
    """(name, description) of everything there is."""
    rules = sandbox.client("events").list_rules()["Rules"]
    alarms = sandbox.client("cloudwatch").describe_alarms()["MetricAlarms"]
    codecommit = sandbox.client("codecommit")
    names = [item["repositoryName"] for item in codecommit.list_repositories()["repositories"]]
    repositories = codecommit.batch_get_repositories(repositoryNames=names)["repositories"] if names else []
    return sorted(
        [(item["Name"], item["Description"]) for item in rules]
        + [(item["AlarmName"], item["AlarmDescription"]) for item in alarms]
        + [(item["repositoryName"], item["repositoryDescription"]) for item in repositories]
    )


@pytest.mark.parametrize("delay", [0.03, 0.12])
def test_killed_while_creating_and_updating(tmp_path: Path, delay: float) -> None:
    sandbox = SandboxProcess(tmp_path)
    try:
        name = new_name()
        _found(sandbox)  # what loads lazily is loaded: the kill falls into the operation
        client = sandbox.client("cloudformation")
        client.create_stack(StackName=name, TemplateBody=json.dumps(_chain("one")))
        time.sleep(delay)  # the moment of the kill is what is varied here
        sandbox.kill()
        sandbox.start_again()
        stacks = Stacks(sandbox.client("cloudformation"))
        assert stacks.rest(name)["StackStatus"] == "CREATE_COMPLETE", stacks.reasons(name)
        _found(sandbox)
        stacks.client.update_stack(StackName=name, TemplateBody=json.dumps(_chain("two")))
        time.sleep(delay)
        sandbox.kill()
        sandbox.start_again()
        stacks = Stacks(sandbox.client("cloudformation"))
        assert stacks.rest(name)["StackStatus"] == "UPDATE_COMPLETE", stacks.reasons(name)
        found = _found(sandbox)
        assert len(found) == COUNT
        assert {description for _, description in found} == {"two"}
        completed = Counter(item for item in stacks.events(name) if item[1] == "CREATE_COMPLETE")
        assert set(completed.values()) == {1}
        assert stacks.delete(name)["StackStatus"] == "DELETE_COMPLETE"
        assert _found(sandbox) == []
    finally:
        sandbox.stop()
