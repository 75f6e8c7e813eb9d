"""DeploymentConfig: how traffic moves from the old fleet to the new, and what watches it.

https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green.html
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from sandbox.engine.operations import AwsError

Config = dict[str, Any]
MAXIMUM_ALARMS = 10
DEFAULT_TIMEOUT = 14400.0
CANARY_MAXIMUM = 50
LINEAR_RANGE = (10, 50)


@dataclass(frozen=True)
class Step:
    """`share` of the traffic on the new fleet, and how many of AWS's seconds to watch it."""

    share: float
    wait: float


def check_deployment_config(config: Config | None) -> None:
    """AwsError for what AWS refuses and what the sandbox does not do."""
    if not config:
        return
    if config.get("RollingUpdatePolicy"):
        raise AwsError(
            "ValidationException",
            "RollingUpdatePolicy of DeploymentConfig is not implemented by the sandbox.",
        )
    if len(alarm_names(config)) > MAXIMUM_ALARMS:
        raise AwsError("ValidationException", f"At most {MAXIMUM_ALARMS} alarms can be specified.")
    policy = config.get("BlueGreenUpdatePolicy")
    if policy:
        _check_routing(policy["TrafficRoutingConfiguration"])


def _check_routing(routing: Config) -> None:
    kind = routing["Type"]
    size = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(kind)
    for member in ("CanarySize", "LinearStepSize"):
        if member == size and not routing.get(member):
            raise AwsError("ValidationException", f"{member} is required for traffic routing type {kind}.")
        if member != size and routing.get(member):
            raise AwsError(
                "ValidationException", f"{member} cannot be specified for traffic routing type {kind}."
            )
    if size and routing[size]["Type"] == "CAPACITY_PERCENT":
        value = routing[size]["Value"]
        low, high = (1, CANARY_MAXIMUM) if kind == "CANARY" else LINEAR_RANGE
        if not low <= value <= high:
            raise AwsError(
                "ValidationException", f"{size} must be between {low} and {high} percent of the capacity."
            )


def alarm_names(config: Config | None) -> list[str]:
    alarms = ((config or {}).get("AutoRollbackConfiguration") or {}).get("Alarms", [])
    return [alarm["AlarmName"] for alarm in alarms]


def timeout(config: Config | None) -> float:
    """Seconds that the whole deployment may take."""
    policy = (config or {}).get("BlueGreenUpdatePolicy") or {}
    return float(policy.get("MaximumExecutionTimeoutInSeconds") or DEFAULT_TIMEOUT)


def steps(config: Config | None, instances: int) -> list[Step]:
    """The shifts of traffic in order; the last has all of it, and waits before the old fleet ends.

    `instances`: of the new fleet, for sizes given as INSTANCE_COUNT.
    """
    policy = (config or {}).get("BlueGreenUpdatePolicy")
    if not policy:
        return [Step(1.0, 0.0)]
    routing = policy["TrafficRoutingConfiguration"]
    bake = float(routing["WaitIntervalInSeconds"])
    end = Step(1.0, bake + float(policy.get("TerminationWaitInSeconds") or 0))
    if routing["Type"] == "ALL_AT_ONCE":
        return [end]
    if routing["Type"] == "CANARY":
        return [Step(_share(routing["CanarySize"], instances), bake), end]
    share = _share(routing["LinearStepSize"], instances)
    count = math.ceil(1 / share - 1e-9)
    return [Step(share * number, bake) for number in range(1, count)] + [end]


def _share(size: Config, instances: int) -> float:
    if size["Type"] == "CAPACITY_PERCENT":
        return float(size["Value"]) / 100
    return min(1.0, size["Value"] / max(1, instances))
