"""Endpoints serve for as long as they exist: again after a restart, again when a model server dies."""

from __future__ import annotations

import threading
import weakref
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.tasks import Again, task
from sandbox.runtimes.serving.routes import routes_of
from sandbox.services.sagemaker import endpoint_fleets, endpoint_routes
from sandbox.services.sagemaker.deployment_config import steps
from sandbox.services.sagemaker.endpoint_deployment import shares_of
from sandbox.services.sagemaker.endpoint_fleets import FleetFailed
from sandbox.services.sagemaker.endpoint_records import KEEP, RESTORE, Place, all_places

RETRY_SECONDS = 10.0
_KEPT: weakref.WeakKeyDictionary[Engine, bool] = weakref.WeakKeyDictionary()


@task(KEEP)
def keep(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    """Restores every endpoint once a process, then stays: what is unfinished runs at the next start."""
    if engine not in _KEPT:
        _KEPT[engine] = True
        for place in all_places(engine):
            if (place.read() or {}).get("Fleet"):
                routes_of(engine).expect(place.route_key)
                engine.tasks.submit(RESTORE, place.key)
    threading.Event().wait()
    return None


@task(RESTORE)
def restore(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    """Brings the fleets that serve an endpoint back to their number, and its route with them."""
    place = Place.parse(engine, key)
    record = place.read()
    if record is None or not record.get("Fleet") or record["EndpointStatus"] == "Deleting":
        return None
    deployment = record.get("Deployment")
    shares: list[tuple[dict[str, Any], float]] = [(record["Fleet"], 1.0)]
    if deployment and deployment["Kind"] == "Update" and "Step" in deployment:
        count = sum(variant["Count"] for variant in deployment["Fleet"]["Variants"])
        shares = shares_of(record, deployment, steps(deployment.get("Config"), count))
    serving = [plan for plan, share in shares if share > 0]
    try:
        # One instance of each variant serves before the others come up beside it.
        if any(variant["Count"] > 1 for plan in serving for variant in plan["Variants"]):
            for plan in serving:
                endpoint_fleets.start(place, _least(plan))
            if place.read() == record:
                endpoint_routes.apply(place, record, shares)
        for plan in serving:
            endpoint_fleets.start(place, plan)
    except FleetFailed:
        return Again(RETRY_SECONDS)
    # The record may have moved on meanwhile: the deployment then sets its own route, and what it has
    # stopped already must not have been started again here.
    current = place.read()
    wanted = _fleets_of(current)
    for plan, _ in shares:
        if plan["Id"] not in wanted:
            endpoint_fleets.stop(place, plan["Id"])
    if current and current.get("Deployment") == deployment and current.get("Fleet") == record["Fleet"]:
        endpoint_routes.apply(place, current, shares)
    return None


def _least(plan: dict[str, Any]) -> dict[str, Any]:
    """The fleet with one instance a variant."""
    return plan | {"Variants": [variant | {"Count": 1} for variant in plan["Variants"]]}


def _fleets_of(record: dict[str, Any] | None) -> set[str]:
    """Ids of the fleets that an endpoint has or is getting."""
    if record is None or record["EndpointStatus"] == "Deleting":
        return set()
    plans = (record.get("Fleet"), (record.get("Deployment") or {}).get("Fleet"))
    return {plan["Id"] for plan in plans if plan}
