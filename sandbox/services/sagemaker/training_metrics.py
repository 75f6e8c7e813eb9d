"""Metrics that a training job prints: MetricDefinitions become FinalMetricDataList."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any


class Metrics:
    """Reads log lines; the last value of each metric counts."""

    def __init__(self, definitions: list[dict[str, str]], now: Callable[[], float]) -> None:
        self._patterns = [(each["Name"], re.compile(each["Regex"])) for each in definitions]
        self._now = now
        self._values: dict[str, tuple[float, float]] = {}

    def read(self, line: str) -> None:
        for name, pattern in self._patterns:
            for match in pattern.finditer(line):
                value = _number(match.group(1))
                if value is not None:
                    self._values[name] = (value, self._now())

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList, in the order of the definitions."""
        return [
            {"MetricName": name, "Value": self._values[name][0], "Timestamp": self._values[name][1]}
            for name, _ in self._patterns
            if name in self._values
        ]


def _number(text: str | None) -> float | None:
    """What is matched but is no finite number is no data point."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
