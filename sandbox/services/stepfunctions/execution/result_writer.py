"""ResultWriter: the results of a map run as files in S3.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.services.stepfunctions.definition.machine import State
from sandbox.services.stepfunctions.execution import arns, requests
from sandbox.services.stepfunctions.execution.item_reader import place_of
from sandbox.services.stepfunctions.execution.run import Branch, Run
from sandbox.services.stepfunctions.language import timestamps
from sandbox.services.stepfunctions.language.errors import RESULT_WRITER, StateError
from sandbox.services.stepfunctions.language.scope import dumps


def _child(run: Run, item: dict[str, Any]) -> Run:
    return Run(run.engine, run.account, run.region, item["execution"])


def output_of(run: Run, item: dict[str, Any]) -> Any:
    return json.loads(_child(run, item).execution()["output"])


def write(run: Run, branch: Branch, state: State, key: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    """Writes the files; what the state's result says of them. StateError States.ResultWriterFailed."""
    from botocore.exceptions import BotoCoreError, ClientError

    writer = state["ResultWriter"]
    config = writer.get("WriterConfig", {})
    where = place_of(run, branch, state, writer)
    arn = f"arn:aws:states:{run.region}:{run.account}:mapRun:{key}"
    if not where.get("Bucket"):
        return {"MapRunArn": arn, "Results": [_shaped(run, item, config) for item in items]}
    prefix = "/".join(part for part in (where.get("Prefix", "").strip("/"), key.partition(":")[2]) if part)
    client = requests.session(run, branch).client("s3")
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    try:
        for status in ("SUCCEEDED", "FAILED"):
            chosen = [item for item in items if (item["status"] == "SUCCEEDED") == (status == "SUCCEEDED")]
            if not chosen:
                continue
            body = _body([_shaped(run, item, config) for item in chosen], config)
            name = f"{prefix}/{status}_0.{config.get('OutputType', 'JSON').lower()}"
            client.put_object(Bucket=where["Bucket"], Key=name, Body=body)
            files[status].append({"Key": name, "Size": len(body)})
        manifest = {"DestinationBucket": where["Bucket"], "MapRunArn": arn, "ResultFiles": files}
        name = f"{prefix}/manifest.json"
        client.put_object(Bucket=where["Bucket"], Key=name, Body=dumps(manifest).encode())
    except (ClientError, BotoCoreError) as error:
        raise StateError(RESULT_WRITER, str(error)) from error
    return {"MapRunArn": arn, "ResultWriterDetails": {"Bucket": where["Bucket"], "Key": name}}


def _body(values: list[Any], config: dict[str, Any]) -> bytes:
    if config.get("Transformation") == "FLATTEN":
        values = [each for item in values for each in (item if isinstance(item, list) else [item])]
    if config.get("OutputType") == "JSONL":
        return "".join(f"{dumps(value)}\n" for value in values).encode()
    return dumps(values).encode()


def _shaped(run: Run, item: dict[str, Any], config: dict[str, Any]) -> Any:
    """An execution as the files list it; only its output where the results are to be compact."""
    child = _child(run, item)
    execution, details = child.execution(), child.details()
    if config.get("Transformation", "NONE") != "NONE" and item["status"] == "SUCCEEDED":
        return json.loads(execution["output"])
    shown = {
        "ExecutionArn": arns.execution(
            run.account, run.region, child.key, express=details["type"] == "EXPRESS"
        ),
        "Input": dumps(details["input"]),
        "InputDetails": {"Included": True},
        "Name": details["name"],
        "RedriveCount": execution.get("redrives", 0),
        "StartDate": timestamps.text(execution["started"]),
        "StateMachineArn": details["machineArn"],
        "Status": execution["status"],
        "StopDate": timestamps.text(execution["stopped"]),
    }
    if "output" in execution:
        shown |= {"Output": execution["output"], "OutputDetails": {"Included": True}}
    return shown | {
        name.capitalize(): execution[name] for name in ("error", "cause") if execution.get(name) is not None
    }
