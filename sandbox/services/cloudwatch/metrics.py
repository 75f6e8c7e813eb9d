"""PutMetricData, ListMetrics, GetMetricStatistics, GetMetricData.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.cloudwatch.evaluation import evaluate_soon
from sandbox.services.cloudwatch.statistics import StatisticSet, check, merge, of_values, read
from sandbox.services.cloudwatch.store import MINUTE, Metric, MetricStore

Record = dict[str, Any]
LIST_PAGE = 500
MAXIMUM_POINTS = 1440


def store_of(call: Call) -> MetricStore:
    return MetricStore(call.engine, call.account, call.region)


def epoch(moment: Any) -> float:
    """Epoch seconds of a timestamp member."""
    if isinstance(moment, datetime):
        return moment.timestamp()
    if isinstance(moment, str):
        return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
    return float(moment)


@operation("cloudwatch", "PutMetricData")
def put_metric_data(
    call: Call,
    Namespace: str,
    MetricData: list[Record] | None = None,
    EntityMetricData: list[Record] | None = None,
    StrictEntityValidation: bool | None = None,
) -> None:
    if Namespace.startswith("AWS/"):
        raise AwsError("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")
    if EntityMetricData:
        raise AwsError("InvalidParameterValue", "EntityMetricData is not implemented by the sandbox.")
    store = store_of(call)
    metrics = []
    with call.engine.store.transaction():
        for datum in MetricData or []:
            metric = Metric.of(Namespace, datum["MetricName"], datum.get("Dimensions"))
            moment = epoch(datum["Timestamp"]) if datum.get("Timestamp") else call.engine.clock.now()
            store.add(metric, moment, _statistics(datum), datum.get("Unit"))
            metrics.append(metric)
        evaluate_soon(store, metrics)


def _statistics(datum: Record) -> StatisticSet:
    given = [name for name in ("Value", "Values", "StatisticValues") if datum.get(name) is not None]
    if len(given) != 1:
        raise AwsError(
            "InvalidParameterCombination",
            "Exactly one of Value, Values and StatisticValues must be given for a metric.",
        )
    if given == ["Value"]:
        return of_values({repr(float(datum["Value"])): 1})
    if given == ["Values"]:
        counts = datum.get("Counts") or [1.0] * len(datum["Values"])
        if len(counts) != len(datum["Values"]) or not counts:
            raise AwsError("InvalidParameterValue", "Values and Counts must have the same length.")
        values: dict[str, float] = {}
        for value, count in zip(datum["Values"], counts, strict=True):
            values[repr(float(value))] = values.get(repr(float(value)), 0) + count
        return of_values(values)
    given_set = datum["StatisticValues"]
    return {
        "sum": given_set["Sum"],
        "min": given_set["Minimum"],
        "max": given_set["Maximum"],
        "count": given_set["SampleCount"],
        # No more is known of the values between.
        "values": {repr(float(given_set["Sum"]) / (given_set["SampleCount"] or 1)): given_set["SampleCount"]},
    }


@operation("cloudwatch", "ListMetrics")
def list_metrics(call: Call, **request: Any) -> Record:
    wanted = [(item["Name"], item.get("Value")) for item in request.get("Dimensions") or []]

    def matches(record: Record) -> bool:
        has = {item["Name"]: item["Value"] for item in record["Dimensions"]}
        return (
            request.get("Namespace") in (None, record["Namespace"])
            and request.get("MetricName") in (None, record["MetricName"])
            and all(name in has and value in (None, has[name]) for name, value in wanted)
        )

    members = ("Namespace", "MetricName", "Dimensions")
    found = [{name: record[name] for name in members} for record in store_of(call).all() if matches(record)]
    items, token = page(found, request.get("NextToken"), LIST_PAGE, error="InvalidParameterValue")
    return {"Metrics": items} | ({"NextToken": token} if token else {})


def _periods(
    store: MetricStore, metric: Metric, start: float, end: float, period: int
) -> list[tuple[float, StatisticSet]]:
    if period % MINUTE:
        raise AwsError(
            "InvalidParameterValue", "A Period that is no multiple of 60 is not implemented by the sandbox."
        )
    if (end - start) / period > MAXIMUM_POINTS:
        raise AwsError(
            "InvalidParameterCombination",
            f"You have requested up to {int((end - start) / period)} datapoints, which exceeds the limit of "
            f"{MAXIMUM_POINTS}. You may reduce the datapoints requested by increasing Period, or decreasing "
            "the time range.",
        )
    groups: dict[float, StatisticSet] = {}
    first = start // MINUTE * MINUTE
    for moment, data in store.minutes(metric, first, end):
        group = moment // period * period
        groups[group] = merge(groups.get(group), data)
    return sorted(groups.items())


@operation("cloudwatch", "GetMetricStatistics")
def get_metric_statistics(call: Call, **request: Any) -> Record:
    start, end = epoch(request["StartTime"]), epoch(request["EndTime"])
    if start >= end:
        raise AwsError(
            "InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime."
        )
    statistics, extended = request.get("Statistics") or [], request.get("ExtendedStatistics") or []
    if not statistics and not extended:
        raise AwsError("MissingParameter", "At least one of the parameters Statistics and ExtendedStatistics "
                       "must be specified.")  # fmt: skip
    for statistic in extended:
        check(statistic)
    metric = Metric.of(request["Namespace"], request["MetricName"], request.get("Dimensions"))
    store = store_of(call)
    unit = store.unit(metric)
    points = []
    for moment, data in _periods(store, metric, start, end, request["Period"]):
        if request.get("Unit") not in (None, unit):
            continue
        point: Record = {"Timestamp": moment, "Unit": unit}
        point |= {name: read(data, name) for name in statistics}
        if extended:
            point["ExtendedStatistics"] = {name: read(data, name) for name in extended}
        points.append(point)
    return {"Label": request["MetricName"], "Datapoints": points}


@operation("cloudwatch", "GetMetricData")
def get_metric_data(call: Call, **request: Any) -> Record:
    start, end = epoch(request["StartTime"]), epoch(request["EndTime"])
    results = []
    for query in request["MetricDataQueries"]:
        statistic = query.get("MetricStat")
        if query.get("Expression") or statistic is None:
            raise AwsError(
                "ValidationError",
                f"Expression of MetricDataQueries (query {query['Id']}) is not implemented by the sandbox.",
            )
        if query.get("ReturnData") is False:
            continue
        check(statistic["Stat"])
        wanted = statistic["Metric"]
        metric = Metric.of(wanted["Namespace"], wanted["MetricName"], wanted.get("Dimensions"))
        points = _periods(store_of(call), metric, start, end, statistic["Period"])
        if request.get("ScanBy", "TimestampDescending") == "TimestampDescending":
            points.reverse()
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label") or wanted["MetricName"],
                "Timestamps": [moment for moment, _ in points],
                "Values": [read(data, statistic["Stat"]) for _, data in points],
                "StatusCode": "Complete",
            }
        )
    return {"MetricDataResults": results, "Messages": []}
