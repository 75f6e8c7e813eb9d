"""AWS::CloudFormation::CustomResource, Custom::*: a Lambda function or an SNS topic makes the resource.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-custom-resources.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from botocore.exceptions import ClientError

from sandbox.services.cloudformation.resources import mailbox
from sandbox.services.cloudformation.resources.handler import (
    Handler,
    Made,
    Request,
    Said,
    Stopped,
    resource_type,
)
from sandbox.services.cloudformation.resources.waiting import settled
from sandbox.services.cloudformation.schema.validate import Invalid
from sandbox.services.cloudformation.template.parameters import text_of
from sandbox.services.cloudformation.template.unknown import Unknown

TIMEOUT = 3600
LEAST_WAIT = 30.0
"""Real seconds: a provider really works, however fast the sandbox's clock goes."""
URL_SECONDS = 7200
_NAMESPACE = uuid.UUID("5f3f5b1e-6a0c-4c55-9d4e-5a2f6d1c7b90")
_SUBJECT = "AWS CloudFormation custom resource request"


@resource_type("AWS::CloudFormation::CustomResource")
class CustomResource(Handler):
    replaces = True

    def check(self, logical_id: str, properties: dict[str, Any]) -> None:
        token = properties.get("ServiceToken")
        if isinstance(token, Unknown):
            return
        if _service(str(token)) is None:
            raise Invalid(logical_id, ["Invalid service token."])

    def create(self, request: Request) -> Made:
        return self._ask(request, "Create", {})

    def check_update(self, request: Request) -> None:
        if request.changed("ServiceToken"):
            raise Said("Modifying service token is not allowed.")

    def update(self, request: Request) -> Made:
        old = {"OldResourceProperties": texts(request.previous)}
        return self._ask(request, "Update", {"PhysicalResourceId": request.physical_id} | old)

    def delete(self, request: Request) -> None:
        self._ask(request, "Delete", {"PhysicalResourceId": request.physical_id})

    def _ask(self, request: Request, kind: str, members: dict[str, Any]) -> Made:
        """Sends a request to the provider and waits for its response; Said, where it is not SUCCESS."""
        parts = (request.phase, request.logical_id, request.token, kind, request.physical_id)
        identifier = str(uuid.uuid5(_NAMESPACE, "|".join(parts)))
        key = f"{request.place.stack_id}|{identifier}"
        records = mailbox.records_of(request.engine, request.place.stack_id, "custom-request")
        # What a provider may have begun is deleted on the way back, by a name where it told none.
        physical = request.physical_id or request.name("", limit=64)
        perhaps = None if kind == "Delete" else Made(physical, request.attributes)
        with request.engine.store.transaction():
            record = records.get(key)
            if record is None:
                record = {"Deadline": request.engine.clock.now() + _patience(request), "Sent": False}
                records.put(key, record)
        if not record["Sent"]:
            _send(request, _event(request, kind, identifier, members))
            with request.engine.store.transaction():
                records.put(key, (records.get(key) or record) | {"Sent": True})

        def look() -> dict[str, Any] | None:
            current = records.get(key) or record
            if current.get("Response"):
                found: dict[str, Any] = current["Response"]
                return found
            return {} if request.engine.clock.now() >= record["Deadline"] else None

        try:
            response = settled(request, look, record["Deadline"])
        except Stopped:
            raise Stopped(perhaps) from None
        return _made(response, kind, identifier, perhaps)


def _service(token: str) -> str | None:
    """`lambda` or `sns`, by the ARN of a service token."""
    parts = token.split(":")
    known = len(parts) >= 6 and parts[0] == "arn" and parts[2] in ("lambda", "sns")
    return parts[2] if known else None


def _patience(request: Request) -> float:
    """Real seconds until a provider that says nothing is given up: never while its function may still run."""
    seconds = float(request.properties.get("ServiceTimeout", TIMEOUT))
    least = LEAST_WAIT + _function_timeout(request)
    return max(request.engine.clock.scaled(seconds), min(seconds, least))


