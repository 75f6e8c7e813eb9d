"""One Task's request: made of its arguments, sent as the machine's role, read."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox.engine.clients import Session
from sandbox.engine.sdk_operations import Operation, operation_of
from sandbox.services.stepfunctions.execution import arns
from sandbox.services.stepfunctions.execution.run import Branch, Run
from sandbox.services.stepfunctions.integrations import calling
from sandbox.services.stepfunctions.integrations.optimised import Service
from sandbox.services.stepfunctions.integrations.resource import SYNC, SYNC2, Resource
from sandbox.services.stepfunctions.language.errors import StateError
from sandbox.services.stepfunctions.language.scope import dumps

T = TypeVar("T")

_MANAGED = {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}
_EXECUTION = "AWS_STEP_FUNCTIONS_EXECUTION_ARN"
"""Tags of what the optimised integration makes in SageMaker: the role needs sagemaker:AddTags."""


class TooLate(Exception):
    """The answer did not come in time; it will not be looked at."""


@dataclass(frozen=True)
class Answer:
    """`job`: what `.sync` goes on to follow."""

    result: Any
    job: dict[str, Any] | None = None


def within(seconds: float | None, work: Callable[[], T]) -> T:
    """What `work` returns or raises; TooLate where it takes longer than so many real seconds."""
    if seconds is None:
        return work()
    found: list[T] = []
    raised: list[BaseException] = []

    def body() -> None:
        try:
            found.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            raised.append(error)

    thread = threading.Thread(target=body, name="task call", daemon=True)
    thread.start()
    thread.join(max(0.0, seconds))
    if raised:
        raise raised[0]
    if not found:
        raise TooLate
    return found[0]


def session(run: Run, branch: Branch) -> Session:
    details = run.details()
    credentials = branch.get("call", {}).get("credentials")
    return calling.session(run.engine, run.region, details["roleArn"], details["baseArn"], credentials)


def perform(run: Run, branch: Branch, resource: Resource, resumed: bool) -> Answer:
    """StateError with the error's name and cause where the service refuses."""
    from botocore.exceptions import BotoCoreError, ClientError

    operation, service = calling.target(resource)
    caller = session(run, branch)
    request = _request(run, branch, resource, operation)
    try:
        answer = calling.send(caller, operation, request)
    except (ClientError, BotoCoreError) as error:
        adopted = _adopted(caller, operation, request, branch, error) if resumed else None
        if adopted is None:
            raise calling.failed(error, operation, service) from error
        answer = adopted
    job = None
    if resource.pattern in (SYNC, SYNC2) and service is not None:
        from sandbox.services.stepfunctions.execution.jobs import job_of

        job = job_of(service.jobs[resource.action], service.botocore, request, answer)
    return Answer(_read(operation, answer, service, resource), job)


def _request(run: Run, branch: Branch, resource: Resource, operation: Operation) -> dict[str, Any]:
    given = branch["call"]["given"]
    if resource.kind == "lambda":
        function, _, qualifier = resource.text.partition(":function:")[2].partition(":")
        name = resource.text.removesuffix(f":{qualifier}") if qualifier else resource.text
        invoked = {"FunctionName": name, "Payload": dumps(given)}
        return invoked | ({"Qualifier": qualifier} if function and qualifier else {})
    request = calling.request_of(operation, given)
    if operation.idempotency:
        request.setdefault(operation.idempotency, branch["call"]["token"])
    if (operation.service, operation.name) == ("stepfunctions", "StartExecution"):
        request.setdefault("name", branch["call"]["token"])
        if resource.kind == "optimised":
            request.setdefault("input", "{}")
    if resource.kind != "optimised":
        return request
    arn = arns.execution(run.account, run.region, run.key, express=run.details()["type"] == "EXPRESS")
    if operation.service == "sagemaker" and "Tags" in operation.input.members:
        request["Tags"] = [*request.get("Tags", []), _MANAGED, {"Key": _EXECUTION, "Value": arn}]
    if operation.name == "PutEvents":
        own = [arn, run.details()["baseArn"]]
        for entry in request.get("Entries", []):
            entry["Resources"] = [*entry.get("Resources", []), *own]
    return request


def _read(operation: Operation, answer: dict[str, Any], service: Service | None, resource: Resource) -> Any:
    """StateError where the answer itself tells of a failure."""
    if operation.service == "lambda" and service is not None:
        payload = answer["Payload"].read().decode()
        answer = answer | {"Payload": payload.encode()}
        if answer.get("FunctionError"):
            raise _function_error(payload)
        result = calling.answer_of(operation, answer, service)
        if resource.kind == "lambda":
            return result["Payload"]
        return result
    result = calling.answer_of(operation, answer, service)
    if operation.name == "PutEvents" and service is not None and answer.get("FailedEntryCount"):
        raise StateError("EventBridge.FailedEntry", dumps(result))
    return result


def _function_error(payload: str) -> StateError:
    try:
        told = json.loads(payload)
    except ValueError:
        told = {}
    error = told.get("errorType") if isinstance(told, dict) else None
    return StateError(error or "Unhandled", payload)


def _adopted(
    caller: Session, operation: Operation, request: dict[str, Any], branch: Branch, error: Exception
) -> dict[str, Any] | None:
    """What a request made that was sent before a crash: a SageMaker resource of that name, no older."""
    from botocore import xform_name
    from botocore.exceptions import ClientError

    noun = operation.name.removeprefix("Create")
    describe = operation_of("sagemaker", f"describe{noun}") if operation.service == "sagemaker" else None
    if describe is None or noun == operation.name or not isinstance(error, ClientError):
        return None
    try:
        found = getattr(caller.client("sagemaker"), xform_name(describe.name))(
            **{f"{noun}Name": request[f"{noun}Name"]}
        )
    except ClientError:
        return None
    if found["CreationTime"].timestamp() < branch["call"]["scheduled"] - 1:
        return None
    members = operation.output.members if operation.output else {}
    return {name: found[name] for name in (*members, "ResponseMetadata") if name in found}
