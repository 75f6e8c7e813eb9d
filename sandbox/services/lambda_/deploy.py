"""From a package to a function that runs: Pending to Active, InProgress to Successful, as a durable task."""

from __future__ import annotations

import logging
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.tasks import task
from sandbox.runtimes import EnvironmentFailed
from sandbox.runtimes.functions import environment
from sandbox.services.lambda_ import packages
from sandbox.services.lambda_.environments import forget
from sandbox.services.lambda_.layers import layer_zips
from sandbox.services.lambda_.records import functions, versions

log = logging.getLogger(__name__)


def begin(engine: Engine, account: str, region: str, name: str) -> None:
    """Queues the deployment of what the record asks for; inside the record's transaction."""
    engine.tasks.submit("lambda.deploy", f"{account}/{region}/{name}")


@task("lambda.deploy")
def deploy(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    account, region, name = key.split("/", 2)
    record = functions(engine, account, region).get(name)
    if record is None:
        return
    revision, problem = record["RevisionId"], ""
    try:
        environment()
        packages.unpacked(engine, [record["code"]["zip"]])
        layers = layer_zips(engine, account, region, record["config"].get("Layers") or [])
        if layers:
            packages.unpacked(engine, layers)
    except EnvironmentFailed as error:
        log.warning("function %s: %s", name, error)
        problem = str(error)
    with engine.store.transaction():
        record = functions(engine, account, region).get(name)
        if record is None or record["RevisionId"] != revision:
            return  # changed meanwhile: its own task follows
        _settle(record, problem)
        functions(engine, account, region).put(name, record)
        for version in versions(engine, account, region).list(f"{name}:"):
            if version["State"] == "Pending":
                _settle(version, problem)
                versions(engine, account, region).put(f"{name}:{version['Version']}", version)
        engine.events.put(
            account,
            region,
            source="sandbox.lambda",
            detail_type="Function State Change",
            detail={"FunctionName": name},
        )
    forget(engine, account, region, name, latest_only=True)


def _settle(record: dict[str, Any], problem: str) -> None:
    created = record["State"] == "Pending"
    for member in ("StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode"):
        record.pop(member, None)
    if not problem:
        record |= {"State": "Active", "LastUpdateStatus": "Successful"}
        record["live"] = {
            "config": record["config"],
            "code": record["code"],
            "revision": record["RevisionId"],
        }
    elif created:
        record |= {"State": "Failed", "StateReason": problem, "StateReasonCode": "InternalError"}
    else:
        record |= {
            "LastUpdateStatus": "Failed",
            "LastUpdateStatusReason": problem,
            "LastUpdateStatusReasonCode": "InternalError",
        }
