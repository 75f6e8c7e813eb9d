"""The work behind an endpoint's status: create, blue/green update with rollback, scale, delete.

One task an endpoint. It is run again after a crash and whenever an alarm that watches a deployment changes,
so every step starts from the record: what was reached is written there before the next wait.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.events import Event, listener
from sandbox.engine.tasks import Again, given_up, task
from sandbox.services.sagemaker import deployment_alarms, endpoint_fleets, endpoint_routes, resource_tags
from sandbox.services.sagemaker.deployment_config import Step, alarm_names, steps, timeout
from sandbox.services.sagemaker.endpoint_fleets import FleetFailed
from sandbox.services.sagemaker.endpoint_records import DEPLOY, Place, all_places

Record = dict[str, Any]


@task(DEPLOY)
def deploy(engine: Engine, key: str, payload: Record) -> Again | None:
    place = Place.parse(engine, key)
    record = place.read()
    deployment = record.get("Deployment") if record else None
    if record is None or deployment is None:
        return None
    work = {"Create": _create, "Update": _update, "Scale": _scale, "Delete": _delete}[deployment["Kind"]]
    return work(place, record, deployment)


@given_up(DEPLOY)
def give_up(engine: Engine, key: str, payload: dict[str, Any], reason: str) -> None:
    """Ends a deployment whose step failed again and again, for a reason that no service told."""
    place = Place.parse(engine, key)
    record = place.read()
    if record is None or not record.get("Deployment"):
        return
    ends = {"Create": "Failed", "Update": "UpdateRollbackFailed", "Delete": "Failed", "Scale": "InService"}
    status = ends[record["Deployment"]["Kind"]]
    place.change(EndpointStatus=status, FailureReason=reason, Deployment=None)


def _create(place: Place, record: Record, deployment: Record) -> None:
    plan = deployment["Fleet"]
    try:
        endpoint_fleets.start(place, plan)
    except FleetFailed as failure:
        endpoint_fleets.stop(place, plan["Id"])
        place.change(EndpointStatus="Failed", FailureReason=str(failure), Deployment=None)
        return
    endpoint_routes.apply(place, record, [(plan, 1.0)])
    place.change(
        EndpointStatus="InService",
        EndpointConfigName=deployment["EndpointConfigName"],
        Fleet=plan,
        Deployment=None,
        FailureReason=None,
    )


def _update(place: Place, record: Record, deployment: Record) -> Again | None:
    clock = place.engine.clock
    green, config = deployment["Fleet"], deployment.get("Config")
    if deployment.get("RollingBack"):
        return _roll_back(place, record, deployment, deployment["RollingBack"])
    try:
        endpoint_fleets.start(place, green)
        # After a restart the old fleet must be there again before traffic is shared between both.
        endpoint_fleets.start(place, record["Fleet"])
    except FleetFailed as failure:
        return _roll_back(place, record, deployment, str(failure))
    reason = deployment_alarms.reason_to_stop(place, green, alarm_names(config))
    rang = (place.read() or {}).get("Rang") or {}
    if reason is None and rang.get("Fleet") == green["Id"]:
        reason = deployment_alarms.went_off([rang["Alarm"]])
    if reason is None and clock.now() - deployment["Started"] > timeout(config):
        reason = "The deployment exceeded MaximumExecutionTimeoutInSeconds."
    if reason:
        return _roll_back(place, record, deployment, reason)
    plan = steps(config, sum(variant["Count"] for variant in green["Variants"]))
    number, until = deployment.get("Step", -1), deployment.get("Until", 0.0)
    if number >= 0:
        endpoint_routes.apply(place, record, shares_of(record, deployment, plan))
        if clock.now() < until:
            return Again(until - clock.now())
    while (number := number + 1) < len(plan):
        step = plan[number]
        deployment |= {
            "Step": number,
            "Until": clock.now() + clock.scaled(step.wait),
            "VariantStatus": "Baking" if step.share >= 1 else "ActivatingTraffic",
        }
        record = place.change(Deployment=deployment)
        endpoint_routes.apply(place, record, shares_of(record, deployment, plan))
        if step.wait:
            return Again(clock.scaled(step.wait))
    _finish(place, record, deployment)
    return None


def shares_of(record: Record, deployment: Record, plan: list[Step]) -> list[tuple[Record, float]]:
    """(fleet plan, share of the traffic) of the step that an update has reached."""
    share = plan[deployment["Step"]].share
    return [(record["Fleet"], 1.0 - share), (deployment["Fleet"], share)]


def _finish(place: Place, record: Record, deployment: Record) -> None:
    blue, green = record["Fleet"], deployment["Fleet"]
    place.change(
        EndpointStatus="InService",
        EndpointConfigName=deployment["EndpointConfigName"],
        Fleet=green,
        Deployment=None,
        FailureReason=None,
    )
    endpoint_fleets.stop(place, blue["Id"])


def _roll_back(place: Place, record: Record, deployment: Record, reason: str) -> Again | None:
    """Back to the old fleet; what the task returns."""
    blue, green = record["Fleet"], deployment["Fleet"]
    deployment["RollingBack"] = reason
    record = place.change(EndpointStatus="RollingBack", FailureReason=reason, Deployment=deployment)
    try:
        endpoint_fleets.start(place, blue)
    except FleetFailed as failure:
        place.change(
            EndpointStatus="UpdateRollbackFailed",
            FailureReason=f"{reason} The rollback failed: {failure}",
            Deployment=None,
        )
        endpoint_fleets.stop(place, green["Id"])
        return None
    endpoint_routes.apply(place, record, [(blue, 1.0)])
    endpoint_fleets.stop(place, green["Id"])
    place.change(EndpointStatus="InService", FailureReason=reason, Deployment=None)
    return None


def _scale(place: Place, record: Record, deployment: Record) -> None:
    plan = record["Fleet"]
    before = [dict(variant) for variant in plan["Variants"]]
    for variant in plan["Variants"]:
        variant["Weight"] = variant.pop("DesiredWeight", variant["Weight"])
        variant["Count"] = variant.pop("DesiredCount", variant["Count"])
    reason = None
    try:
        endpoint_fleets.start(place, plan)
    except FleetFailed as failure:
        reason = str(failure)
        plan["Variants"] = [
            {name: value for name, value in variant.items() if not name.startswith("Desired")}
            for variant in before
        ]
    removed = endpoint_fleets.shrink(place, plan)
    endpoint_routes.apply(place, record, [(plan, 1.0)])
    place.change(EndpointStatus="InService", FailureReason=reason, Fleet=plan, Deployment=None)
    endpoint_fleets.drain(removed)


def _delete(place: Place, record: Record, deployment: Record) -> None:
    endpoint_routes.remove(place)
    if record.get("Fleet"):
        endpoint_fleets.stop(place, record["Fleet"]["Id"])
    with place.engine.store.transaction():
        place.tell(record | {"EndpointStatus": "Deleted"})
        place.records.delete(place.name)
        tags = place.engine.records(place.account, place.region, "sagemaker", resource_tags.KIND)
        tags.delete(record["EndpointArn"])


@listener(source="aws.cloudwatch", detail_type="CloudWatch Alarm State Change")
def on_alarm(engine: Engine, event: Event) -> None:
    """Notes that an alarm went off during a deployment it watches, and wakes that.

    Noted, because the alarm may be calm again before the deployment looks.
    """
    if event["detail"]["state"]["value"] != "ALARM":
        return
    alarm, moment = event["detail"]["alarmName"], datetime.fromisoformat(event["time"]).timestamp()
    for place in all_places(engine):
        if (place.account, place.region) != (event["account"], event["region"]):
            continue
        with engine.store.transaction():
            deployment = (place.read() or {}).get("Deployment") or {}
            # Events tell whole seconds.
            if alarm in alarm_names(deployment.get("Config")) and moment >= int(deployment["Started"]):
                place.change(Rang={"Fleet": deployment["Fleet"]["Id"], "Alarm": alarm})
                engine.tasks.submit(DEPLOY, place.key)
