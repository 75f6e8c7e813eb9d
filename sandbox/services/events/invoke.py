"""Calling a target's API as the role of the target.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.operations import AwsError
from sandbox.services.events.transform import present, select

RULE_HEADER = "x-amzn-events-rule"
"""Header that names the rule by which a pipeline is started: what its trigger shows."""


@dataclass(frozen=True)
class Delivery:
    """`token`: the same for every attempt, so that a target that takes a token acts once."""

    target: dict[str, Any]
    event: dict[str, Any]
    rule_arn: str
    input: str
    token: str

    @property
    def resource(self) -> str:
        return str(self.target["Arn"]).split(":", 5)[5]

    def overrides(self) -> dict[str, Any]:
        """The input where the rule makes one for the target; an event as it is overrides nothing."""
        if not self.target.get("Input") and not self.target.get("InputTransformer"):
            return {}
        value = json.loads(self.input)
        if not isinstance(value, dict):
            raise ValueError(f"the input of target {self.target['Id']} is no JSON object")
        return value


def kind_of(arn: str) -> str:
    """The service of a target; ValidationException for one that events cannot be delivered to here."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn":
        raise AwsError("ValidationException", f"Provided Arn is not in correct format: {arn}")
    service, resource = parts[2], parts[5]
    if service == "codepipeline" and resource:
        return service
    if service == "codebuild" and resource.startswith("project/"):
        return service
    if service == "sagemaker" and resource.startswith("pipeline/"):
        return service
    raise AwsError(
        "ValidationException", f"The target type {service} is not implemented in the sandbox: {arn}"
    )


def invoke(session: Session, delivery: Delivery) -> None:
    """Raises botocore's ClientError where the target refuses, ValueError for an input it cannot take."""
    _TARGETS[kind_of(delivery.target["Arn"])](session, delivery)


def _codepipeline(session: Session, delivery: Delivery) -> None:
    overrides = delivery.overrides()
    unknown = set(overrides) - {"sourceRevisions", "variables"}
    if unknown:
        raise ValueError(f"unknown members of the input for a pipeline: {', '.join(sorted(unknown))}")
    client = session.client("codepipeline")

    def name_rule(params: dict[str, Any], **_: Any) -> None:
        params["headers"][RULE_HEADER] = delivery.rule_arn

    # The session, and so its client, is the rule's own: registering again replaces the same handler.
    client.meta.events.register(
        "before-call.codepipeline.StartPipelineExecution", name_rule, unique_id=RULE_HEADER
    )
    client.start_pipeline_execution(name=delivery.resource, clientRequestToken=delivery.token, **overrides)


def _codebuild(session: Session, delivery: Delivery) -> None:
    name = delivery.resource.removeprefix("project/")
    session.client("codebuild").start_build(
        projectName=name, idempotencyToken=delivery.token, **delivery.overrides()
    )


def _sagemaker(session: Session, delivery: Delivery) -> None:
    parameters = []
    for parameter in delivery.target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", []):
        value = parameter["Value"]
        if value.startswith("$."):
            found = select(value, delivery.event)
            if not present(found):
                raise ValueError(f"the event has no value at {value} for parameter {parameter['Name']}")
            value = found if isinstance(found, str) else json.dumps(found)
        parameters.append({"Name": parameter["Name"], "Value": value})
    session.client("sagemaker").start_pipeline_execution(
        PipelineName=delivery.resource.removeprefix("pipeline/"),
        PipelineParameters=parameters,
        ClientRequestToken=delivery.token,
    )


_TARGETS: dict[str, Callable[[Session, Delivery], None]] = {
    "codepipeline": _codepipeline,
    "codebuild": _codebuild,
    "sagemaker": _sagemaker,
}
