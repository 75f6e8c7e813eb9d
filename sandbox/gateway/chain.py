"""The way of one request, top to bottom: locate → authenticate → read → validate → authorize → answer.

Each step is a function of the Exchange; the first that raises AwsError ends the way, and the error is
serialised as the service would. Requests from a socket and from inside the process travel the same way.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from sandbox.engine.engine import Engine
from sandbox.engine.http import Request, Response
from sandbox.engine.operations import MAILBOXES, OPERATIONS, AwsError, Call
from sandbox.gateway import services, validation
from sandbox.gateway.authentication import Identity, authenticate, signing_name
from sandbox.gateway.authorization import authorize
from sandbox.gateway.moto import Moto
from sandbox.gateway.services import Backing
from sandbox.gateway.witness import VARIABLE, Witness
from sandbox.iam.actions.catalogue import iam_prefix

log = logging.getLogger(__name__)


@dataclass
class Exchange:
    """One request under way, filled in step by step."""

    engine: Engine
    moto: Moto
    request: Request
    request_id: str
    operation: Any = None
    identity: Identity | None = None
    response: Response | None = None


def locate(exchange: Exchange) -> None:
    """Finds service and operation by the signature's scope, path and headers."""
    from sandbox.gateway.protocol import operation_of

    name = signing_name(exchange.request)
    exchange.operation = operation_of(exchange.request, name)
    if exchange.operation is None:
        what = _named_target(exchange.request)
        raise AwsError(
            "UnsupportedOperation",
            f"The sandbox does not implement {name}{what}; docs/sandbox.md lists what it does.",
            status=400,
        )


def identify(exchange: Exchange) -> None:
    """Verifies the signature and finds the principal behind it."""
    exchange.identity = authenticate(exchange.request)


def read(exchange: Exchange) -> None:
    """Parses the members and holds them against the model."""
    from sandbox.gateway.protocol import parse

    operation = exchange.operation
    operation.parameters = parse(operation, exchange.request)
    if (operation.service, operation.name) in OPERATIONS and operation.service != "s3":
        validation.validate(
            operation.parameters,
            operation.model.input_shape,
            operation.protocol,
            code=VALIDATION_CODES.get(operation.service),
        )


VALIDATION_CODES = {
    "codebuild": "InvalidInputException",
    "servicecatalog": "InvalidParametersException",
    "cloudwatch": "InvalidParameterValue",
    "sagemaker-runtime": "ValidationError",
}
"""Services whose model names its own error for a request that breaks a constraint."""


def permit(exchange: Exchange) -> None:
    """Asks IAM. Nothing that runs goes around it."""
    assert exchange.identity
    authorize(exchange.engine, exchange.identity, exchange.operation, exchange.request)


def answer(exchange: Exchange) -> None:
    """Runs our operation, or lets moto answer for the services whose records it keeps."""
    from sandbox.gateway.protocol import serialize

    operation, identity = exchange.operation, exchange.identity
    assert identity
    if operation.service == "s3" and operation.name == "PutObject" and _delivered(exchange):
        exchange.response = Response(200, {"ETag": f'"{exchange.request_id}"'})
        return
    handler = OPERATIONS.get((operation.service, operation.name))
    if handler:
        call = Call(
            engine=exchange.engine,
            service=operation.service,
            operation=operation.name,
            account=identity.principal.account,
            region=identity.region,
            principal=identity.principal,
            request_id=exchange.request_id,
            iam_prefix=iam_prefix(operation.service),
            headers=exchange.request.headers,
            agent=exchange.request.agent,
            source_arn=exchange.request.source_arn,
        )
        exchange.response = serialize(operation, handler(call, **operation.parameters))
    elif services.promises(operation.service, operation.name, operation.parameters):
        raise _unsupported(operation)
    elif services.SERVICES[operation.service] is Backing.MOTO:
        exchange.response = exchange.moto(
            exchange.request, operation.service, operation.name, operation.parameters
        )
        if exchange.response.status == 404 and exchange.response.body.startswith(b"<!"):
            raise _unsupported(operation)
        if exchange.response.status == 500 and b"NotImplementedError" in exchange.response.body:
            raise _unsupported(operation)
    else:
        raise _unsupported(operation)


