"""Invoke: at once, later, or only asked whether it may be.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import base64
import json
import random
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.lambda_ import asynchronous, environments
from sandbox.services.lambda_.instance import Event, Outcome
from sandbox.services.lambda_.names import LATEST, SERVICE, Named, function_arn, invalid, named, not_found
from sandbox.services.lambda_.records import aliases, functions, version_of, versions

SYNCHRONOUS = 6_291_456
ASYNCHRONOUS = 1_048_576
"""Bytes of an event."""
CLIENT_CONTEXT = 3583


@operation(SERVICE, "Invoke")
def invoke(
    call: Call,
    FunctionName: str,
    InvocationType: str = "RequestResponse",
    LogType: str = "None",
    ClientContext: str | None = None,
    Payload: bytes = b"",
    Qualifier: str | None = None,
    **members: Any,
) -> dict[str, Any]:
    for member in ("TenantId", "DurableExecutionName"):
        if members.get(member):
            raise invalid(f"{member} is not implemented in the sandbox.")
    target = named(call, FunctionName, Qualifier)
    version_of(call, target)
    text = _payload(Payload, InvocationType)
    context = _client_context(ClientContext)
    if InvocationType == "DryRun":
        return {"StatusCode": 204}
    arn = function_arn(call, target.name, target.qualifier)
    event = Event(call.request_id, arn, text, context)
    if InvocationType == "Event":
        asynchronous.accept(call.engine, call.account, call.region, target, event)
        return {"StatusCode": 202, "Payload": b""}
    version, outcome = run(call.engine, call.account, call.region, target, event)
    answer: dict[str, Any] = {"StatusCode": 200, "ExecutedVersion": version}
    if outcome.failed:
        answer["FunctionError"] = "Unhandled"
    if LogType == "Tail":
        answer["LogResult"] = base64.b64encode(outcome.log).decode()
    return answer | {"Payload": outcome.payload.encode()}


def _payload(payload: Any, kind: str) -> str:
    data = (
        payload
        if isinstance(payload, bytes)
        else bytes(payload.read() if hasattr(payload, "read") else payload)
    )
    limit = ASYNCHRONOUS if kind == "Event" else SYNCHRONOUS
    if len(data) > limit:
        raise AwsError(
            "RequestTooLargeException",
            f"Request must be smaller than {limit} bytes for the InvokeFunction operation",
            Type="User",
        )
    if not data.strip():
        return "{}"
    try:
        text = data.decode()
        json.loads(text)
    except ValueError as error:
        raise AwsError(
            "InvalidRequestContentException",
            f"Could not parse request body into json: Could not parse payload into json: {error}",
            Type="User",
        ) from error
    return text


def _client_context(given: str | None) -> str | None:
    if not given:
        return None
    try:
        text = base64.b64decode(given, validate=True).decode()
        json.loads(text)
    except ValueError as error:
        raise AwsError(
            "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."
        ) from error
    if len(given) > CLIENT_CONTEXT:
        raise invalid(f"Client context must be no more than {CLIENT_CONTEXT} bytes.")
    return text


def run(engine: Engine, account: str, region: str, target: Named, event: Event) -> tuple[str, Outcome]:
    """(version, outcome) of one event. AwsError where the function is not there, not ready or throttled."""
    version = _routed(engine, account, region, target)
    key = f"{target.name}:{version}"
    function = functions(engine, account, region).get(target.name)
    record = function if version == LATEST else versions(engine, account, region).get(key)
    if function is None or record is None:
        raise not_found(event.arn)
    if record["live"] is None:
        raise AwsError(
            "ResourceConflictException",
            "The operation cannot be performed at this time. The function is currently in the following "
            f"state: {record['State']}",
            Type="User",
        )
    plan = environments.plan_of(engine, account, region, version, record)
    pool = environments.pool(engine)
    try:
        return version, pool.invoke(
            engine, f"{account}/{region}/{target.name}", function["reserved"], plan, event
        )
    except AwsError as error:
        if not error.code.startswith("AccessDenied"):
            raise
        raise AwsError(
            "AccessDeniedException",
            "The role defined for the function cannot be assumed by Lambda.",
            status=403,
        ) from error


def _routed(engine: Engine, account: str, region: str, target: Named) -> str:
    """The version that an alias sends this event to, by its weights."""
    qualifier = target.qualifier or LATEST
    alias = aliases(engine, account, region).get(f"{target.name}:{qualifier}")
    if alias is None:
        return qualifier
    chance = random.random()
    for version, weight in alias["weights"].items():
        if chance < weight:
            return str(version)
        chance -= weight
    return str(alias["FunctionVersion"])
