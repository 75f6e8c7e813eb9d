"""Metrics of invocations: gathered and added up, handed to CloudWatch a few times a second at most.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sandbox.engine.engine import Engine
from sandbox.services.sagemaker_runtime.background import Json, add, gathered

if TYPE_CHECKING:
    from sandbox.engine.operations import Call

NAME = "invocation-metrics"
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


def record(call: Call, invocation: Invocation) -> None:
    """Adds one invocation; costs microseconds."""
    item = {"account": call.account, "region": call.region, "invocation": asdict(invocation)}
    add(call.engine, NAME, item)


@gathered(NAME, INTERVAL)
def hand_over(engine: Engine, identifier: str, items: list[Json]) -> None:
    """One task of CloudWatch's an account and region, with all values of each metric added up."""
    now = engine.clock.now()
    places: dict[tuple[str, str], dict[tuple[str, str, str], Json]] = {}
    for item in items:
        data = places.setdefault((item["account"], item["region"]), {})
        invocation = Invocation(**item["invocation"])
        for name, (value, unit) in invocation.values().items():
            key = (name, invocation.endpoint, invocation.variant)
            _add(data.setdefault(key, {"name": name, "unit": unit, "time": now, "values": {}}), value)
    for (account, region), data in places.items():
        for (_, endpoint, variant), datum in data.items():
            datum["dimensions"] = {"EndpointName": endpoint, "VariantName": variant}
        payload = {"account": account, "region": region, "namespace": NAMESPACE, "data": list(data.values())}
        engine.tasks.submit(INGEST, f"{account}/{region}/{identifier}", payload)


def _add(datum: dict[str, Any], value: float) -> None:
    key = f"{value:.4g}"
    datum["values"][key] = datum["values"].get(key, 0) + 1
