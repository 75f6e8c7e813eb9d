"""History on its way to CloudWatch Logs.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html: what each log level takes in, and a
line's form. AWS's log delivery writes it, not the machine's role, which only has to be allowed to set it up.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.tasks import task
from sandbox.services.stepfunctions.execution import arns
from sandbox.services.stepfunctions.execution.endings import LOG
from sandbox.services.stepfunctions.execution.run import Run, run_of
from sandbox.services.stepfunctions.loggroups import group_of

log = logging.getLogger(__name__)

_FATAL = ("ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut")
_ERROR_ENDINGS = ("Failed", "TimedOut", "Aborted", "FailStateEntered")
_DATA = ("input", "output", "parameters", "inputDetails", "outputDetails", "cause", "error")
_BATCH = 500


@task(LOG)
def deliver(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    """Writes what has not been written yet; a group that is gone loses the lines, as on AWS."""
    from botocore.exceptions import ClientError

    run, _ = run_of(engine, key)
    logging_configuration = run.details()["logging"]
    done = run.records("logged").get(run.key) or {"event": 0}
    records = run.records("history")
    keys = [item for item in records.keys(f"{run.key}|") if int(item.rpartition("|")[2]) > done["event"]]
    lines = [
        _line(run, event, logging_configuration)
        for item in keys
        if (event := records.get(item)) is not None and _wanted(event["type"], logging_configuration["level"])
    ]
    try:
        _put(engine, run, group_of(logging_configuration), lines)
    except ClientError as error:
        log.warning("execution %s is not logged: %s", run.key, error)
    if keys:
        run.records("logged").put(run.key, {"event": int(keys[-1].rpartition("|")[2])})


def _put(engine: Engine, run: Run, group: str, lines: list[dict[str, Any]]) -> None:
    client = engine.clients.owner(run.region).client("logs")
    machine = run.details()["machineName"]
    moment = datetime.fromtimestamp(run.details()["started"], UTC)
    suffix = run.key.rpartition(":")[2][:8]
    stream = f"states/{machine}/{moment:%Y-%m-%d-%H-%M}/{suffix}"
    try:
        client.create_log_stream(logGroupName=group, logStreamName=stream)
    except client.exceptions.ResourceAlreadyExistsException:
        log.debug("stream %s goes on", stream)
    for start in range(0, len(lines), _BATCH):
        client.put_log_events(
            logGroupName=group, logStreamName=stream, logEvents=lines[start : start + _BATCH]
        )


def _wanted(kind: str, level: str) -> bool:
    if level == "ALL":
        return True
    if level == "FATAL":
        return kind in _FATAL
    return level == "ERROR" and kind.endswith(_ERROR_ENDINGS)


def _line(run: Run, event: dict[str, Any], configuration: dict[str, Any]) -> dict[str, Any]:
    details: dict[str, Any] = next(
        (item for name, item in event.items() if name.endswith("EventDetails")), {}
    )
    if not configuration.get("includeExecutionData"):
        details = {name: item for name, item in details.items() if name not in _DATA}
    stamp = int(event["timestamp"] * 1000)
    body = {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "previous_event_id": str(event["previousEventId"]),
        "event_timestamp": str(stamp),
        "execution_arn": arns.execution(
            run.account, run.region, run.key, express=run.details()["type"] == "EXPRESS"
        ),
        "redrive_count": str(run.execution().get("redrives", 0)),
    }
    return {"timestamp": stamp, "message": json.dumps(body, separators=(",", ":"))}
