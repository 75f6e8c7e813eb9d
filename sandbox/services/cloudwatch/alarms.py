"""Metric alarms.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.cloudwatch import actions, tags
from sandbox.services.cloudwatch.alarm_records import EVALUATE, KIND, Record, records, set_state
from sandbox.services.cloudwatch.evaluation import COMPARISONS
from sandbox.services.cloudwatch.metrics import store_of
from sandbox.services.cloudwatch.statistics import check

REFUSED = ("Metrics", "ThresholdMetricId", "EvaluateLowSampleCountPercentile", "EvaluationCriteria")
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
MISSING = ("missing", "ignore", "breaching", "notBreaching")
PAGE = 50
DAY = 86400


def alarm_arn(call: Call, name: str) -> str:
    return call.arn(f"alarm:{name}")


@operation("cloudwatch", "PutMetricAlarm")
def put_metric_alarm(call: Call, **request: Any) -> None:
    _check(request)
    name, now = request["AlarmName"], call.engine.clock.now()
    arn = alarm_arn(call, name)
    with call.engine.store.transaction():
        alarms = call.records(KIND)
        existing = alarms.get(name)
        given = {member: value for member, value in request.items() if member != "Tags"}
        record: Record = {
            "AlarmArn": arn,
            "ActionsEnabled": True,
            "OKActions": [],
            "AlarmActions": [],
            "InsufficientDataActions": [],
            "Dimensions": [],
            "StateValue": "INSUFFICIENT_DATA",
            "StateReason": "Unchecked: Initial alarm creation",
            "StateUpdatedTimestamp": now,
            "StateTransitionedTimestamp": now,
        }
        if existing:
            # A changed alarm keeps its state until it is evaluated; its configuration is replaced as a whole.
            state = [member for member in existing if member.startswith("State")]
            record |= {member: existing[member] for member in state}
        alarms.put(name, record | given | {"AlarmConfigurationUpdatedTimestamp": now})
        if not existing:
            tags.put(call, arn, request.get("Tags"))
        call.engine.tasks.submit(EVALUATE, f"{call.account}/{call.region}/{name}")


def _check(request: Record) -> None:
    for member in REFUSED:
        if request.get(member):
            raise _invalid(f"{member} of PutMetricAlarm is not implemented by the sandbox.")
    for member in ACTIONS:
        other = actions.unknown(request.get(member) or [])
        if other:
            raise _invalid(
                f"{member} of PutMetricAlarm is not implemented by the sandbox for {other}: SNS topics and "
                "Lambda functions are."
            )
    for member in ("MetricName", "Namespace", "Period"):
        if request.get(member) is None:
            raise AwsError("MissingParameter", f"The parameter {member} is required.", status=400)
    if bool(request.get("Statistic")) == bool(request.get("ExtendedStatistic")):
        raise AwsError(
            "InvalidParameterCombination", "Exactly one of Statistic and ExtendedStatistic must be specified."
        )
    if request.get("ExtendedStatistic"):
        check(request["ExtendedStatistic"])
    comparison = request["ComparisonOperator"]
    if comparison not in COMPARISONS:
        raise _invalid(f"The ComparisonOperator {comparison} is not implemented by the sandbox.")
    if request.get("Threshold") is None:
        raise AwsError("MissingParameter", "The parameter Threshold is required.", status=400)
    if request["Period"] % 60:
        raise _invalid("A Period that is no multiple of 60 is not implemented by the sandbox.")
    if request["Period"] * request["EvaluationPeriods"] > 7 * DAY:
        raise AwsError("ValidationError", "Metrics cannot be checked across more than a week.", status=400)
    if request.get("DatapointsToAlarm", 1) > request["EvaluationPeriods"]:
        raise AwsError(
            "ValidationError",
            "The DatapointsToAlarm must be less than or equal to EvaluationPeriods.",
            status=400,
        )
    if request.get("TreatMissingData", "missing") not in MISSING:
        raise AwsError(
            "ValidationError", f"Option {request['TreatMissingData']} is not supported.", status=400
        )


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationError", message)


@operation("cloudwatch", "DescribeAlarms")
def describe_alarms(call: Call, **request: Any) -> Record:
    for member in ("ChildrenOfAlarmName", "ParentsOfAlarmName"):
        if request.get(member):
            raise _invalid(f"{member} of DescribeAlarms is not implemented by the sandbox.")
    names, prefix = request.get("AlarmNames"), request.get("AlarmNamePrefix") or ""
    if names and prefix:
        raise AwsError(
            "InvalidParameterCombination", "AlarmNames and AlarmNamePrefix cannot be specified together."
        )
    types = request.get("AlarmTypes") or ["MetricAlarm"]
    found = [
        alarm
        for alarm in records(store_of(call)).list()
        if "MetricAlarm" in types
        and (not names or alarm["AlarmName"] in names)
        and alarm["AlarmName"].startswith(prefix)
        and request.get("StateValue") in (None, alarm["StateValue"])
    ]
    items, token = page(
        found, request.get("NextToken"), request.get("MaxRecords"), error="InvalidNextToken", default=PAGE
    )
    return {"MetricAlarms": items, "CompositeAlarms": []} | ({"NextToken": token} if token else {})


@operation("cloudwatch", "DescribeAlarmsForMetric")
def describe_alarms_for_metric(call: Call, **request: Any) -> Record:
    wanted = sorted((item["Name"], item["Value"]) for item in request.get("Dimensions") or [])
    found = [
        alarm
        for alarm in call.records(KIND).list()
        if (alarm["Namespace"], alarm["MetricName"]) == (request["Namespace"], request["MetricName"])
        and sorted((item["Name"], item["Value"]) for item in alarm["Dimensions"]) == wanted
        and all(
            request.get(member) in (None, alarm.get(member))
            for member in ("Statistic", "ExtendedStatistic", "Period", "Unit")
        )
    ]
    return {"MetricAlarms": found}


@operation("cloudwatch", "DeleteAlarms")
def delete_alarms(call: Call, AlarmNames: list[str]) -> None:
    with call.engine.store.transaction():
        alarms = call.records(KIND)
        missing = [name for name in AlarmNames if alarms.get(name) is None]
        # One that is missing fails a request for several, and is no error when asked for alone.
        if missing and len(AlarmNames) > 1:
            raise AwsError("ResourceNotFound", f"Alarms not found: {', '.join(missing)}")
        for name in AlarmNames:
            alarms.delete(name)
            tags.forget(call, alarm_arn(call, name))


@operation("cloudwatch", "SetAlarmState")
def set_alarm_state(
    call: Call, AlarmName: str, StateValue: str, StateReason: str, StateReasonData: str | None = None
) -> None:
    try:
        data = json.loads(StateReasonData) if StateReasonData else {}
    except ValueError:
        raise AwsError("InvalidFormat", "StateReasonData was not valid JSON") from None
    with call.engine.store.transaction():
        alarm = call.records(KIND).get(AlarmName)
        if alarm is None:
            raise AwsError("ResourceNotFound", f"Unknown alarm {AlarmName}")
        set_state(store_of(call), alarm, StateValue, StateReason, data)


@operation("cloudwatch", "EnableAlarmActions")
def enable_alarm_actions(call: Call, AlarmNames: list[str]) -> None:
    _set_actions(call, AlarmNames, True)


@operation("cloudwatch", "DisableAlarmActions")
def disable_alarm_actions(call: Call, AlarmNames: list[str]) -> None:
    _set_actions(call, AlarmNames, False)


def _set_actions(call: Call, names: list[str], enabled: bool) -> None:
    with call.engine.store.transaction():
        alarms = call.records(KIND)
        for name in names:
            alarm = alarms.get(name)
            if alarm:
                alarms.put(name, alarm | {"ActionsEnabled": enabled})
