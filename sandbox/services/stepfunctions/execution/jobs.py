"""`.sync`: a job of another service is followed to its end, and stopped with its execution.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-resource.html#connect-sync
"""

from __future__ import annotations

import json
import logging
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.events import Event, listener
from sandbox.engine.sdk_operations import from_answer, operation_of
from sandbox.engine.tasks import task
from sandbox.services.stepfunctions.execution import waiting
from sandbox.services.stepfunctions.execution.endings import STOP_JOB
from sandbox.services.stepfunctions.execution.requests import session
from sandbox.services.stepfunctions.execution.run import ADVANCE, SERVICE, Branch, Run, run_of
from sandbox.services.stepfunctions.integrations import calling
from sandbox.services.stepfunctions.integrations.optimised import SERVICES, Job
from sandbox.services.stepfunctions.integrations.resource import SYNC2, Resource
from sandbox.services.stepfunctions.language.errors import TASK_FAILED, StateError
from sandbox.services.stepfunctions.language.scope import dumps

log = logging.getLogger(__name__)

LOOK_AGAIN = 20.0
"""Real seconds after which a job is looked at without an event: one may be lost with a killed process."""


def job_of(job: Job, service: str, request: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """What to ask about, and the resource whose events tell of it."""
    found: Any = request if job.from_request else answer
    for name in job.key.split("."):
        found = found[name]
    arn = next((value for value in _texts(answer) if value.startswith("arn:")), str(found))
    followed = {
        "service": service,
        "name": found,
        "resource": arn,
        "describe": job.describe,
        "stop": job.stop,
    }
    if service == "sagemaker":
        followed["tags"] = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    return followed


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for name, item in value.items() if name != "ResponseMetadata" for text in _texts(item)]
    return []


def follow(run: Run, branch: Branch, job: dict[str, Any] | None) -> None:
    """To be called while writing the branch."""
    assert job is not None
    branch["job"] = job
    waiting.watch(run, branch, job["resource"])


def unfollow(run: Run, branch: Branch) -> None:
    waiting.forget(run, branch)
    branch.pop("job", None)


def stop(run: Run, branch: Branch) -> None:
    """Has the job stopped. To be called while writing the branch."""
    job = branch.get("job")
    if job:
        unfollow(run, branch)
        key = run.task_key(f"{branch['id']}/{branch['last']}")
        run.engine.tasks.submit(STOP_JOB, key, {"job": job})


def look(run: Run, branch: Branch, resource: Resource) -> Any:
    """The job's description once it has succeeded, None before. StateError once it has failed."""
    from botocore.exceptions import BotoCoreError, ClientError

    service = SERVICES[resource.service]
    job, name = service.jobs[resource.action], branch["job"]["name"]
    operation = operation_of(service.botocore, job.describe)
    assert operation is not None
    try:
        answer = calling.send(session(run, branch), operation, _about(job, name))
    except (ClientError, BotoCoreError) as error:
        raise calling.failed(error, operation, service) from error
    described = _described(operation, answer, resource)
    if "tags" in branch["job"]:
        described["Tags"] = branch["job"]["tags"]
    status = described[_pascal_status(job)]
    if status in job.succeeded:
        return {"Build": described} if resource.service == "codebuild" else described
    if status in job.failed:
        raise StateError(TASK_FAILED, dumps(described))
    return None


def _about(job: Job, name: str) -> dict[str, Any]:
    return {job.parameter: [name] if job.parameter == "ids" else name}


def _pascal_status(job: Job) -> str:
    name = job.status.rpartition(".")[2]
    return name[0].upper() + name[1:]


def _described(operation: Any, answer: dict[str, Any], resource: Resource) -> dict[str, Any]:
    shown = from_answer(operation.output, answer, millis=True)
    if resource.service == "codebuild":
        return dict(shown["Builds"][0])
    if resource.pattern == SYNC2:
        for name in ("Input", "Output"):
            if isinstance(shown.get(name), str):
                shown[name] = json.loads(shown[name])
    return dict(shown)


@task(STOP_JOB)
def stop_job(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    """Best effort, as on AWS: a job that has ended or may not be stopped is left."""
    from botocore.exceptions import BotoCoreError, ClientError

    run, _ = run_of(engine, key)
    job = payload["job"]
    operation = operation_of(job["service"], job["stop"])
    assert operation is not None
    member = next(iter(operation.input.required_members), "executionArn")
    try:
        calling.send(session(run, {}), operation, {member: job["name"]})
    except (ClientError, BotoCoreError, StateError) as error:
        log.info("%s of %s for execution %s: %s", job["stop"], job["name"], run.key, error)


def wake(engine: Engine, event: Event) -> None:
    """Branches that wait for one of an event's resources look again."""
    records = engine.records(event["account"], event["region"], SERVICE, "watch")
    for resource in event["resources"]:
        for key in records.keys(f"{resource}|"):
            watch = records.get(key)
            if watch is not None:
                engine.tasks.submit(ADVANCE, watch["task"])


@listener(source="aws.sagemaker")
def on_sagemaker(engine: Engine, event: Event) -> None:
    wake(engine, event)


@listener(source="aws.codebuild")
def on_codebuild(engine: Engine, event: Event) -> None:
    wake(engine, event)


@listener(source="aws.states")
def on_states(engine: Engine, event: Event) -> None:
    wake(engine, event)
