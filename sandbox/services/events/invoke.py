"""Calling a target's API, as the role of the target or as EventBridge under the target's own policy.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.operations import AwsError
from sandbox.services.events.letters import send
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
    if service in _BEGINNINGS and resource.startswith(_BEGINNINGS[service]) and resource:
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
    client = session.client("codepipeline", headers={RULE_HEADER: delivery.rule_arn})
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


def _lambda(session: Session, delivery: Delivery) -> None:
    session.client("lambda").invoke(
        FunctionName=delivery.target["Arn"], InvocationType="Event", Payload=delivery.input.encode()
    )


def _sqs(session: Session, delivery: Delivery) -> None:
    group = (delivery.target.get("SqsParameters") or {}).get("MessageGroupId")
    members = {"MessageGroupId": group} if group else {}
    if group and delivery.target["Arn"].endswith(".fifo"):
        members["MessageDeduplicationId"] = delivery.token
    send(session, delivery.target["Arn"], delivery.input, **members)


def _sns(session: Session, delivery: Delivery) -> None:
    session.client("sns").publish(TopicArn=delivery.target["Arn"], Message=delivery.input)


def _logs(session: Session, delivery: Delivery) -> None:
    """A log stream an event, named by the delivery's token: one that is tried again finds it."""
    logs = session.client("logs")
    group = delivery.resource.removeprefix("log-group:").removesuffix(":*")
    with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName=delivery.token)
    now = int(time.time() * 1000)
    logs.put_log_events(
        logGroupName=group,
        logStreamName=delivery.token,
        logEvents=[{"timestamp": now, "message": delivery.input}],
    )


def _events(session: Session, delivery: Delivery) -> None:
    event = delivery.event
    answer = session.client("events").put_events(
        Entries=[
            {
                "Source": event["source"],
                "DetailType": event["detail-type"],
                "Detail": json.dumps(event["detail"]),
                "Resources": event["resources"],
                "EventBusName": delivery.target["Arn"],
            }
        ]
    )
    if answer["FailedEntryCount"]:
        raise ValueError(answer["Entries"][0]["ErrorMessage"])


def _states(session: Session, delivery: Delivery) -> None:
    """The name is the same for every attempt: a second one finds the execution that the first began."""
    client = session.client("stepfunctions")
    with contextlib.suppress(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(
            stateMachineArn=delivery.target["Arn"], name=delivery.token, input=delivery.input
        )


_BEGINNINGS = {
    "codebuild": "project/",
    "codepipeline": "",
    "events": "event-bus/",
    "lambda": "function:",
    "logs": "log-group:",
    "sagemaker": "pipeline/",
    "sns": "",
    "sqs": "",
    "states": "stateMachine:",
}
"""How the resources begin, by service, that are targets."""

NEED_ROLE = frozenset(("codebuild", "codepipeline", "events", "sagemaker", "states"))
"""Targets without a policy of their own: EventBridge acts on them as the target's role."""

_TARGETS: dict[str, Callable[[Session, Delivery], None]] = {
    "codebuild": _codebuild,
    "codepipeline": _codepipeline,
    "events": _events,
    "lambda": _lambda,
    "logs": _logs,
    "sagemaker": _sagemaker,
    "sns": _sns,
    "sqs": _sqs,
    "states": _states,
}
