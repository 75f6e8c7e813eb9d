"""How a request is refused: in the operation's protocol, or in the likeliest one where none was found."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from sandbox.engine.http import Request, Response
from sandbox.engine.operations import AwsError
from sandbox.gateway.authentication import signing_name


def unsupported(operation: Any) -> AwsError:
    """Names what is not implemented, in a code that clients do not retry."""
    return AwsError(
        "UnsupportedOperation",
        f"The sandbox does not implement {operation.service} {operation.name}; see docs/sandbox.md.",
        status=400,
    )


def refusal(request: Request, operation: Any, error: AwsError, request_id: str) -> Response:
    """The answer that an error becomes: the operation's own form, or one that the sender's client reads."""
    from sandbox.gateway.protocol import serialize_error

    if operation is not None:
        return serialize_error(operation, error, request_id)
    status = error.status or 403
    if "x-amz-target" in request.headers:
        body = json.dumps({"__type": error.code, "message": error.message})
        return Response(status, {"Content-Type": "application/x-amz-json-1.1"}, body.encode())
    code, message = escape(error.code), escape(error.message)
    body = f"<Code>{code}</Code><Message>{message}</Message>"
    asked = f"<RequestId>{request_id}</RequestId>"
    if signing_name(request, default=_unsigned(request)) == "s3":
        body = f"<Error>{body}{asked}</Error>"
    else:
        body = f"<ErrorResponse><Error><Type>Sender</Type>{body}</Error>{asked}</ErrorResponse>"
    return Response(status, {"Content-Type": "text/xml", "x-amzn-ErrorType": error.code}, body.encode())


def _unsigned(request: Request) -> str:
    """Whose form an answer to a request without a signature takes: the query protocol names its action."""
    return "sts" if b"Action=" in request.body[:4096] else "s3"


def named_target(request: Request) -> str:
    """What a request seems to ask for, for its refusal."""
    target = request.headers.get("x-amz-target", "")
    if target:
        return " " + target.rpartition(".")[2]
    form = parse_qs(request.body[:4096].decode(errors="replace")) if request.method == "POST" else {}
    action = form.get("Action") or parse_qs(request.query).get("Action")
    return f" {action[0]}" if action else f" {request.method} {request.path}"
