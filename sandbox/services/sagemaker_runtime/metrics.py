"""Metrics of invocations: added up in memory, handed to CloudWatch a few times a second at most.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.services.sagemaker_runtime.background import Gatherer

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine
    from sandbox.engine.operations import Call

INTERVAL = 0.1
INGEST = "cloudwatch.ingest"
"""CloudWatch's task for the metrics of services."""
NAMESPACE = "AWS/SageMaker"
MICROSECONDS = 1e6


@dataclass
class Invocation:
    """One answered request; `latency` of the model and `overhead` of the endpoint in seconds."""

    endpoint: str
    variant: str
    status: int
    latency: float
    overhead: float = 0.0

    def values(self) -> dict[str, tuple[float, str]]:
        """(value, unit) by metric name."""
        return {
            "Invocations": (1.0, "None"),
            "Invocation4XXErrors": (float(400 <= self.status < 500), "None"),
            "Invocation5XXErrors": (float(self.status >= 500), "None"),
            "InvocationModelErrors": (float(self.status >= 400), "None"),
            "ModelLatency": (self.latency * MICROSECONDS, "Microseconds"),
            "OverheadLatency": (max(0.0, self.overhead) * MICROSECONDS, "Microseconds"),
        }


Sample = tuple[str, str, Invocation]
_GATHERERS: weakref.WeakKeyDictionary[Engine, Gatherer[Sample]] = weakref.WeakKeyDictionary()


def record(call: Call, invocation: Invocation) -> None:
    """Adds one invocation; costs microseconds."""
    gatherer = _GATHERERS.get(call.engine)
    if gatherer is None:
        engine = weakref.ref(call.engine)
        gatherer = Gatherer("endpoint metrics", INTERVAL, lambda items: _hand_over(engine(), items))
        gatherer = _GATHERERS.setdefault(call.engine, gatherer)
    gatherer.add((call.account, call.region, invocation))


def _hand_over(engine: Engine | None, items: list[Sample]) -> None:
    if engine is None:
        return
    now = engine.clock.now()
    places: dict[tuple[str, str], dict[tuple[str, str, str], dict[str, Any]]] = {}
    for account, region, invocation in items:
        data = places.setdefault((account, region), {})
        for name, (value, unit) in invocation.values().items():
            key = (name, invocation.endpoint, invocation.variant)
            _add(data.setdefault(key, {"name": name, "unit": unit, "time": now, "values": {}}), value)
    for (account, region), data in places.items():
        for (_, endpoint, variant), datum in data.items():
            datum["dimensions"] = {"EndpointName": endpoint, "VariantName": variant}
        payload = {"account": account, "region": region, "namespace": NAMESPACE, "data": list(data.values())}
        engine.tasks.submit(INGEST, f"{account}/{region}/{now}", payload)


def _add(datum: dict[str, Any], value: float) -> None:
    key = f"{value:.4g}"
    datum["values"][key] = datum["values"].get(key, 0) + 1
