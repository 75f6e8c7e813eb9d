"""What a fleet will be: a configuration and its models, written down once so that nothing can change it."""

from __future__ import annotations

from typing import Any

from sandbox.engine.identifiers import random_id
from sandbox.engine.operations import Call
from sandbox.services.sagemaker.endpoint_configs import find_config
from sandbox.services.sagemaker.models import find_model

Plan = dict[str, Any]


def plan_fleet(call: Call, config_name: str) -> Plan:
    """The plan of a fleet for a configuration; AwsError where it or one of its models does not exist."""
    config = find_config(call, config_name)
    models = {
        item["VariantName"]: find_model(call, item["ModelName"]) for item in config["ProductionVariants"]
    }
    variants = [_variant(item, models[item["VariantName"]], call) for item in config["ProductionVariants"]]
    plan: Plan = {
        "Id": random_id(20),
        "EndpointConfigName": config_name,
        "Variants": variants,
        "Role": next(iter(models.values()))["ExecutionRoleArn"],
        "NetworkIsolation": {name: model["EnableNetworkIsolation"] for name, model in models.items()},
    }
    capture = config.get("DataCaptureConfig")
    if capture:
        plan["Capture"] = {"EnableCapture": False} | capture
    return plan


def _variant(item: Plan, model: Plan, call: Call) -> Plan:
    container = model["Resolved"][0]
    variant: Plan = {
        "VariantName": item["VariantName"],
        "Weight": item["InitialVariantWeight"],
        "Count": item.get("InitialInstanceCount", 1),
        "Container": container,
        "ResolutionTime": call.engine.clock.now(),
    }
    if item.get("ServerlessConfig"):
        variant["Serverless"] = item["ServerlessConfig"]
    else:
        variant["InstanceType"] = item["InstanceType"]
    if item.get("ContainerStartupHealthCheckTimeoutInSeconds"):
        variant["HealthSeconds"] = item["ContainerStartupHealthCheckTimeoutInSeconds"]
    return variant


def retain(plan: Plan, current: Plan, excluded: list[Plan]) -> None:
    """UpdateEndpoint's RetainAllVariantProperties: counts and weights of the same variants stay."""
    left_out = {item["VariantPropertyType"] for item in excluded}
    before = {variant["VariantName"]: variant for variant in current["Variants"]}
    for variant in plan["Variants"]:
        old = before.get(variant["VariantName"])
        if old is None or "Serverless" in variant or "Serverless" in old:
            continue
        if "DesiredInstanceCount" not in left_out:
            variant["Count"] = old["Count"]
        if "DesiredWeight" not in left_out:
            variant["Weight"] = old["Weight"]
    if "DataCaptureConfig" not in left_out and current.get("Capture"):
        plan["Capture"] = current["Capture"]
