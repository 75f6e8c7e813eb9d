"""Metrics that services of the sandbox publish: a task, so that a service needs to know its name only.

Payload: account, region, namespace, data: a list of {name, dimensions: {name: value}, unit, time (epoch
seconds), values: {value: count}}.
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.tasks import task
from sandbox.services.cloudwatch.evaluation import evaluate_soon
from sandbox.services.cloudwatch.statistics import of_values
from sandbox.services.cloudwatch.store import Metric, MetricStore


@task("cloudwatch.ingest")
def ingest(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    store = MetricStore(engine, payload["account"], payload["region"])
    metrics = []
    with engine.store.transaction():
        for datum in payload["data"]:
            metric = Metric(payload["namespace"], datum["name"], tuple(sorted(datum["dimensions"].items())))
            store.add(metric, datum["time"], of_values(datum["values"]), datum["unit"])
            metrics.append(metric)
        evaluate_soon(store, metrics)
