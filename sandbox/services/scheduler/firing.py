"""When a schedule is due: one run a time of the schedule, whatever happens in between.

A schedule's times follow one another on the sandbox's clock. While the sandbox is off that clock goes as
the one on the wall: of the times missed, the last one is run when the sandbox is back, if it is no older than
the target's MaximumEventAgeInSeconds; the others are gone.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.engine import schedules
from sandbox.engine.engine import Engine
from sandbox.engine.store import Records
from sandbox.engine.tasks import Again, task
from sandbox.services.scheduler.groups import SERVICE

FIRE = "scheduler.fire"
INVOKE = "scheduler.invoke"
_LATE = 5.0
"""Real seconds after its time at which a run counts as missed: the sandbox was off."""
_MOST_MISSED = 100_000


def schedules_of(engine: Engine, account: str, region: str) -> Records:
    return engine.records(account, region, SERVICE, "schedule")


def plan(engine: Engine, account: str, region: str, schedule: dict[str, Any], *, first: bool = False) -> None:
    """Writes the schedule and when it is due next; or that it is over. To be called in a transaction.

    `last` is the moment on the schedule's clock that `due` is counted from.
    """
    key = f"{schedule['GroupName']}/{schedule['Name']}"
    records = schedules_of(engine, account, region)
    schedule |= {"slot": None, "due": None}
    if schedule["State"] == "ENABLED":
        slot = next_slot(schedule, first=first)
        if slot is None:
            _complete(engine, account, region, schedule)
            return
        wait = engine.clock.scaled(max(0.0, slot - schedule["last"]))
        schedule |= {"slot": slot, "due": engine.clock.now() + wait}
        engine.tasks.submit(FIRE, f"{account}/{region}/{key}", after=wait)
    else:
        engine.tasks.cancel(FIRE, f"{account}/{region}/{key}")
    records.put(key, schedule)


def _complete(engine: Engine, account: str, region: str, schedule: dict[str, Any]) -> None:
    """A schedule that will never be due again stays as it is, or goes where it says so."""
    records = schedules_of(engine, account, region)
    key = f"{schedule['GroupName']}/{schedule['Name']}"
    engine.tasks.cancel(FIRE, f"{account}/{region}/{key}")
    if schedule["ActionAfterCompletion"] == "DELETE":
        records.delete(key)
    else:
        records.put(key, schedule)


def next_slot(schedule: dict[str, Any], *, first: bool = False) -> float | None:
    """The time after `last` at which the schedule is due; a rate begins at once, or at its start date."""
    expression = schedule["ScheduleExpression"]
    zone = ZoneInfo(schedule["ScheduleExpressionTimezone"])
    last: float = schedule["last"]
    recurring = schedules.moment_of(expression, zone) is None
    begin = schedule.get("StartDate") if recurring else None
    slot: float | None
    if schedules.interval(expression) is not None and first:
        slot = max(last, begin or last)
    else:
        after = max(last, begin - 1) if begin is not None else last
        slot = schedules.next_time(expression, after, zone)
    end = schedule.get("EndDate") if recurring else None
    return None if slot is None or (end is not None and slot > end) else slot


@task(FIRE)
def fire(engine: Engine, key: str, payload: dict[str, Any]) -> Again | None:
    account, region, name = key.split("/", 2)
    records = schedules_of(engine, account, region)
    with engine.store.transaction():
        schedule = records.get(name)
        if schedule is None or schedule["State"] != "ENABLED" or schedule["slot"] is None:
            return None
        late = engine.clock.now() - schedule["due"]
        if late < 0:
            return Again(-late)
        slot, age = last_missed(schedule, late) if late > _LATE else (schedule["slot"], 0.0)
        if age <= schedule["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"]:
            _invoke(engine, account, region, schedule, slot)
        schedule["last"] = slot + age
        plan(engine, account, region, schedule)
    return None


def last_missed(schedule: dict[str, Any], late: float) -> tuple[float, float]:
    """The last time of the schedule that has passed, and its age."""
    now = schedule["slot"] + late
    slot: float = schedule["slot"]
    for _ in range(_MOST_MISSED):
        following = next_slot(schedule | {"last": slot})
        if following is None or following > now:
            break
        slot = following
    return slot, now - slot


def _invoke(engine: Engine, account: str, region: str, schedule: dict[str, Any], slot: float) -> None:
    """Writes down that the target is to be called for this time: once, somewhere in the flexible window."""
    key = f"{schedule['GroupName']}/{schedule['Name']}/{slot:.0f}"
    records = engine.records(account, region, SERVICE, "invocation")
    if records.get(key) is not None:
        return
    window = schedule["FlexibleTimeWindow"].get("MaximumWindowInMinutes", 0) * 60
    wait = engine.clock.scaled(random.uniform(0, window))
    record = {
        "schedule": schedule["Arn"],
        "group": schedule["GroupName"],
        "target": schedule["Target"],
        "time": f"{datetime.fromtimestamp(slot, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "created": engine.clock.now() + wait,
        "attempts": 0,
        "status": "PENDING",
    }
    records.put(key, record)
    engine.tasks.submit(INVOKE, f"{account}/{region}/{key}", after=wait)