def _delivered(exchange: Exchange) -> bool:
    """Whether an object is an answer to a service, put into AWS's own bucket by a URL that it signed."""
    operation, identity = exchange.operation, exchange.identity
    bucket = operation.parameters["Bucket"]
    deliver = next((found for name, found in MAILBOXES.items() if bucket.startswith(name)), None)
    if deliver is None:
        return False
    assert identity
    if identity.principal.access_key != exchange.engine.clients.root_key:
        raise AwsError("AccessDenied", "Access Denied", status=403)
    deliver(exchange.engine, operation.parameters["Key"], exchange.request.body)
    return True


CHAIN: tuple[Callable[[Exchange], None], ...] = (locate, identify, read, permit, answer)


def handle(engine: Engine, moto: Moto, request: Request) -> Response:
    """Walks the chain; always returns an answer."""
    exchange = Exchange(engine, moto, request, str(uuid.uuid4()))
    try:
        for step in CHAIN:
            step(exchange)
        assert exchange.response
        response = exchange.response
    except AwsError as error:
        response = _refusal(exchange, error)
    except Exception as error:
        log.exception("%s %s", request.method, request.path)
        operation = exchange.operation
        where = f"{operation.service} {operation.name}" if operation else request.path
        response = _refusal(
            exchange, AwsError("InternalFailure", f"The sandbox failed in {where}: {error!r}", status=500)
        )
    if not any(name.lower() == "x-amzn-requestid" for name in response.headers):
        response.headers["x-amzn-RequestId"] = exchange.request_id
    if exchange.operation is not None and VARIABLE in os.environ:
        _witness(engine.settings.state).see(
            exchange.operation.service, exchange.operation.name, exchange.operation.protocol, response
        )
    return response


@functools.cache
def _witness(state: Path) -> Witness:
    return Witness(state)


def _unsupported(operation: Any) -> AwsError:
    return AwsError(
        "UnsupportedOperation",
        f"The sandbox does not implement {operation.service} {operation.name}; see docs/sandbox.md.",
        status=400,
    )


def _refusal(exchange: Exchange, error: AwsError) -> Response:
    from sandbox.gateway.protocol import serialize_error

    if exchange.operation is not None:
        return serialize_error(exchange.operation, error)
    status = error.status or 403
    if "x-amz-target" in exchange.request.headers:
        body = json.dumps({"__type": error.code, "message": error.message})
        return Response(status, {"Content-Type": "application/x-amz-json-1.1"}, body.encode())
    code, message = escape(error.code), escape(error.message)
    body = f"<Code>{code}</Code><Message>{message}</Message>"
    if signing_name(exchange.request, default=_unsigned(exchange.request)) == "s3":
        body = f"<Error>{body}</Error>"
    else:
        body = f"<ErrorResponse><Error><Type>Sender</Type>{body}</Error></ErrorResponse>"
    return Response(status, {"Content-Type": "text/xml", "x-amzn-ErrorType": error.code}, body.encode())


def _unsigned(request: Request) -> str:
    """Whose form an answer to a request without a signature takes: the query protocol names its action."""
    return "sts" if b"Action=" in request.body[:4096] else "s3"


def _named_target(request: Request) -> str:
    target = request.headers.get("x-amz-target", "")
    if target:
        return " " + target.rpartition(".")[2]
    form = parse_qs(request.body[:4096].decode(errors="replace")) if request.method == "POST" else {}
    action = form.get("Action") or parse_qs(request.query).get("Action")
    return f" {action[0]}" if action else f" {request.method} {request.path}"