def _function_timeout(request: Request) -> float:
    """Seconds that the provider's function may run by its own configuration; 0 for another provider."""
    token = str(request.properties["ServiceToken"])
    if _service(token) != "lambda":
        return 0.0
    client = request.engine.clients.owner(request.place.region).client("lambda")
    try:
        return float(client.get_function_configuration(FunctionName=token)["Timeout"])
    except ClientError:  # the request to it will say what is wrong
        return 0.0


def texts(value: Any) -> Any:
    """Properties as providers get them: every scalar is a string."""
    if isinstance(value, dict):
        return {key: texts(item) for key, item in value.items()}
    if isinstance(value, list):
        return [texts(item) for item in value]
    return text_of(value)


def _event(request: Request, kind: str, identifier: str, members: dict[str, Any]) -> dict[str, Any]:
    region, stack_id = request.place.region, request.place.stack_id
    bucket = f"{mailbox.RESPONSES}{region.replace('-', '')}"
    url = mailbox.signed_url(
        request.engine, region, bucket, f"{stack_id}|{request.logical_id}|{identifier}", URL_SECONDS
    )
    event = {
        "RequestType": kind,
        "ServiceToken": request.properties["ServiceToken"],
        "ResponseURL": url,
        "StackId": stack_id,
        "RequestId": identifier,
        "LogicalResourceId": request.logical_id,
        "ResourceType": request.type,
        "ResourceProperties": texts(request.properties),
    }
    return event | members


def _send(request: Request, event: dict[str, Any]) -> None:
    token, body = event["ServiceToken"], json.dumps(event)
    try:
        if _service(token) == "lambda":
            request.client("lambda").invoke(FunctionName=token, InvocationType="Event", Payload=body.encode())
        else:
            request.client("sns").publish(TopicArn=token, Subject=_SUBJECT, Message=body)
    except ClientError as error:
        said, meta = error.response["Error"], error.response.get("ResponseMetadata", {})
        service = "AWSLambda" if _service(token) == "lambda" else "AmazonSNS"
        raise Said(
            f"{said.get('Message', '')} (Service: {service}; Status Code: {meta.get('HTTPStatusCode', 400)}; "
            f"Error Code: {said['Code']}; Request ID: {meta.get('RequestId', '')}; Proxy: null)"
        ) from error


def _made(response: dict[str, Any], kind: str, identifier: str, perhaps: Made | None) -> Made:
    """What a response tells; nothing at all: the provider never answered."""
    if not response:
        raise Said(
            "CloudFormation did not receive a response from your Custom Resource. Please check your logs for "
            f"requestId [{identifier}]. If you are using the Python cfn-response module, you may need to "
            "update your Lambda function code so that CloudFormation can attach the updated version.",
            perhaps,
        )
    if response["TooLong"]:
        raise Said("Response object is too long.", perhaps)
    try:
        answer = json.loads(response["Body"])
        status = answer["Status"]
    except (ValueError, KeyError, TypeError):
        raise Said("Invalid response object: it is no JSON object with a Status.", perhaps) from None
    physical = answer.get("PhysicalResourceId")
    named = isinstance(physical, str) and 0 < len(physical.encode()) <= 1024
    if status != "SUCCESS":
        left = Made(physical) if named and kind == "Create" else perhaps
        raise Said(
            f"Received response status [{status}] from custom resource. Message returned: "
            f"{answer.get('Reason', '')} (RequestId: {identifier})",
            left,
        )
    if kind == "Delete":
        return Made("")
    data = answer.get("Data") or {}
    if not named:
        raise Said("Invalid PhysicalResourceId", perhaps)
    if not isinstance(data, dict):
        raise Said("Invalid response object: Data is no JSON object.", perhaps)
    return Made(str(physical), _attributes(data), no_echo=text_of(answer.get("NoEcho")).lower() == "true")


def _attributes(data: dict[str, Any]) -> dict[str, Any]:
    return {key: texts(item) for key, item in data.items() if item is not None}
