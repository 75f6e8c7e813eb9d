"""Requests parsed and answers serialised by botocore's own service models, whatever the protocol."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import Request as ModelRequest
from moto.core.request import determine_request_protocol
from moto.core.routing import NotFound, get_service_router
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from sandbox.engine.http import Request, Response
from sandbox.engine.operations import AwsError
from sandbox.gateway import answers, json_types, services, wsgi
from sandbox.gateway.query_codes import QUERY_CODES

UNREADABLE = (
    RequestParserError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    OverflowError,
    RecursionError,
    RuntimeError,  # botocore's word for a timestamp that no calendar has
)
"""What the parsers raise for a body that is not of its shape."""

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to write."""


class _Modelled(ServiceException):
    """moto looks for an error's model in the package of its class, then in the service called."""


@dataclass
class Operation:
    """The operation a request names. `parameters` are filled by `parse`."""

    service: str
    name: str
    model: Any
    protocol: str
    uri: dict[str, Any]
    request: ModelRequest
    parameters: dict[str, Any] = field(default_factory=dict)


def operation_of(request: Request, signing_name: str) -> Operation | None:
    """The operation that a request signed for `signing_name` names; None where no service knows it."""
    model_request = ModelRequest(wsgi.environ_of_request(request))
    for service in services.by_signing_name().get(signing_name, ()):
        try:
            model, uri = get_service_router(service).match(model_request)
            protocol = determine_request_protocol(get_service_model(service), model_request.content_type)
        except (NotFound, NotImplementedError):
            continue
        return Operation(service, model.name, model, protocol, dict(uri), model_request)
    return None


def parse(operation: Operation, request: Request) -> tuple[dict[str, Any], Request]:
    """The request's members by the input shape, and the request with a body of none but these types;
    AwsError SerializationException when it cannot be read."""
    try:
        if operation.protocol == "json":
            request = _typed(operation, request)
        parser = PROTOCOL_PARSERS[operation.protocol](operation.model)
        return parser.parse(
            {
                "method": request.method,
                "values": operation.request.values,
                "headers": operation.request.headers,
                "body": request.body,
                "url_path": operation.request.path,
                "url_params": operation.uri,
            }
        ), request
    except UNREADABLE as error:
        code = "MalformedXML" if operation.protocol == "rest-xml" else "SerializationException"
        raise AwsError(code, f"{operation.service} {operation.name}: {error}", status=400) from error


def _typed(operation: Operation, request: Request) -> Request:
    """moto's parser takes a body that is no JSON for an empty one, and null for a value."""
    shape = operation.model.input_shape
    if not request.body or shape is None:
        return request
    document = json.loads(request.body)
    typed = json_types.typed(document, shape)
    return request if typed == document else request.with_body(json.dumps(typed).encode())


def serialize(operation: Operation, result: dict[str, Any] | None, request_id: str) -> Response:
    serializer = _serializer(operation, request_id)
    shaped = answers.conform(result or {}, operation.model.output_shape)
    response = _response(serializer.serialize(shaped), request_id)
    for name, shape in (operation.model.output_shape.members if operation.model.output_shape else {}).items():
        # moto's serializer puts its own content type over one that the answer carries as a member.
        if shape.serialization.get("name", "").lower() == "content-type" and shaped.get(name):
            response.headers["Content-Type"] = shaped[name]
        if shape.serialization.get("location") == "statusCode" and shaped.get(name):
            response.status = shaped[name]
    return response


def serialize_error(operation: Operation, error: AwsError, request_id: str) -> Response:
    serializer = _serializer(operation, request_id)
    exception = _Modelled(error.code, error.message)
    for name, value in error.members.items():
        setattr(exception, name, value)
    response = _response(serializer.serialize(exception), request_id)
    if error.status:
        response.status = error.status
    if (operation.service, error.code) in QUERY_CODES:
        code = QUERY_CODES[operation.service, error.code]
        response.headers["x-amzn-query-error"] = f"{code};Sender"
    return response


def _serializer(operation: Operation, request_id: str) -> Any:
    kind = get_serializer_class(operation.service, operation.protocol)
    return kind(operation_model=operation.model, context=SerializationContext(request_id))


def _response(serialized: Any, request_id: str) -> Response:
    body = serialized["body"]
    if isinstance(body, str) and body.startswith("<"):
        body = NO_XML.sub("\ufffd", body)
    data = body.encode() if isinstance(body, str) else bytes(body or b"")
    headers = dict(serialized["headers"]) | {"x-amzn-RequestId": request_id}
    return Response(serialized["status_code"], headers, data)
