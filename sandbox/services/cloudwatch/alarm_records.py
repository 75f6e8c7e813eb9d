"""The record of an alarm (its API members), its state and the event that tells of a change."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sandbox.services.cloudwatch import actions
from sandbox.services.cloudwatch.store import MetricStore

KIND = "alarm"
EVALUATE = "cloudwatch.evaluate"
Record = dict[str, Any]


def records(store: MetricStore) -> Any:
    return store.engine.records(store.account, store.region, "cloudwatch", KIND)


def set_state(store: MetricStore, alarm: Record, value: str, reason: str, data: Record) -> None:
    """Writes a changed state and publishes "CloudWatch Alarm State Change"; call inside a transaction."""
    now = store.engine.clock.now()
    previous = {
        "value": alarm["StateValue"],
        "reason": alarm["StateReason"],
        "timestamp": _stamp(alarm["StateUpdatedTimestamp"]),
    }
    changed = alarm | {
        "StateValue": value,
        "StateReason": reason,
        "StateReasonData": json.dumps(data),
        "StateUpdatedTimestamp": now,
    }
    if value != alarm["StateValue"]:
        changed["StateTransitionedTimestamp"] = now
    records(store).put(alarm["AlarmName"], changed)
    if value == alarm["StateValue"]:
        return
    detail = {
        "alarmName": alarm["AlarmName"],
        "state": {
            "value": value,
            "reason": reason,
            "reasonData": json.dumps(data),
            "timestamp": _stamp(now),
        },
        "previousState": previous,
        "configuration": _configuration(alarm),
    }
    actions.submit(store.engine, store.account, store.region, changed, detail)
    store.engine.events.put(
        store.account,
        store.region,
        source="aws.cloudwatch",
        detail_type="CloudWatch Alarm State Change",
        resources=[alarm["AlarmArn"]],
        detail=detail,
    )


def _configuration(alarm: Record) -> Record:
    metric = {
        "namespace": alarm["Namespace"],
        "name": alarm["MetricName"],
        "dimensions": {item["Name"]: item["Value"] for item in alarm["Dimensions"]},
    }
    statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
    query = {
        "id": "m1",
        "metricStat": {"metric": metric, "period": alarm["Period"], "stat": statistic},
        "returnData": True,
    }
    description = {"description": alarm["AlarmDescription"]} if alarm.get("AlarmDescription") else {}
    return description | {"metrics": [query]}


def _stamp(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
