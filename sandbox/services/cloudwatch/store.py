"""Where data points are kept: a record an hour of each metric, and the last hour in memory for alarms.

Alarms need finer times than the minutes that are kept, because AWS's periods pass faster on the sandbox's
clock; what is in memory is lost with the process, as alarms look back over minutes only.
"""

from __future__ import annotations

import collections
import json
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.services.cloudwatch.statistics import StatisticSet, merge

MINUTE, HOUR = 60, 3600
RECENT = 5000
METRIC = "metric"
POINTS = "datapoints"
Recent = collections.deque[tuple[float, StatisticSet]]


@dataclass(frozen=True)
class Metric:
    """What identifies a metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, dimensions: list[dict[str, str]] | None) -> Metric:
        """From API members."""
        return cls(namespace, name, tuple(sorted((item["Name"], item["Value"]) for item in dimensions or [])))

    @property
    def key(self) -> str:
        return json.dumps([self.namespace, self.name, self.dimensions], separators=(",", ":"))

    def members(self) -> dict[str, Any]:
        """As the API shows it."""
        return {
            "Namespace": self.namespace,
            "MetricName": self.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in self.dimensions],
        }


@dataclass
class _Memory:
    lock: threading.Lock = field(default_factory=threading.Lock)
    recent: dict[tuple[str, str, str], Recent] = field(default_factory=dict)


_MEMORY: weakref.WeakKeyDictionary[Engine, _Memory] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


def _memory(engine: Engine) -> _Memory:
    with _LOCK:
        return _MEMORY.setdefault(engine, _Memory())


@dataclass(frozen=True)
class MetricStore:
    """The metrics of one account and region."""

    engine: Engine
    account: str
    region: str

    def _records(self, kind: str) -> Any:
        return self.engine.records(self.account, self.region, "cloudwatch", kind)

    def add(self, metric: Metric, moment: float, data: StatisticSet, unit: str | None) -> None:
        """Adds to the minute of `moment`; call inside a transaction."""
        metrics, points = self._records(METRIC), self._records(POINTS)
        metrics.put(metric.key, metric.members() | {"LastTime": moment, "Unit": unit or "None"})
        hour = int(moment // HOUR)
        record = points.get(f"{metric.key}|{hour}") or {}
        minute = str(int(moment % HOUR // MINUTE))
        record[minute] = merge(record.get(minute), data)
        points.put(f"{metric.key}|{hour}", record)
        memory = _memory(self.engine)
        with memory.lock:
            key = (self.account, self.region, metric.key)
            memory.recent.setdefault(key, collections.deque(maxlen=RECENT)).append((moment, data))

    def all(self) -> list[dict[str, Any]]:
        """The records of every metric."""
        return list(self._records(METRIC).list())

    def unit(self, metric: Metric) -> str:
        return str((self._records(METRIC).get(metric.key) or {}).get("Unit", "None"))

    def minutes(self, metric: Metric, start: float, end: float) -> Iterator[tuple[float, StatisticSet]]:
        """(time of the minute, statistics) from `start` to before `end`."""
        points = self._records(POINTS)
        for hour in range(int(start // HOUR), int(end // HOUR) + 1):
            record = points.get(f"{metric.key}|{hour}") or {}
            for minute, data in sorted(record.items(), key=lambda item: int(item[0])):
                moment = hour * HOUR + int(minute) * MINUTE
                if start <= moment < end:
                    yield float(moment), data

    def between(self, metric: Metric, start: float, end: float) -> StatisticSet | None:
        """What came after `start` and up to `end`, lately; None where nothing did."""
        memory = _memory(self.engine)
        with memory.lock:
            recent = list(memory.recent.get((self.account, self.region, metric.key), ()))
        result: StatisticSet | None = None
        for moment, data in recent:
            if start < moment <= end:
                result = merge(result, data)
        return result
