"""InvokeEndpoint: a request on its way to a model server and back.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

from __future__ import annotations

import time
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.runtimes.serving.instance import Answer, InstanceGone
from sandbox.runtimes.serving.routes import Route, Variant, routes_of
from sandbox.services.sagemaker_runtime.capture import capture
from sandbox.services.sagemaker_runtime.metrics import Invocation, record

MAXIMUM_BODY = 6_291_456
"""Bytes of a request's body, as AWS limits them."""
MODEL_SECONDS = 60.0
"""Seconds a container has to answer."""
RESTART_SECONDS = 60.0
ATTEMPTS = 3
REFUSED = (
    "TargetModel",
    "TargetContainerHostname",
    "InferenceComponentName",
    "EnableExplanations",
    "SessionId",
)


@operation("sagemaker-runtime", "InvokeEndpoint")
def invoke_endpoint(call: Call, EndpointName: str, Body: bytes | str = b"", **request: Any) -> dict[str, Any]:
    began = time.perf_counter()
    for member in REFUSED:
        if request.get(member):
            raise AwsError(
                "ValidationError", f"{member} of InvokeEndpoint is not implemented by the sandbox."
            )
    body = Body.encode() if isinstance(Body, str) else Body
    if len(body) > MAXIMUM_BODY:
        raise AwsError(
            "ValidationError", f"Request body of {len(body)} bytes exceeds the limit of {MAXIMUM_BODY} bytes."
        )
    variant, answer, latency, route = _ask(call, EndpointName, body, request)
    invocation = Invocation(EndpointName, variant.name, answer.status if answer else 504, latency)
    invocation.overhead = time.perf_counter() - began - latency
    record(call, invocation)
    if answer is None:
        raise _timed_out(call, EndpointName)
    if answer.status >= 400:
        raise _model_error(call, EndpointName, answer)
    capture(call, route, EndpointName, variant.name, request, body, answer)
    members = {
        "Body": answer.body,
        "ContentType": answer.content_type,
        "InvokedProductionVariant": variant.name,
    }
    return members | ({"CustomAttributes": answer.attributes} if answer.attributes else {})


def _ask(
    call: Call, name: str, body: bytes, request: dict[str, Any]
) -> tuple[Variant, Answer | None, float, Route]:
    """Variant, its answer (None: timed out), seconds the model took, and the route taken."""
    headers = _headers(request)
    for _ in range(ATTEMPTS):
        route, variant = _choose(call, name, request.get("TargetVariant"))
        instance = variant.next_instance()
        if instance is None:
            break
        began = time.perf_counter()
        try:
            answer = instance.invoke(body, headers, MODEL_SECONDS)
        except TimeoutError:
            return variant, None, time.perf_counter() - began, route
        except InstanceGone:
            continue  # the fleet was replaced or the server died meanwhile: ask another
        return variant, answer, time.perf_counter() - began, route
    raise AwsError("ServiceUnavailable", f"No instance of endpoint {name} is available. Please try again.")


def _choose(call: Call, name: str, target: str | None) -> tuple[Route, Variant]:
    routes, key = routes_of(call.engine), (call.account, call.region, name)
    route = routes.get(key) or routes.wait(key, RESTART_SECONDS)
    if route is None:
        raise AwsError("ValidationError", f"Endpoint {name} of account {call.account} not found.")
    variant = route.choose(target)
    if variant is None:
        raise AwsError("ValidationError", f"Variant {target} not found for endpoint {name}.")
    return route, variant


def _headers(request: dict[str, Any]) -> dict[str, str]:
    headers = {"Content-Type": request.get("ContentType") or "application/octet-stream"}
    names = {
        "Accept": "Accept",
        "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
        "InferenceId": "X-Amzn-SageMaker-Inference-Id",
    }
    for member, header in names.items():
        if request.get(member):
            headers[header] = request[member]
    return headers


def _log_arn(call: Call, name: str) -> str:
    return f"arn:aws:logs:{call.region}:{call.account}:log-group:/aws/sagemaker/Endpoints/{name}"


def _model_error(call: Call, name: str, answer: Answer) -> AwsError:
    kind = "client" if answer.status < 500 else "server"
    message = answer.body.decode(errors="replace")
    text = f'Received {kind} error ({answer.status}) from primary with message "{message}".'
    return AwsError(
        "ModelError",
        f"{text} {_see(call, name)}",
        OriginalStatusCode=answer.status,
        OriginalMessage=message,
        LogStreamArn=_log_arn(call, name),
    )


def _timed_out(call: Call, name: str) -> AwsError:
    message = (
        "Your invocation timed out while waiting for a response from container primary. Review the latency "
        "metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
    )
    return AwsError(
        "ModelError",
        f'Received server error (0) from primary with message "{message}". {_see(call, name)}',
        OriginalStatusCode=0,
        OriginalMessage=message,
        LogStreamArn=_log_arn(call, name),
    )


def _see(call: Call, name: str) -> str:
    console = f"https://{call.region}.console.aws.amazon.com/cloudwatch/home?region={call.region}"
    log = f"{console}#logEventViewer:group=/aws/sagemaker/Endpoints/{name}"
    return f"See {log} in account {call.account} for more information."
