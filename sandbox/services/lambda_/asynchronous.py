"""Asynchronous invocations: accepted durably, retried, and told of where the function says.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html and
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError
from sandbox.engine.store import Records
from sandbox.engine.tasks import Again, task
from sandbox.services.lambda_.instance import Event, Outcome
from sandbox.services.lambda_.names import SERVICE, Named
from sandbox.services.lambda_.records import functions

log = logging.getLogger(__name__)

RETRIES = 2
AGE = 21_600
"""Defaults: retries of an event whose function failed, and seconds for which it is kept."""
WAITS = (60.0, 120.0)
"""Seconds before the first and the second retry."""
THROTTLED = (1.0, 300.0)
"""Seconds that a throttled event waits, at first and at most."""


def _events(engine: Engine, account: str, region: str) -> Records:
    return engine.records(account, region, SERVICE, "event")


def accept(engine: Engine, account: str, region: str, target: Named, event: Event) -> None:
    """Writes an event down; it is delivered at least once, whatever happens to the sandbox."""
    record = {
        "name": target.name,
        "qualifier": target.qualifier,
        "arn": event.arn,
        "payload": event.payload,
        "context": event.client_context,
        "created": engine.clock.now(),
        "attempts": 0,
        "throttled": 0,
    }
    with engine.store.transaction():
        _events(engine, account, region).put(event.id, record)
        engine.tasks.submit("lambda.event", f"{account}/{region}/{event.id}")


@task("lambda.event")
def handle(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    from sandbox.services.lambda_.invoke import run

    account, region, identifier = key.split("/", 2)
    records = _events(engine, account, region)
    record = records.get(identifier)
    if record is None:
        return None
    target = Named(record["name"], record["qualifier"])
    event = Event(identifier, record["arn"], record["payload"], record["context"])
    settings = _settings(engine, account, region, target)
    age = (engine.clock.now() - record["created"]) * engine.clock.rate
    if record["attempts"] + record["throttled"] and age >= settings["MaximumEventAgeInSeconds"]:
        _end(engine, key, record, settings, "EventAgeExceeded", _last(record))
        return None
    try:
        version, outcome = run(engine, account, region, target, event)
    except AwsError as error:
        if error.code not in ("TooManyRequestsException", "ResourceConflictException"):
            log.warning("event %s of function %s is dropped: %s", identifier, target.name, error)
            records.delete(identifier)
            return None
        record["throttled"] += 1
        records.put(identifier, record)
        wait = min(THROTTLED[1], THROTTLED[0] * 2 ** min(record["throttled"], 20))
        return Again(after=engine.clock.scaled(wait))
    record |= {"attempts": record["attempts"] + 1, "version": version, "failed": outcome.failed}
    record["answer"] = outcome.payload
    if not outcome.failed:
        _end(engine, key, record, settings, "Success", outcome)
        return None
    if record["attempts"] > settings["MaximumRetryAttempts"]:
        _end(engine, key, record, settings, "RetriesExhausted", outcome)
        return None
    records.put(identifier, record)
    wait = WAITS[min(record["attempts"], len(WAITS)) - 1]
    return Again(after=engine.clock.scaled(wait))


def _last(record: dict[str, Any]) -> Outcome:
    return Outcome(record.get("answer", "null"), failed=record.get("failed", True))


def _settings(engine: Engine, account: str, region: str, target: Named) -> dict[str, Any]:
    found = engine.records(account, region, SERVICE, "invoke-config").get(
        f"{target.name}:{target.qualifier or '$LATEST'}"
    )
    return {"MaximumRetryAttempts": RETRIES, "MaximumEventAgeInSeconds": AGE} | (found or {})


def _end(
    engine: Engine,
    key: str,
    record: dict[str, Any],
    settings: dict[str, Any],
    condition: str,
    outcome: Outcome,
) -> None:
    """Tells the destination (and the dead-letter queue) of an event that is over, then forgets it."""
    account, region, identifier = key.split("/", 2)
    function = functions(engine, account, region).get(record["name"])
    if function is not None and function["live"] is not None:
        destinations = settings.get("DestinationConfig") or {}
        wanted = destinations.get("OnSuccess" if condition == "Success" else "OnFailure") or {}
        session = _role(engine, account, region, function)
        if wanted.get("Destination") and session:
            document = _document(engine, identifier, record, condition, outcome)
            _tell(session, wanted["Destination"], document, record, condition)
        letters = (function["live"]["config"].get("DeadLetterConfig") or {}).get("TargetArn")
        if letters and condition != "Success" and session:
            _bury(session, letters, identifier, record, outcome)
    _events(engine, account, region).delete(identifier)


def _role(engine: Engine, account: str, region: str, function: dict[str, Any]) -> Session | None:
    name = function["Name"]
    try:
        return engine.clients.role(
            function["live"]["config"]["Role"],
            service="lambda.amazonaws.com",
            session_name=name,
            region=region,
            source_arn=f"arn:aws:lambda:{region}:{account}:function:{name}",
        )
    except AwsError as error:
        log.warning("function %s: its role cannot be assumed: %s", name, error)
        return None


def _document(
    engine: Engine, identifier: str, record: dict[str, Any], condition: str, outcome: Outcome
) -> dict[str, Any]:
    now = datetime.fromtimestamp(engine.clock.now(), UTC)
    document: dict[str, Any] = {
        "version": "1.0",
        "timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z",
        "requestContext": {
            "requestId": identifier,
            "functionArn": _qualified(record),
            "condition": condition,
            "approximateInvokeCount": record["attempts"],
        },
        "requestPayload": json.loads(record["payload"]),
    }
    if record["attempts"]:
        response = {"statusCode": 200, "executedVersion": record["version"]}
        if outcome.failed:
            response["functionError"] = "Unhandled"
        document |= {"responseContext": response, "responsePayload": json.loads(outcome.payload)}
    return document


def _qualified(record: dict[str, Any]) -> str:
    return str(record["arn"]) if record["qualifier"] else f"{record['arn']}:$LATEST"


def _tell(
    session: Session, destination: str, document: dict[str, Any], record: dict[str, Any], condition: str
) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    text = json.dumps(document)
    service = destination.split(":")[2]
    try:
        if service == "sqs":
            _send(session, destination, text)
        elif service == "sns":
            session.client("sns").publish(TopicArn=destination, Message=text)
        elif service == "lambda":
            session.client("lambda").invoke(FunctionName=destination, InvocationType="Event", Payload=text)
        else:
            result = "Success" if condition == "Success" else "Failure"
            entry = {
                "Source": "lambda",
                "DetailType": f"Lambda Function Invocation Result - {result}",
                "Resources": [destination, _qualified(record)],
                "Detail": text,
                "EventBusName": destination,
            }
            session.client("events").put_events(Entries=[entry])
    except (BotoCoreError, ClientError) as error:
        # As on AWS, where only a metric (DestinationDeliveryFailures) tells of it.
        log.warning("%s was not told of an event of %s: %s", destination, record["arn"], error)


def _bury(session: Session, target: str, identifier: str, record: dict[str, Any], outcome: Outcome) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    message = str(json.loads(outcome.payload).get("errorMessage", ""))[:1024] if outcome.failed else ""
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": identifier},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": message or "-"},
    }
    try:
        if target.split(":")[2] == "sqs":
            _send(session, target, record["payload"], MessageAttributes=attributes)
        else:
            session.client("sns").publish(
                TopicArn=target, Message=record["payload"], MessageAttributes=attributes
            )
    except (BotoCoreError, ClientError) as error:
        log.warning("%s did not get a dead letter of %s: %s", target, record["arn"], error)


def _send(session: Session, arn: str, text: str, **members: Any) -> None:
    *_, region, account, name = arn.split(":")
    sqs = session.client("sqs")
    url = sqs.meta.endpoint_url.rstrip("/") + f"/{account}/{name}"
    sqs.send_message(QueueUrl=url, MessageBody=text, **members)
