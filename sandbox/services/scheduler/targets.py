"""What a schedule can call: the targets with a template, and any API by `aws-sdk`.

Sources: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html and
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-universal.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.operations import AwsError
from sandbox.engine.sdk_operations import UnknownMember, operation_of_id, to_request

_UNIVERSAL = re.compile(r"arn:aws:scheduler:::aws-sdk:([a-z0-9-]+):([A-Za-z0-9]+)")
_READING = re.compile(
    r"(get|describe|list|poll|receive|search|scan|query|select|read|lookup|batchget|head)", re.I
)
_PARAMETERS = {
    "EcsParameters": "",
    "KinesisParameters": "",
    "EventBridgeParameters": "events",
    "EventBridgePutEventsV2Parameters": "",
    "EventBridgePutRawEventsParameters": "",
    "SageMakerPipelineParameters": "sagemaker",
    "SqsParameters": "sqs",
}
"""Members of a target → the service that takes them; none where the sandbox has no such target."""

Send = Callable[[Session, dict[str, Any], str, str], None]


def kind_of(arn: str) -> str:
    """The service that an ARN names, `sdk` for a universal target. ValidationException for any other."""
    if _UNIVERSAL.fullmatch(arn):
        return "sdk"
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or not parts[5]:
        raise AwsError("ValidationException", f"Provided Arn is not in correct format. {arn}")
    service, resource = parts[2], parts[5]
    start = _RESOURCES.get(service)
    if start is None or not resource.startswith(start):
        raise AwsError("ValidationException", f"The target {arn} is not implemented in the sandbox")
    return service


def check(target: dict[str, Any]) -> None:
    """ValidationException for a target that could never be called."""
    kind = kind_of(target["Arn"])
    for member, service in _PARAMETERS.items():
        if member in target and service != kind:
            raise AwsError("ValidationException", f"{member} is not valid for target {target['Arn']}.")
    if kind == "events" and "EventBridgeParameters" not in target:
        raise AwsError("ValidationException", "EventBridgeParameters is required for an event bus target.")
    if kind in ("sdk", "codebuild", "events") and target.get("Input") is not None:
        try:
            json.loads(target["Input"])
        except ValueError as error:
            raise AwsError("ValidationException", "Invalid RequestJson provided.") from error
    if kind == "sdk":
        _check_universal(target["Arn"])


def _check_universal(arn: str) -> None:
    match = _UNIVERSAL.fullmatch(arn)
    assert match
    if operation_of_id(match[1], match[2]) is None:
        raise AwsError("ValidationException", f"{arn} does not identify a valid API of a service.")
    if _READING.match(match[2]):
        raise AwsError("ValidationException", f"{arn} names an API that only reads, which is not supported.")


def call(session: Session, target: dict[str, Any], text: str, token: str) -> None:
    """Raises botocore's errors where the target refuses, ValueError for an input that it cannot take."""
    _SEND[kind_of(target["Arn"])](session, target, text, token)


def queue_url(client: Any, arn: str) -> str:
    """Without a call of its own: sending is all that the role of a schedule has to be allowed."""
    account, name = arn.split(":")[4:6]
    return f"{client.meta.endpoint_url}/{account}/{name}"


def _universal(session: Session, target: dict[str, Any], text: str, token: str) -> None:
    from botocore import xform_name

    match = _UNIVERSAL.fullmatch(target["Arn"])
    operation = operation_of_id(match[1], match[2]) if match else None
    assert operation is not None
    given = json.loads(text) if target.get("Input") is not None else {}
    if not isinstance(given, dict):
        raise ValueError("Invalid RequestJson provided: it must be an object")
    try:
        request = dict(to_request(operation.input, given))
    except UnknownMember as error:
        raise ValueError(f"Invalid RequestJson provided. Reason: {error}") from error
    if operation.idempotency:
        request.setdefault(operation.idempotency, token)
    getattr(session.client(operation.service), xform_name(operation.name))(**request)


def _lambda(session: Session, target: dict[str, Any], text: str, token: str) -> None:
    session.client("lambda").invoke(FunctionName=target["Arn"], InvocationType="Event", Payload=text)


def _sqs(session: Session, target: dict[str, Any], text: str, token: str) -> None:
    client = session.client("sqs")
    request = {"QueueUrl": queue_url(client, target["Arn"]), "MessageBody": text}
    group = target.get("SqsParameters", {}).get("MessageGroupId")
    if group:
        request |= {"MessageGroupId": group, "MessageDeduplicationId": token}
    client.send_message(**request)


def _sns(session: Session, target: dict[str, Any], text: str, token: str) -> None:
    session.client("sns").publish(TopicArn=target["Arn"], Message=text)


def _states(session: Session, target: dict[str, Any], text: str, token: str) -> None:
    """The execution is named by the token, so that one time starts one execution."""
    session.client("stepfunctions").start_execution(stateMachineArn=target["Arn"], name=token, input=text)


def _events(session: Session, target: dict[str, Any], text: str, token: str) -> None:
    parameters = target["EventBridgeParameters"]
    entry = {
        "EventBusName": target["Arn"],
        "Source": parameters["Source"],
        "DetailType": parameters["DetailType"],
        "Detail": text,
    }
    [result] = session.client("events").put_events(Entries=[entry])["Entries"]
    if "ErrorCode" in result:
        raise ValueError(f"{result['ErrorCode']}: {result.get('ErrorMessage')}")


def _codepipeline(session: Session, target: dict[str, Any], text: str, token: str) -> None:
    session.client("codepipeline").start_pipeline_execution(
        name=target["Arn"].split(":", 5)[5], clientRequestToken=token
    )


def _codebuild(session: Session, target: dict[str, Any], text: str, token: str) -> None:
    name = target["Arn"].rpartition("project/")[2]
    overrides = json.loads(text) if target.get("Input") is not None else {}
    session.client("codebuild").start_build(projectName=name, idempotencyToken=token, **overrides)


def _sagemaker(session: Session, target: dict[str, Any], text: str, token: str) -> None:
    session.client("sagemaker").start_pipeline_execution(
        PipelineName=target["Arn"].rpartition("pipeline/")[2],
        PipelineParameters=target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", []),
        ClientRequestToken=token,
    )


_RESOURCES = {
    "lambda": "function:",
    "sqs": "",
    "sns": "",
    "states": "stateMachine:",
    "events": "event-bus/",
    "codepipeline": "",
    "codebuild": "project/",
    "sagemaker": "pipeline/",
}
"""Services with a template that the sandbox has → how the resource begins."""

_SEND: dict[str, Send] = {
    "sdk": _universal,
    "lambda": _lambda,
    "sqs": _sqs,
    "sns": _sns,
    "states": _states,
    "events": _events,
    "codepipeline": _codepipeline,
    "codebuild": _codebuild,
    "sagemaker": _sagemaker,
}
