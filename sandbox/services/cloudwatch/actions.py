"""What an alarm does when its state changes: it tells SNS topics and Lambda functions, as CloudWatch.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-actions.html and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
"""

from __future__ import annotations

import functools
import json
import logging
import uuid
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.tasks import task

log = logging.getLogger(__name__)

Record = dict[str, Any]
MEMBERS = {"ALARM": "AlarmActions", "OK": "OKActions", "INSUFFICIENT_DATA": "InsufficientDataActions"}
"""Which actions a new state asks for."""
_TRIGGER = (
    "MetricName",
    "Namespace",
    "Unit",
    "Period",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "ComparisonOperator",
    "Threshold",
    "TreatMissingData",
)


def unknown(arns: list[str]) -> str | None:
    """The first action that is neither a topic nor a function."""
    for arn in arns:
        parts = arn.split(":", 5)
        known = len(parts) == 6 and (
            parts[2] == "sns" or (parts[2] == "lambda" and parts[5].startswith("function:"))
        )
        if not known:
            return arn
    return None


def submit(engine: Engine, account: str, region: str, alarm: Record, detail: Record) -> None:
    """Queues the actions of an alarm that changed; call inside the transaction that changes it.

    `detail`: of the event that tells of the change.
    """
    if not alarm["ActionsEnabled"]:
        return
    for arn in alarm[MEMBERS[alarm["StateValue"]]]:
        payload = {"arn": arn, "alarm": alarm, "detail": detail}
        engine.tasks.submit("cloudwatch.act", f"{account}/{region}/{uuid.uuid4()}", payload)


@task("cloudwatch.act")
def act(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    from botocore.exceptions import ClientError

    account, region, _ = key.split("/", 2)
    arn, alarm, detail = payload["arn"], payload["alarm"], payload["detail"]
    try:
        if arn.split(":")[2] == "sns":
            session = engine.clients.service(
                "cloudwatch.amazonaws.com", region=region, source_arn=alarm["AlarmArn"]
            )
            place = _region_name(region)
            session.client("sns").publish(
                TopicArn=arn,
                Subject=f'{alarm["StateValue"]}: "{alarm["AlarmName"]}" in {place}'[:100],
                Message=json.dumps(_message(account, place, alarm, detail)),
            )
        else:
            session = engine.clients.service(
                "lambda.alarms.cloudwatch.amazonaws.com", region=region, source_arn=alarm["AlarmArn"]
            )
            event = {
                "source": "aws.cloudwatch",
                "alarmArn": alarm["AlarmArn"],
                "accountId": account,
                "time": detail["state"]["timestamp"],
                "region": region,
                "alarmData": detail,
            }
            session.client("lambda").invoke(
                FunctionName=arn, InvocationType="Event", Payload=json.dumps(event)
            )
    except ClientError as error:
        # As on AWS, where the alarm's history tells of it; what is refused is not tried again.
        log.warning("alarm %s did not reach %s: %s", alarm["AlarmName"], arn, error)


def _message(account: str, place: str, alarm: Record, detail: Record) -> Record:
    trigger = {name: alarm[name] for name in _TRIGGER if name in alarm}
    kind = "Statistic" if alarm.get("Statistic") else "ExtendedStatistic"
    trigger |= {"StatisticType": kind, kind: alarm.get("Statistic") or alarm["ExtendedStatistic"]}
    trigger["Dimensions"] = [{"value": item["Value"], "name": item["Name"]} for item in alarm["Dimensions"]]
    return {
        "AlarmName": alarm["AlarmName"],
        "AlarmDescription": alarm.get("AlarmDescription"),
        "AWSAccountId": account,
        "NewStateValue": alarm["StateValue"],
        "NewStateReason": alarm["StateReason"],
        "StateChangeTime": detail["state"]["timestamp"],
        "Region": place,
        "AlarmArn": alarm["AlarmArn"],
        "OldStateValue": detail["previousState"]["value"],
        "OKActions": alarm["OKActions"],
        "AlarmActions": alarm["AlarmActions"],
        "InsufficientDataActions": alarm["InsufficientDataActions"],
        "Trigger": trigger,
    }


@functools.cache
def _region_name(region: str) -> str:
    """`US East (N. Virginia)`."""
    from botocore.session import Session

    for partition in Session().get_data("partitions")["partitions"]:
        found = partition["regions"].get(region)
        if found:
            return str(found["description"])
    return region
