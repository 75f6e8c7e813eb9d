"""The alarms that watch a deployment, described as the execution role (cloudwatch:DescribeAlarms)."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError
from sandbox.services.sagemaker.endpoint_records import Place

SERVICE = "sagemaker.amazonaws.com"


def reason_to_stop(place: Place, plan: dict[str, Any], names: list[str]) -> str | None:
    """Why a deployment must roll back: an alarm went off, is missing, or cannot be seen. None: go on."""
    if not names:
        return None
    from botocore.exceptions import ClientError

    try:
        session = place.engine.clients.role(
            plan["Role"], service=SERVICE, session_name="SageMaker", region=place.region, source_arn=place.arn
        )
        alarms = session.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    except (AwsError, ClientError) as error:
        return f"The alarms of AutoRollbackConfiguration could not be described: {error}"
    states = {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}
    missing = [name for name in names if name not in states]
    if missing:
        return f"Could not find the alarms of AutoRollbackConfiguration: {', '.join(missing)}"
    ringing = [name for name in names if states[name] == "ALARM"]
    return went_off(ringing) if ringing else None


def went_off(names: list[str]) -> str:
    """The FailureReason of a deployment whose alarms went off."""
    return f"The deployment was rolled back because these alarms went off: {', '.join(names)}"
