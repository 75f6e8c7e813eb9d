"""EventBridge Scheduler: a schedule lies in its group, the default one where a request names none.

Source: "Actions, resources, and condition keys for Amazon EventBridge Scheduler" in the Service Authorization
Reference.
"""

from __future__ import annotations

from sandbox.iam.actions.check import Asked, Check, Unmapped

_WITHOUT = frozenset(("ListScheduleGroups", "ListSchedules"))


def checks(asked: Asked) -> list[Check]:
    action = f"scheduler:{asked.operation}"
    if asked.operation in _WITHOUT:
        return [Check(action, ("*",))]
    given = asked.first("ResourceArn")
    if given:
        return [Check(action, (given,))]
    name = asked.first("Name")
    if name is None:
        raise Unmapped(action, "the request names no schedule")
    if asked.operation.endswith("ScheduleGroup"):
        return [Check(action, (asked.arn("scheduler", f"schedule-group/{name}"),))]
    group = asked.first("GroupName") or "default"
    return [Check(action, (asked.arn("scheduler", f"schedule/{group}/{name}"),))]
