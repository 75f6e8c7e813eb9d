"""The way of one request, top to bottom: locate → authenticate → read → validate → authorize → answer.

Each step is a function of the Exchange; the first that raises AwsError ends the way, and the error is
serialised as the service would. Requests from a socket and from inside the process travel the same way.
"""

from __future__ import annotations

import functools
import logging
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.http import Request, Response
from sandbox.engine.operations import MAILBOXES, OBSERVERS, OPERATIONS, AwsError, Call
from sandbox.gateway import moto_faults, s3_rules, services, validation, wording
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
        what = wording.named_target(exchange.request)
        raise AwsError(
            "UnsupportedOperation",
            f"The sandbox does not implement {name}{what}; docs/sandbox.md lists what it does.",
            status=400,
        )


def identify(exchange: Exchange) -> None:
    """Verifies the signature and finds the principal behind it."""
    exchange.identity = authenticate(exchange.request, exchange.engine.settings.region)


def read(exchange: Exchange) -> None:
    """Parses the members and holds them against the model."""
    from sandbox.gateway.protocol import parse

    operation = exchange.operation
    operation.parameters, exchange.request = parse(operation, exchange.request)
    if operation.service == "s3":
        s3_rules.check(operation.name, operation.parameters, operation.model.input_shape)
    elif (operation.service, operation.name) in OPERATIONS or _is_motos(operation):
        code = validation.code_of(operation.service, operation.model, operation.protocol)
        validation.validate(operation.parameters, operation.model.input_shape, code)


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
    if operation.service in ("iam", "sts"):
        _provide_policies(exchange)
    handler = OPERATIONS.get((operation.service, operation.name))
    if handler:
        answered = handler(_call(exchange, identity), **operation.parameters)
        exchange.response = serialize(operation, answered, exchange.request_id)
    elif services.promises(operation.service, operation.name, operation.parameters):
        raise wording.unsupported(operation)
    elif _is_motos(operation):
        exchange.response = _moto_answer(exchange)
        if exchange.response.status == 404 and exchange.response.body.startswith(b"<!"):
            raise wording.unsupported(operation)
        observer = OBSERVERS.get((operation.service, operation.name))
        if observer and exchange.response.status < 300:
            observer(_call(exchange, identity), operation.parameters)
    else:
        raise wording.unsupported(operation)


def _call(exchange: Exchange, identity: Identity) -> Call:
    operation = exchange.operation
    return Call(
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


def _provide_policies(exchange: Exchange) -> None:
    """AWS's managed policies are there as soon as a request names them."""
    from sandbox.iam.principals import aws_policies

    assert exchange.identity
    arns = aws_policies.named(exchange.operation.parameters)
    if arns:
        with exchange.moto.lock("iam"):
            aws_policies.provide(exchange.identity.principal.account, arns)


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


def _is_motos(operation: Any) -> bool:
    return services.SERVICES[operation.service] is Backing.MOTO


def _moto_answer(exchange: Exchange) -> Response:
    operation = exchange.operation
    moto_faults.check(operation.service, operation.name, operation.parameters)
    try:
        return exchange.moto(exchange.request, operation.service, operation.name, operation.parameters)
    except NotImplementedError:
        raise wording.unsupported(operation) from None
    except (ValueError, LookupError, AttributeError, TypeError) as error:
        refusal = moto_faults.refused(operation.service, operation.parameters, error)
        if refusal is None:
            raise
        raise refusal from error


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
        response = wording.refusal(exchange.request, exchange.operation, error, exchange.request_id)
    except RecursionError:
        # Only what the client sent is ever as deep as this: a document inside a member.
        protocol = exchange.operation.protocol if exchange.operation else ""
        code = validation.general(protocol)
        response = wording.refusal(
            exchange.request,
            exchange.operation,
            AwsError(code, "The document is nested too deeply.", status=400),
            exchange.request_id,
        )
    except Exception as error:
        log.exception("%s %s", request.method, request.path)
        operation = exchange.operation
        where = f"{operation.service} {operation.name}" if operation else request.path
        response = wording.refusal(
            exchange.request,
            exchange.operation,
            AwsError("InternalFailure", f"The sandbox failed in {where}: {error!r}", status=500),
            exchange.request_id,
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
