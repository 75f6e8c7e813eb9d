"""What state an alarm takes for the values of its periods."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.services.cloudwatch import statistics
from sandbox.services.cloudwatch.evaluation import decide


def alarm(**members: Any) -> dict[str, Any]:
    return {
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1.0,
        "EvaluationPeriods": 3,
        "StateValue": "OK",
    } | members


@pytest.mark.parametrize(
    ("members", "values", "state"),
    [
        ({}, [1.0, 1.0, 1.0], "ALARM"),
        ({}, [1.0, 1.0, 0.0], "OK"),
        ({"DatapointsToAlarm": 2}, [1.0, 0.0, 1.0], "ALARM"),
        ({}, [None, None, None], "INSUFFICIENT_DATA"),
        ({"TreatMissingData": "notBreaching"}, [None, None, None], "OK"),
        ({"TreatMissingData": "breaching"}, [None, None, None], "ALARM"),
        ({"TreatMissingData": "breaching"}, [1.0, None, 0.0], "OK"),
        ({"TreatMissingData": "ignore"}, [None, None, None], None),
        ({"TreatMissingData": "ignore", "StateValue": "ALARM"}, [0.0, None, None], None),
        ({"ComparisonOperator": "LessThanThreshold"}, [0.5, 0.0, 0.9], "ALARM"),
    ],
)
def test_states(members: dict[str, Any], values: list[float | None], state: str | None) -> None:
    outcome = decide(alarm(**members), values)
    assert (outcome[0] if outcome else None) == state


def test_statistics_of_merged_sets() -> None:
    one = statistics.of_values({"1": 2, "5": 1})
    both = statistics.merge(one, statistics.of_values({"10": 1}))
    found = {name: statistics.read(both, name) for name in (*statistics.SIMPLE, "p50", "p100")}
    assert found == {
        "SampleCount": 4.0,
        "Average": 4.25,
        "Sum": 17.0,
        "Minimum": 1.0,
        "Maximum": 10.0,
        "p50": 1.0,
        "p100": 10.0,
    }


def test_many_values_stay_few_and_percentiles_near() -> None:
    data = statistics.of_values({"1": 1})
    for value in range(1000, 4000):
        data = statistics.merge(data, statistics.of_values({str(value): 1}))
    assert len(data["values"]) <= statistics.MAXIMUM_VALUES
    assert statistics.read(data, "p50") == pytest.approx(2500, rel=0.05)
    assert data["count"] == 3001
