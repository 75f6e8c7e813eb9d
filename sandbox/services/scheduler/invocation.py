"""Calling a target: retried while that may help, then handed to the dead-letter queue.

Sources: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html and
https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
"""

from __future__ import annotations

import json
import logging
import random
import uuid
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.errors import AwsError
from sandbox.engine.store import Records
from sandbox.engine.tasks import Again, task
from sandbox.services.scheduler import targets
from sandbox.services.scheduler.firing import INVOKE
from sandbox.services.scheduler.groups import SERVICE

log = logging.getLogger(__name__)

PRINCIPAL = "scheduler.amazonaws.com"
KEPT = 2000
"""Invocations that are remembered."""
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 3600.0
_NAMESPACE = uuid.UUID("2a1d1b0e-6a53-4c3b-8d55-0f6f8b8a9c11")
Problem = tuple[str, str, bool]
"""Code, message, and whether it may pass."""


@task(INVOKE)
def invoke(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    account, region, name = key.split("/", 2)
    records = engine.records(account, region, SERVICE, "invocation")
    record = records.get(name)
    if record is None or record["status"] != "PENDING":
        return None
    record["attempts"] += 1
    problem = _attempt(engine, account, region, name, record)
    if problem is None:
        _close(records, name, record, "DELIVERED")
        return None
    code, message, passing = problem
    policy = record["target"]["RetryPolicy"]
    age = (engine.clock.now() - record["created"]) * engine.clock.rate
    exhausted = None
    if passing and record["attempts"] > policy["MaximumRetryAttempts"]:
        exhausted = "MaximumRetryAttempts"
    elif passing and age >= policy["MaximumEventAgeInSeconds"]:
        exhausted = "MaximumEventAgeInSeconds"
    if passing and exhausted is None:
        records.put(name, record | {"error": f"{code}: {message}"})
        ceiling = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** min(record["attempts"], 20))
        return Again(engine.clock.scaled(random.uniform(ceiling / 2, ceiling)))
    log.warning("schedule %s: target %s: %s: %s", record["schedule"], record["target"]["Arn"], code, message)
    _bury(engine, account, region, name, record, problem, exhausted)
    _close(records, name, record | {"error": f"{code}: {message}"}, "FAILED")
    return None


def _session(engine: Engine, account: str, region: str, record: dict[str, Any]) -> Session:
    return engine.clients.role(
        record["target"]["RoleArn"],
        service=PRINCIPAL,
        session_name=uuid.uuid5(_NAMESPACE, record["schedule"]).hex,
        region=region,
        source_arn=f"arn:aws:scheduler:{region}:{account}:schedule-group/{record['group']}",
    )


def _attempt(engine: Engine, account: str, region: str, name: str, record: dict[str, Any]) -> Problem | None:
    """None when the target has taken it."""
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    try:
        session = _session(engine, account, region, record)
        targets.call(session, record["target"], _input(account, region, name, record), _token(name))
    except AwsError as error:
        return error.code, error.message, False
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        said = error.response["Error"]
        throttled = status == 429 or "Throttl" in said["Code"] or said["Code"] == "TooManyRequestsException"
        return said["Code"], said.get("Message", ""), status >= 500 or throttled
    except (ParamValidationError, ValueError) as error:
        return "ValidationException", str(error), False
    except BotoCoreError as error:
        return type(error).__name__, str(error), True
    return None


def _token(name: str) -> str:
    """The same for every attempt at one time of one schedule."""
    return str(uuid.uuid5(_NAMESPACE, name))


def _input(account: str, region: str, name: str, record: dict[str, Any]) -> str:
    """The target's input with its keywords filled, or the event that Scheduler sends without one."""
    text = record["target"].get("Input")
    if text is None:
        return json.dumps(
            {
                "version": "0",
                "id": _token(name),
                "detail-type": "Scheduled Event",
                "source": "aws.scheduler",
                "account": account,
                "time": record["time"],
                "region": region,
                "resources": [record["schedule"]],
                "detail": "{}",
            }
        )
    words = {
        "schedule-arn": record["schedule"],
        "scheduled-time": record["time"],
        "execution-id": _token(name),
        "attempt-number": str(record["attempts"]),
    }
    for word, value in words.items():
        text = text.replace(f"<aws.scheduler.{word}>", value)
    return str(text)


def _bury(
    engine: Engine,
    account: str,
    region: str,
    name: str,
    record: dict[str, Any],
    problem: Problem,
    exhausted: str | None,
) -> None:
    """Sends what could not be delivered to the dead-letter queue, as the target's role."""
    from botocore.exceptions import BotoCoreError, ClientError

    queue = record["target"].get("DeadLetterConfig", {}).get("Arn")
    if not queue:
        return
    told = {
        "ERROR_CODE": problem[0],
        "ERROR_MESSAGE": problem[1],
        "SCHEDULE_ARN": record["schedule"],
        "TARGET_ARN": record["target"]["Arn"],
        "IS_PAYLOAD_TRUNCATED": "false",
        "RETRY_ATTEMPTS": str(record["attempts"] - 1),
    } | ({"EXHAUSTED_RETRY_CONDITION": exhausted} if exhausted else {})
    try:
        client = _session(engine, account, region, record).client("sqs")
        client.send_message(
            QueueUrl=targets.queue_url(client, queue),
            MessageBody=_input(account, region, name, record),
            MessageAttributes={
                key: {"DataType": "String", "StringValue": value[:1000] or "-"} for key, value in told.items()
            },
        )
    except (AwsError, ClientError, BotoCoreError) as error:
        log.warning("schedule %s: dead-letter queue %s: %s", record["schedule"], queue, error)


def _close(records: Records, name: str, record: dict[str, Any], status: str) -> None:
    with records.store.transaction():
        records.put(name, record | {"status": status})
        for old in records.keys()[:-KEPT]:
            if (records.get(old) or {}).get("status") != "PENDING":
                records.delete(old)
