"""Whether alarms go off: when data come, and again each period for as long as there are any.

An alarm's period is one of AWS's waits and passes on the sandbox's clock: a period of sixty seconds spans
one real second where the clock runs sixty times faster.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import operator
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.tasks import Again, task
from sandbox.services.cloudwatch.alarm_records import EVALUATE, KIND, Record, records, set_state
from sandbox.services.cloudwatch.statistics import read
from sandbox.services.cloudwatch.store import Metric, MetricStore

SHORTEST = 0.2
"""Real seconds of the shortest period: data come at most ten times a second."""
COMPARISONS = {
    "GreaterThanOrEqualToThreshold": ("greater than or equal to", operator.ge),
    "GreaterThanThreshold": ("greater than", operator.gt),
    "LessThanThreshold": ("less than", operator.lt),
    "LessThanOrEqualToThreshold": ("less than or equal to", operator.le),
}


def evaluate_soon(store: MetricStore, metrics: list[Metric]) -> None:
    """Queues the evaluation of the alarms that look at any of the metrics."""
    keys = {metric.key for metric in metrics}
    for alarm in records(store).list():
        if metric_of(alarm).key in keys:
            store.engine.tasks.submit(EVALUATE, f"{store.account}/{store.region}/{alarm['AlarmName']}")


def metric_of(alarm: Record) -> Metric:
    return Metric.of(alarm["Namespace"], alarm["MetricName"], alarm["Dimensions"])


@task(EVALUATE)
def evaluate(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    account, region, name = key.split("/", 2)
    store = MetricStore(engine, account, region)
    alarm = engine.records(account, region, "cloudwatch", KIND).get(name)
    if alarm is None:
        return None
    period = max(SHORTEST, engine.clock.scaled(alarm["Period"]))
    values = _values(store, alarm, period)
    outcome = decide(alarm, values)
    if outcome and outcome[0] != alarm["StateValue"]:
        with engine.store.transaction():
            current = records(store).get(name)
            if current and current["StateUpdatedTimestamp"] == alarm["StateUpdatedTimestamp"]:
                set_state(store, current, *outcome, _reason_data(current, values))
    # Without data nothing more can change until some come, which evaluates again.
    return Again(period) if any(value is not None for value in values) else None


def _values(store: MetricStore, alarm: Record, period: float) -> list[float | None]:
    """The statistic of each evaluation period, newest first; None where no data came."""
    now, metric = store.engine.clock.now(), metric_of(alarm)
    statistic = alarm.get("Statistic") or alarm["ExtendedStatistic"]
    values: list[float | None] = []
    for number in range(alarm["EvaluationPeriods"]):
        data = store.between(metric, now - (number + 1) * period, now - number * period)
        values.append(None if data is None else read(data, statistic))
    return values


def decide(alarm: Record, values: list[float | None]) -> tuple[str, str] | None:
    """The state and its reason; None to stay as it is."""
    words, compare = COMPARISONS[alarm["ComparisonOperator"]]
    threshold, missing = alarm["Threshold"], alarm.get("TreatMissingData", "missing")
    present = [value for value in values if value is not None]
    absent = len(values) - len(present)
    if not present and missing == "ignore":
        return None
    if not present and missing == "missing":
        return "INSUFFICIENT_DATA", f"Insufficient Data: {_count(absent)} unknown."
    breaching = sum(bool(compare(value, threshold)) for value in present)
    if missing == "breaching":
        breaching += absent
    needed: int = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    shown = ", ".join(f"{value:g}" for value in present)
    if breaching >= needed:
        what = f"[{shown}] {_were(breaching)} {words} the threshold ({threshold})."
        return "ALARM", f"Threshold Crossed: {_count(breaching)} {what}"
    if missing == "ignore" and absent and alarm["StateValue"] == "ALARM":
        return None
    if not present:
        return "OK", (
            f"Threshold Crossed: no datapoints were received for {_periods(absent)} and {_periods(absent)} "
            "missing datapoints were treated as [NonBreaching]."
        )
    calm = len(present) - breaching
    return "OK", (
        f"Threshold Crossed: {_count(calm)} [{shown}] {_were(calm)} not {words} the threshold ({threshold})."
    )


def _count(number: int) -> str:
    return f"{number} datapoint{'s' if number != 1 else ''}"


def _periods(number: int) -> str:
    return f"{number} period{'s' if number != 1 else ''}"


def _were(number: int) -> str:
    return "were" if number != 1 else "was"


def _reason_data(alarm: Record, values: list[float | None]) -> Record:
    return {
        "version": "1.0",
        "statistic": alarm.get("Statistic") or alarm["ExtendedStatistic"],
        "period": alarm["Period"],
        "recentDatapoints": [value for value in values if value is not None],
        "threshold": alarm["Threshold"],
    }
