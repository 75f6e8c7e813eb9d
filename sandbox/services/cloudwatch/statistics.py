"""Statistic sets: what is kept of many values, and what statistics can be read from it."""

from __future__ import annotations

import re
from typing import Any

from sandbox.engine.operations import AwsError

StatisticSet = dict[str, Any]
"""sum, min, max, count, and `values`: how often each value (to four digits) came, for percentiles."""

SIMPLE = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")
PERCENTILE = re.compile(r"^p(\d{1,2}(?:\.\d{1,10})?|100)$")
MAXIMUM_VALUES = 500


def of_values(values: dict[str, float]) -> StatisticSet:
    """From counts by value."""
    numbers = [(float(value), count) for value, count in values.items()]
    return {
        "sum": sum(value * count for value, count in numbers),
        "min": min(value for value, _ in numbers),
        "max": max(value for value, _ in numbers),
        "count": sum(count for _, count in numbers),
        "values": dict(values),
    }


def merge(one: StatisticSet | None, other: StatisticSet) -> StatisticSet:
    if one is None:
        return other
    values = dict(one["values"])
    for value, count in other["values"].items():
        values[value] = values.get(value, 0) + count
    if len(values) > MAXIMUM_VALUES:
        values = _coarser(values)
    return {
        "sum": one["sum"] + other["sum"],
        "min": min(one["min"], other["min"]),
        "max": max(one["max"], other["max"]),
        "count": one["count"] + other["count"],
        "values": values,
    }


def _coarser(values: dict[str, float]) -> dict[str, float]:
    """Values to two digits: percentiles stay within five per cent."""
    coarse: dict[str, float] = {}
    for value, count in values.items():
        key = f"{float(value):.2g}"
        coarse[key] = coarse.get(key, 0) + count
    return coarse


def check(statistic: str) -> None:
    """AwsError for a statistic that the sandbox does not compute."""
    if statistic not in SIMPLE and not PERCENTILE.match(statistic):
        raise AwsError("ValidationError", f"The statistic {statistic} is not implemented by the sandbox.")


def read(data: StatisticSet, statistic: str) -> float:
    """One statistic of a set."""
    simple = {
        "SampleCount": data["count"],
        "Sum": data["sum"],
        "Minimum": data["min"],
        "Maximum": data["max"],
        "Average": data["sum"] / data["count"] if data["count"] else 0.0,
    }
    if statistic in simple:
        return float(simple[statistic])
    match = PERCENTILE.match(statistic)
    assert match
    return _percentile(data["values"], float(match[1]))


def _percentile(values: dict[str, float], percent: float) -> float:
    ordered = sorted((float(value), count) for value, count in values.items())
    wanted = percent / 100 * sum(count for _, count in ordered)
    reached = 0.0
    for value, count in ordered:
        reached += count
        if reached >= wanted:
            return value
    return ordered[-1][0]
