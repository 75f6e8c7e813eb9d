"""From an event to its targets: matched once, delivered durably, retried with jitter, failures kept.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
"""

from __future__ import annotations

import logging
import random
import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.events import Event, listener
from sandbox.engine.operations import AwsError
from sandbox.engine.store import Records
from sandbox.engine.tasks import Again, task
from sandbox.services.events.bus import DEFAULT
from sandbox.services.events.candidates import candidates
from sandbox.services.events.invoke import Delivery, invoke
from sandbox.services.events.letters import Letter, bury
from sandbox.services.events.pattern import compile_pattern
from sandbox.services.events.rules import ENABLED, SERVICE, key_of, plan
from sandbox.services.events.schedule import next_time
from sandbox.services.events.transform import target_input

log = logging.getLogger(__name__)

ATTEMPTS = 185
AGE = 86400.0
"""Defaults of a target's retry policy: retries, and seconds for which an event is tried."""
FIRST_WAIT = 1.0
LONGEST_WAIT = 900.0
KEPT = 2000
"""Deliveries that are remembered."""
_NAMESPACE = uuid.UUID("4f9d5a3e-6a0b-4f4e-9a54-6d8f3f6f4c11")


def deliveries(engine: Engine, account: str, region: str) -> Records:
    """Every delivery by `event id/rule/target id`: status, attempts and the last error."""
    return engine.records(account, region, SERVICE, "delivery")


@listener()
def match(engine: Engine, event: Event) -> None:
    """Finds the rules of an event. The sandbox's services also tell each other things by `sandbox.` events,
    which AWS has not and no rule sees."""
    if event["source"].startswith("sandbox."):
        return
    _match(engine, DEFAULT, event)


@task("events.match")
def match_on_bus(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    """An event of a bus of one's own."""
    _match(engine, payload["bus"], payload["event"])


def _match(engine: Engine, bus: str, event: Event) -> None:
    account, region = event["account"], event["region"]
    for rule in candidates(engine.records(account, region, SERVICE, "rule"), bus, event):
        if compile_pattern(rule["EventPattern"])(event):
            _send(engine, account, region, rule, event)


def _send(engine: Engine, account: str, region: str, rule: dict[str, Any], event: Event) -> None:
    records = deliveries(engine, account, region)
    with engine.store.transaction():
        for target in engine.records(account, region, SERVICE, "target").list(f"{key_of(rule)}/"):
            key = f"{event['id']}/{key_of(rule)}/{target['Id']}"
            if records.get(key):
                continue  # the listener ran twice
            now = engine.clock.now()
            record = {"status": "PENDING", "attempts": 0, "created": now, "rule": rule["Name"]}
            records.put(key, record | {"target": target["Arn"], "event": event})
            engine.tasks.submit("events.deliver", f"{account}/{region}/{key}")


@task("events.deliver")
def deliver(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    account, region, delivery_key = key.split("/", 2)
    records = deliveries(engine, account, region)
    record = records.get(delivery_key)
    if record is None or record["status"] != "PENDING":
        return None
    _, rule_name, target_id = delivery_key.split("/", 2)
    rule = engine.records(account, region, SERVICE, "rule").get(rule_name)
    target = engine.records(account, region, SERVICE, "target").get(f"{rule_name}/{target_id}")
    if rule is None or target is None:
        _close(records, delivery_key, record, "DROPPED", "The rule or its target was removed")
        return None
    record["attempts"] += 1
    problem = _attempt(engine, region, rule, target, record["event"], delivery_key)
    if problem is None:
        _close(records, delivery_key, record, "DELIVERED", None)
        return None
    code, message, retriable = problem
    error = f"{code}: {message}"
    policy = target.get("RetryPolicy", {})
    age = (engine.clock.now() - record["created"]) * engine.clock.rate
    within = age < policy.get("MaximumEventAgeInSeconds", AGE)
    if retriable and within and record["attempts"] <= policy.get("MaximumRetryAttempts", ATTEMPTS):
        records.put(delivery_key, record | {"error": error})
        ceiling = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(record["attempts"], 20))
        return Again(after=engine.clock.scaled(random.uniform(ceiling / 2, ceiling)))
    why = None if not retriable else "MaximumRetryAttempts" if within else "MaximumEventAgeInSeconds"
    bury(engine, region, Letter(rule["Arn"], target, record, code, message, why))
    log.warning(
        "rule %s: event %s not delivered to %s: %s", rule_name, record["event"]["id"], target["Arn"], error
    )
    _close(records, delivery_key, record, "FAILED", error)
    return None


def _attempt(
    engine: Engine, region: str, rule: dict[str, Any], target: dict[str, Any], event: Event, key: str
) -> tuple[str, str, bool] | None:
    """None when delivered, else the error's code and message and whether it may pass."""
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError, ParamValidationError

    token = str(uuid.uuid5(_NAMESPACE, key))
    try:
        session = _session(engine, region, rule, target)
        text = target_input(target, event, rule["Arn"], rule["Name"])
        invoke(session, Delivery(target, event, rule["Arn"], text, token))
    except AwsError as error:
        return error.code, error.message, False
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        problem = error.response["Error"]
        code = problem["Code"]
        throttled = status == 429 or "Throttl" in code or code == "TooManyRequestsException"
        return code, problem["Message"], status >= 500 or throttled
    except (ConnectionError, HTTPClientError) as error:
        return type(error).__name__, str(error), True
    except (ValueError, ParamValidationError) as error:
        return "InvalidInput", str(error), False
    return None


def _session(engine: Engine, region: str, rule: dict[str, Any], target: dict[str, Any]) -> Session:
    """The target's role, or EventBridge itself for the rule where the target has none."""
    if not target.get("RoleArn"):
        return engine.clients.service("events.amazonaws.com", region=region, source_arn=rule["Arn"])
    return engine.clients.role(
        target["RoleArn"],
        service="events.amazonaws.com",
        session_name=uuid.uuid5(_NAMESPACE, rule["Arn"]).hex,
        region=region,
        source_arn=rule["Arn"],
    )


def _close(records: Records, key: str, record: dict[str, Any], status: str, error: str | None) -> None:
    with records.store.transaction():
        records.put(key, record | {"status": status} | ({"error": error} if error else {}))
        for old in records.keys()[:-KEPT]:
            if (records.get(old) or {}).get("status") != "PENDING":
                records.delete(old)


@task("events.schedule")
def fire(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    """One slot of a scheduled rule. Slots follow one another whatever the clock's rate."""
    account, region, name = key.split("/", 2)
    records = engine.records(account, region, SERVICE, "rule")
    with engine.store.transaction():
        rule = records.get(name)
        if rule is None or rule["State"] not in ENABLED or not rule.get("ScheduleExpression"):
            return None
        slot = next_time(rule["ScheduleExpression"], rule["slot"])
        if slot is None:
            return None
        event = {
            "version": "0",
            "id": str(uuid.uuid5(_NAMESPACE, f"{rule['Arn']} {slot}")),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": account,
            "time": f"{datetime.fromtimestamp(slot, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "region": region,
            "resources": [rule["Arn"]],
            "detail": {},
        }
        _send(engine, account, region, rule, event)
        rule["slot"] = slot
        records.put(name, rule)
        plan(engine, account, region, rule)
    return None
