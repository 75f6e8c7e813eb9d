"""Rollback triggers: alarms that turn an operation back, while it runs and for a time after.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.events import listener
from sandbox.services.cloudformation.deploy.operation import Operation
from sandbox.services.cloudformation.resources.waiting import settled, wake
from sandbox.services.cloudformation.stack.records import Record

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine


@listener(source="aws.cloudwatch", detail_type="CloudWatch Alarm State Change")
def _on_alarm(engine: Engine, event: dict[str, Any]) -> None:
    wake()


def watch(operation: Operation, target: Record) -> str | None:
    """Waits for the monitoring time to pass; why the operation is to be rolled back, or None."""
    stack = operation.stack
    settings = stack.get("RollbackConfiguration") or {}
    alarms = [item["Arn"].split(":alarm:", 1)[-1] for item in settings.get("RollbackTriggers", [])]
    if not alarms:
        return None
    engine = operation.engine
    with engine.store.transaction():
        stack = operation.stack
        if stack["Target"].get("MonitoredUntil") is None:
            seconds = engine.clock.scaled(60.0 * settings.get("MonitoringTimeInMinutes", 0))
            stack["Target"]["MonitoredUntil"] = engine.clock.now() + seconds
            operation.stacks.put(stack)
    until: float = stack["Target"]["MonitoredUntil"]
    target["MonitoredUntil"] = until

    def look() -> str | None:
        fault = _fault(operation, alarms)
        return fault if fault is not None else "" if engine.clock.now() >= until else None

    request = operation.request(
        {
            "ResourceType": "AWS::CloudFormation::Stack",
            "LogicalResourceId": stack["StackName"],
            "Token": target["Id"],
        }
    )
    return settled(request, look, until) or None


def _fault(operation: Operation, alarms: list[str]) -> str | None:
    client = operation.session().client("cloudwatch")
    answer = client.describe_alarms(AlarmNames=alarms, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    found = {
        item["AlarmName"]: item["StateValue"]
        for item in [*answer.get("MetricAlarms", []), *answer.get("CompositeAlarms", [])]
    }
    lost = [name for name in alarms if name not in found]
    if lost:
        return f"Rollback trigger alarm(s) [{', '.join(lost)}] do not exist."
    ringing = [name for name in alarms if found[name] == "ALARM"]
    return f"Alarm(s) [{', '.join(ringing)}] went into ALARM state." if ringing else None
