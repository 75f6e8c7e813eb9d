"""Statistics and constraints of a data set, in the files that SageMaker Model Monitor reads and writes.

https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-statistics.html
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from bikeshare import Column, Row

BUCKETS = 10
SKETCH_SIZE = 2048
SKETCH_SHRINKING_FACTOR = 0.64


def statistics(columns: Sequence[Column], rows: list[Row]) -> dict[str, Any]:
    """`statistics.json` of validated rows."""
    features: list[dict[str, Any]] = []
    for position, column in enumerate(columns):
        entry: dict[str, Any] = {"name": column.name, "inferred_type": inferred_type(column)}
        if column.categories:
            entry["string_statistics"] = string_statistics([row.text[position] for row in rows])
        else:
            entry["numerical_statistics"] = numerical_statistics([row.features[position] for row in rows])
        features.append(entry)
    return {"version": 0.0, "dataset": {"item_count": len(rows)}, "features": features}


def constraints(columns: Sequence[Column]) -> dict[str, Any]:
    """`constraints.json`: what later data must keep to."""
    features = []
    for column in columns:
        entry: dict[str, Any] = {"name": column.name, "inferred_type": inferred_type(column)}
        entry["completeness"] = 1.0
        if column.categories:
            entry["string_constraints"] = {"domains": list(column.categories)}
        else:
            entry["num_constraints"] = {"is_non_negative": column.lowest >= 0}
        features.append(entry)
    return {
        "version": 0.0,
        "features": features,
        "monitoring_config": {
            "evaluate_constraints": "Enabled",
            "emit_metrics": "Enabled",
            "datatype_check_threshold": 1.0,
            "domain_content_threshold": 1.0,
            "distribution_constraints": {
                "perform_comparison": "Enabled",
                "comparison_threshold": 0.1,
                "comparison_method": "Robust",
                "categorical_comparison_threshold": 0.1,
                "categorical_drift_method": "LInfinity",
            },
        },
    }


def inferred_type(column: Column) -> str:
    """Model Monitor's name of the column's type."""
    return "String" if column.categories else "Integral" if column.integral else "Fractional"


def string_statistics(values: list[str]) -> dict[str, Any]:
    """Counts of each category."""
    counts = Counter(values)
    buckets = [{"value": value, "count": count} for value, count in sorted(counts.items())]
    return {
        "common": {"num_present": len(values), "num_missing": 0},
        "distinct_count": float(len(counts)),
        "distribution": {"categorical": {"buckets": buckets}},
    }


def numerical_statistics(values: list[float]) -> dict[str, Any]:
    """Moments, ten equal-width buckets and a quantile sketch."""
    total = math.fsum(values)
    mean = total / len(values)
    lowest, highest = min(values), max(values)
    return {
        "common": {"num_present": len(values), "num_missing": 0},
        "mean": mean,
        "sum": total,
        "std_dev": math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values)),
        "min": lowest,
        "max": highest,
        "distribution": {"kll": {"buckets": histogram(values, lowest, highest), "sketch": sketch(values)}},
    }


def histogram(values: list[float], lowest: float, highest: float) -> list[dict[str, float]]:
    """Counts in ten buckets of equal width; the last one includes its upper bound."""
    width = (highest - lowest) / BUCKETS
    counts = [0] * BUCKETS
    for value in values:
        counts[min(int((value - lowest) / width), BUCKETS - 1) if width else 0] += 1
    return [
        {
            "lower_bound": lowest + position * width,
            "upper_bound": highest if position == BUCKETS - 1 else lowest + (position + 1) * width,
            "count": float(count),
        }
        for position, count in enumerate(counts)
    ]


def sketch(values: list[float]) -> dict[str, Any]:
    """A KLL sketch: an item in list `level` of `data` stands for 2**level values.

    Each compaction keeps every other value of a full, sorted level for the next level; an odd one out
    stays, so the weights always add up to the number of values. (A sketch halves a level at random; here
    it starts with the lower of each pair, so that the same data always gives the same file.)
    """
    levels = [sorted(values)]
    while len(levels[-1]) > SKETCH_SIZE:
        full = levels[-1]
        levels[-1] = full[len(full) // 2 * 2 :]
        levels.append(full[: len(full) // 2 * 2 : 2])
    return {"parameters": {"c": SKETCH_SHRINKING_FACTOR, "k": float(SKETCH_SIZE)}, "data": levels}
