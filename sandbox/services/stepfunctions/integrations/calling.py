"""Sending a Task's request as the machine's role, and what comes back.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

import functools
import json
import re
from typing import Any

from sandbox.engine import sdk_names as naming
from sandbox.engine import sdk_operations as shapes
from sandbox.engine.clients import Session
from sandbox.engine.engine import Engine
from sandbox.engine.errors import AwsError
from sandbox.engine.sdk_operations import Operation, operation_of
from sandbox.services.stepfunctions.integrations.optimised import SERVICES, Service
from sandbox.services.stepfunctions.integrations.resource import Resource
from sandbox.services.stepfunctions.language.errors import PERMISSIONS, RUNTIME, StateError, runtime

PRINCIPAL = "states.amazonaws.com"


def target(resource: Resource) -> tuple[Operation, Service | None]:
    """What a resource calls. StateError for what nothing here knows."""
    if resource.kind == "lambda":
        service: Service | None = SERVICES["lambda"]
    elif resource.kind == "optimised":
        service = SERVICES.get(resource.service)
        if service is None or resource.action not in service.actions:
            raise StateError(
                RUNTIME, f"The sandbox does not implement the integration {resource.text}", located=True
            )
    else:
        service = None
    name = service.botocore if service else naming.botocore_service(resource.service)
    operation = operation_of(name, resource.action) if name else None
    if operation is None:
        raise runtime(f"The resource {resource.text} names no operation of a service")
    return operation, service


def session_name(machine: str) -> str:
    """A role session's name, which may hold less than a machine's."""
    return re.sub(r"[^\w+=,.@-]", "-", machine, flags=re.ASCII)[:64]


def session(
    engine: Engine, region: str, role: str, machine_arn: str, credentials: dict[str, Any] | None = None
) -> Session:
    """Acts as the machine's role, or as the role that the Task's Credentials name."""
    name = session_name(machine_arn.rpartition(":")[2])
    try:
        own = engine.clients.role(
            role, service=PRINCIPAL, session_name=name, region=region, source_arn=machine_arn
        )
    except AwsError as error:
        raise StateError(PERMISSIONS, error.message) from error
    if not credentials:
        return own
    from botocore.exceptions import ClientError

    try:
        answer = own.client("sts").assume_role(RoleArn=credentials["RoleArn"], RoleSessionName=name)
    except ClientError as error:
        raise StateError(PERMISSIONS, error.response["Error"]["Message"]) from error
    return engine.clients.of_access_key(answer["Credentials"]["AccessKeyId"], region)


def send(caller: Session, operation: Operation, request: dict[str, Any]) -> dict[str, Any]:
    """botocore's answer; ClientError and the like where there is none."""
    from botocore import xform_name

    return dict(getattr(caller.client(operation.service), xform_name(operation.name))(**request))


def request_of(operation: Operation, given: Any) -> dict[str, Any]:
    """The request that a Task's arguments make. StateError States.Runtime for a member that is not known."""
    if not isinstance(given, dict):
        raise runtime(
            f"The Parameters '{json.dumps(given)}' could not be used to start the Task: "
            "[The parameters must be an object]"
        )
    try:
        request = shapes.to_request(operation.input, given)
    except shapes.UnknownMember as error:
        raise runtime(
            f"The Parameters '{json.dumps(given)}' could not be used to start the Task: [{error}]"
        ) from error
    return dict(request)


def failed(error: Exception, operation: Operation, service: Service | None) -> StateError:
    """The error and cause by which a Task tells that its call failed."""
    from botocore.exceptions import ClientError

    label = service.label if service else java_class(operation.service)
    if isinstance(error, ClientError):
        return _refused(error, operation, service, label)
    from botocore.exceptions import ParamValidationError

    if isinstance(error, ParamValidationError):
        return runtime(f"The Parameters could not be used to start the Task: [{error}]")
    return StateError(f"{label}.SdkClientException", str(error))


def _refused(error: Any, operation: Operation, service: Service | None, label: str) -> StateError:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    meta = error.response.get("ResponseMetadata", {})
    status, request_id = meta.get("HTTPStatusCode", 400), meta.get("RequestId", "")
    modelled = operation.errors.get(code)
    if service is None:
        name = naming.exception(modelled) if modelled else f"{label}Exception"
        return StateError(
            f"{label}.{name}",
            f"{message} (Service: {label}, Status Code: {status}, Request ID: {request_id})",
        )
    name = naming.exception(modelled) if modelled else service.fault
    if operation.service == "lambda" and status >= 500:
        name = "ServiceException"
    return StateError(
        f"{label}.{name}",
        f"{message} (Service: {service.title}; Status Code: {status}; Error Code: {code}; "
        f"Request ID: {request_id}; Proxy: null)",
    )


@functools.cache
def java_class(service: str) -> str:
    """`dynamodb` → `DynamoDb`, as errors of the SDK integration begin."""
    if service in naming.CLASSES:
        return naming.CLASSES[service]
    return naming.pascal(shapes.service_id(service))


def answer_of(operation: Operation, answer: dict[str, Any], service: Service | None) -> Any:
    """An answer as the Task's result. Optimised integrations add what the HTTP answer said."""
    meta = answer.get("ResponseMetadata", {})
    result = shapes.from_answer(operation.output, answer, millis=service is not None)
    if service is None:
        return result
    if operation.service == "lambda":
        result["Payload"] = _json_or_text(result.get("Payload"))
    headers = meta.get("HTTPHeaders", {})
    result["SdkHttpMetadata"] = {
        "AllHttpHeaders": {name: [value] for name, value in headers.items()},
        "HttpHeaders": dict(headers),
        "HttpStatusCode": meta.get("HTTPStatusCode", 200),
    }
    result["SdkResponseMetadata"] = {"RequestId": meta.get("RequestId", "")}
    return result


def _json_or_text(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text) if text else {}
    except ValueError:
        return text
