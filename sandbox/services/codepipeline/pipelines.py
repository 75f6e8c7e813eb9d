"""Operations on pipelines and their tags."""

from __future__ import annotations

import re
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.events import Event, listener
from sandbox.engine.operations import TAGS, AwsError, Call, operation
from sandbox.engine.pagination import page
from sandbox.services.codepipeline.action_types import Json
from sandbox.services.codepipeline.errors import structure_error
from sandbox.services.codepipeline.record import SERVICE, Pipelines
from sandbox.services.codepipeline.structure import validate

TAGS_LIMIT = 50


def pipelines_of(call: Call) -> Pipelines:
    return Pipelines(call.engine, call.account, call.region)


@operation(SERVICE, "CreatePipeline")
def create_pipeline(call: Call, pipeline: Json, tags: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """Starts an execution, as on AWS."""
    pipelines = pipelines_of(call)
    declaration = _validated(call, pipeline)
    name = declaration["name"]
    now = call.engine.clock.now()
    with call.engine.store.transaction():
        if pipelines.pipelines.get(name):
            raise AwsError("PipelineNameInUseException", f"A pipeline with the name '{name}' already exists")
        record = {
            "name": name,
            "version": 1,
            "created": now,
            "updated": now,
            "tags": _tags(call, {}, tags or []),
        }
        pipelines.pipelines.put(name, record)
        declaration["version"] = 1
        pipelines.versions.put(f"{name}/1", declaration)
        if not _lacks_default(declaration):
            variables = {v["name"]: v["defaultValue"] for v in declaration.get("variables", [])}
            trigger = {"triggerType": "CreatePipeline", "triggerDetail": call.principal.caller_arn}
            pipelines.start(name, trigger, variables=variables)
    return {"pipeline": declaration, "tags": tags or []}


def _lacks_default(declaration: Json) -> bool:
    return any("defaultValue" not in variable for variable in declaration.get("variables", []))


@operation(SERVICE, "UpdatePipeline")
def update_pipeline(call: Call, pipeline: Json) -> dict[str, Any]:
    """A new version; executions under way go on with theirs."""
    pipelines = pipelines_of(call)
    declaration = _validated(call, pipeline)
    name = declaration["name"]
    with call.engine.store.transaction():
        record = pipelines.pipeline(name)
        record |= {"version": record["version"] + 1, "updated": call.engine.clock.now()}
        declaration["version"] = record["version"]
        pipelines.pipelines.put(name, record)
        pipelines.versions.put(f"{name}/{record['version']}", declaration)
        pipelines.advance(name)
    return {"pipeline": declaration}


def _validated(call: Call, pipeline: Json) -> Json:
    declaration = validate(pipeline, call.region)
    role = declaration["roleArn"]
    try:
        call.engine.clients.role(
            role,
            service="codepipeline.amazonaws.com",
            session_name="codepipeline-validation",
            region=call.region,
            source_arn=call.arn(declaration["name"]),
        )
    except AwsError as error:
        raise structure_error(
            f"CodePipeline is not authorized to perform AssumeRole on role {role}. {error.message}"
        ) from error
    return declaration


@operation(SERVICE, "GetPipeline")
def get_pipeline(call: Call, name: str, version: int | None = None) -> dict[str, Any]:
    pipelines = pipelines_of(call)
    record = pipelines.pipeline(name)
    return {
        "pipeline": pipelines.declaration(name, version or record["version"]),
        "metadata": {
            "pipelineArn": pipelines.arn(name),
            "created": record["created"],
            "updated": record["updated"],
        },
    }


@operation(SERVICE, "ListPipelines")
def list_pipelines(call: Call, nextToken: str | None = None, maxResults: int | None = None) -> dict[str, Any]:
    pipelines = pipelines_of(call)
    records = sorted(pipelines.pipelines.list(), key=lambda record: record["name"])
    chosen, token = page(records, nextToken, maxResults, error="InvalidNextTokenException", default=1000)
    summaries = []
    for record in chosen:
        declaration = pipelines.declaration(record["name"], record["version"])
        shown = {member: record[member] for member in ("name", "version", "created", "updated")}
        summaries.append(shown | {m: declaration[m] for m in ("pipelineType", "executionMode")})
    return {"pipelines": summaries} | ({"nextToken": token} if token else {})


@operation(SERVICE, "DeletePipeline")
def delete_pipeline(call: Call, name: str) -> dict[str, Any]:
    """With its history. What its actions have started goes on, as on AWS. A missing one is no error."""
    pipelines = pipelines_of(call)
    with call.engine.store.transaction():
        for action in pipelines.actions_of(name):
            for external in action["state"].get("waits", []):
                pipelines.external.delete(external)
            key = pipelines.task_key(pipelines.action_key(action))
            call.engine.tasks.cancel("codepipeline.action", key)
            call.engine.tasks.cancel("codepipeline.approval-timeout", key)
        for records in pipelines.histories():
            for key in records.keys(f"{name}/"):
                records.delete(key)
        pipelines.pipelines.delete(name)
        for key in call.records("token").keys(f"{name}/"):
            call.records("token").delete(key)
    return {}


def _tags(call: Call, before: dict[str, str], tags: list[dict[str, str]]) -> dict[str, str]:
    merged = before | {tag["key"]: tag["value"] for tag in tags}
    if len(merged) > TAGS_LIMIT:
        raise AwsError("TooManyTagsException", f"A pipeline can have {TAGS_LIMIT} tags")
    if call.agent is None and any(tag["key"].lower().startswith("aws:") for tag in tags):
        raise AwsError("InvalidTagsException", "Tag keys must not start with aws:")
    return merged


def _of_arn(call: Call, arn: str) -> Json:
    prefix = call.arn("")
    if not re.fullmatch(r"arn:aws:codepipeline:[^:]+:\d{12}:.+", arn):
        raise AwsError("InvalidArnException", f"Invalid ARN: {arn}")
    record = pipelines_of(call).pipelines.get(arn.removeprefix(prefix)) if arn.startswith(prefix) else None
    if record is None:
        raise AwsError("ResourceNotFoundException", f"The resource {arn} does not exist")
    return record


@operation(SERVICE, "TagResource")
def tag_resource(call: Call, resourceArn: str, tags: list[dict[str, str]]) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = _of_arn(call, resourceArn)
        record["tags"] = _tags(call, record["tags"], tags)
        pipelines_of(call).pipelines.put(record["name"], record)
    return {}


@operation(SERVICE, "UntagResource")
def untag_resource(call: Call, resourceArn: str, tagKeys: list[str]) -> dict[str, Any]:
    with call.engine.store.transaction():
        record = _of_arn(call, resourceArn)
        record["tags"] = {name: value for name, value in record["tags"].items() if name not in tagKeys}
        pipelines_of(call).pipelines.put(record["name"], record)
    return {}


@operation(SERVICE, "ListTagsForResource")
def list_tags_for_resource(
    call: Call, resourceArn: str, nextToken: str | None = None, maxResults: int | None = None
) -> dict[str, Any]:
    tags = [{"key": name, "value": value} for name, value in _of_arn(call, resourceArn)["tags"].items()]
    chosen, token = page(tags, nextToken, maxResults, error="InvalidNextTokenException")
    return {"tags": chosen} | ({"nextToken": token} if token else {})


def _resource_tags(engine: Engine, account: str, region: str, arn: str) -> dict[str, str]:
    # arn:aws:codepipeline:region:account:pipeline[/stage[/action]]
    name = arn.split(":", 5)[5].partition("/")[0]
    record = Pipelines(engine, account, region).pipelines.get(name)
    return dict(record["tags"]) if record else {}


TAGS[SERVICE] = _resource_tags


@listener(source="aws.codecommit", detail_type="CodeCommit Repository State Change")
def on_push(engine: Engine, event: Event) -> None:
    """Source actions that poll for changes: told by the event here, with the trigger of polling."""
    detail = event["detail"]
    if detail.get("referenceType") != "branch" or detail["event"] == "referenceDeleted":
        return
    pipelines = Pipelines(engine, event["account"], event["region"])
    branch = (detail["repositoryName"], detail["referenceName"])
    for declaration in pipelines.versions.where(_polled, branch):
        record = pipelines.pipelines.get(declaration["name"])
        if record is None or record["version"] != declaration["version"] or _lacks_default(declaration):
            continue
        polling = [a for a in declaration["stages"][0]["actions"] if _polls(a) and _branch(a) == branch]
        token = f"{record['name']}/poll-{event['id']}"
        tokens = engine.records(event["account"], event["region"], SERVICE, "token")
        with engine.store.transaction():
            if tokens.get(token) is None:
                variables = {v["name"]: v["defaultValue"] for v in declaration.get("variables", [])}
                trigger = {"triggerType": "PollForSourceChanges", "triggerDetail": polling[0]["name"]}
                execution = pipelines.start(record["name"], trigger, variables=variables)
                tokens.put(token, {"execution": execution["pipelineExecutionId"], "request": {}})


def _polled(declaration: Json) -> list[tuple[str, str]]:
    """The repositories and branches that a pipeline's source actions look at themselves."""
    return [_branch(action) for action in declaration["stages"][0]["actions"] if _polls(action)]


def _polls(action: Json) -> bool:
    codecommit = action["actionTypeId"]["provider"] == "CodeCommit"
    return codecommit and action.get("configuration", {}).get("PollForSourceChanges", "true") != "false"


def _branch(action: Json) -> tuple[str, str]:
    return action["configuration"]["RepositoryName"], action["configuration"]["BranchName"]
