"""Distributed Map: items from S3, executions of their own, results in S3."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.stepfunctions.machines import Machines, allow
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def bucket(sandbox: SandboxProcess) -> Iterator[str]:
    name = f"maps-{uuid.uuid4().hex[:10]}"
    s3 = sandbox.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="in/a.csv", Body=b"name,n\nx,1\ny,2\nz,3\n")
    s3.put_object(Bucket=name, Key="in/b.json", Body=b'{"data": {"items": [1, 2, 3, 4]}}')
    yield name


@pytest.fixture(scope="module")
def maps(sandbox: SandboxProcess, bucket: str) -> Machines:
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    return Machines(
        sandbox,
        allow(["s3:GetObject", "s3:ListBucket", "s3:PutObject"], resources),
        allow("states:StartExecution"),
    )


def _map(inner: dict[str, Any], **more: Any) -> dict[str, Any]:
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    processor = {"ProcessorConfig": config, "StartAt": "One", "States": {"One": inner | {"End": True}}}
    return {"Each": {"Type": "Map", "Label": "each", "ItemProcessor": processor, "End": True, **more}}


def test_rows_of_a_file_in_batches(maps: Machines, bucket: str) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
        "Parameters": {"Bucket": bucket, "Key.$": "$.key"},
    }
    states = _map(
        {"Type": "Pass", "OutputPath": "$.Items[*].v"},
        ItemReader=reader,
        ItemSelector={"v.$": "$$.Map.Item.Value.name", "i.$": "$$.Map.Item.Index"},
        ItemBatcher={"MaxItemsPerBatch": 2},
        MaxConcurrency=1,
    )
    execution = maps.start(maps.make(states), {"key": "in/a.csv"})
    assert json.loads(maps.end(execution)["output"]) == [["x", "y"], ["z"]]
    assert maps.types(execution)[2:6] == [
        "MapStateStarted",
        "MapRunStarted",
        "MapRunSucceeded",
        "MapStateSucceeded",
    ]
    [listed] = maps.client.list_map_runs(executionArn=execution)["mapRuns"]
    found = maps.client.describe_map_run(mapRunArn=listed["mapRunArn"])
    assert (found["status"], found["executionCounts"]["succeeded"], found["itemCounts"]["succeeded"]) == (
        "SUCCEEDED",
        2,
        3,
    )
    children = maps.client.list_executions(mapRunArn=listed["mapRunArn"])["executions"]
    assert sorted(item["itemCount"] for item in children) == [1, 2]
    described = maps.client.describe_execution(executionArn=children[0]["executionArn"])
    assert described["mapRunArn"] == listed["mapRunArn"]


def test_failures_are_tolerated_up_to_a_limit_and_results_written(maps: Machines, bucket: str) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "JSON", "ItemsPointer": "/data/items"},
        "Parameters": {"Bucket": bucket, "Key": "in/b.json"},
    }
    inner = {
        "Type": "Choice",
        "Choices": [{"Variable": "$", "NumericEquals": 2, "Next": "Bad"}],
        "Default": "Good",
    }
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Parameters": {"Bucket": bucket, "Prefix": "out"},
    }
    states = _map(inner, ItemReader=reader, ResultWriter=writer, ToleratedFailurePercentage=25)
    processor = states["Each"]["ItemProcessor"]
    processor["States"]["One"].pop("End")
    processor["States"] |= {"Bad": {"Type": "Fail", "Error": "Two"}, "Good": {"Type": "Succeed"}}
    result = maps.output(states)
    s3 = maps.sandbox.client("s3")
    manifest = json.loads(s3.get_object(**result["ResultWriterDetails"])["Body"].read())
    files = {name: items[0]["Key"] for name, items in manifest["ResultFiles"].items() if items}
    failed = json.loads(s3.get_object(Bucket=bucket, Key=files["FAILED"])["Body"].read())
    assert [(item["Input"], item["Error"]) for item in failed] == [("2", "Two")]
    done = json.loads(s3.get_object(Bucket=bucket, Key=files["SUCCEEDED"])["Body"].read())
    assert [item["Output"] for item in done] == ["1", "3", "4"]

    states["Each"]["ToleratedFailurePercentage"] = 20
    found = maps.run(states)
    assert (found["status"], found["error"]) == ("FAILED", "States.ExceedToleratedFailureThreshold")


def test_objects_are_listed(maps: Machines, bucket: str) -> None:
    reader = {
        "Resource": "arn:aws:states:::s3:listObjectsV2",
        "Arguments": {"Bucket": bucket, "Prefix": "{% $states.input.prefix %}"},
    }
    inner = {"Type": "Pass", "Output": "{% $states.input.Key %}"}
    states = _map(inner, ItemReader=reader)
    assert maps.output(states, {"prefix": "in/"}, QueryLanguage="JSONata") == ["in/a.csv", "in/b.json"]


def test_executions_of_a_map_run_end_with_it(maps: Machines) -> None:
    execution = maps.start(maps.make(_map({"Type": "Wait", "Seconds": 90_000})), [1, 2])

    def children() -> list[dict[str, Any]]:
        runs = maps.client.list_map_runs(executionArn=execution)["mapRuns"]
        return maps.client.list_executions(mapRunArn=runs[0]["mapRunArn"])["executions"] if runs else []

    import time

    deadline = time.monotonic() + 20
    while len(children()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    maps.client.stop_execution(executionArn=execution)
    assert {item["status"] for item in children()} == {"ABORTED"}
    [run] = maps.client.list_map_runs(executionArn=execution)["mapRuns"]
    assert maps.client.describe_map_run(mapRunArn=run["mapRunArn"])["status"] == "ABORTED"
