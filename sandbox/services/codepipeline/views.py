"""Operations that show executions, actions and rules."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.engine.pagination import page
from sandbox.services.codepipeline.action_types import Json
from sandbox.services.codepipeline.pipelines import pipelines_of
from sandbox.services.codepipeline.record import SERVICE, Pipelines

_MEMBERS = (
    "pipelineExecutionId",
    "status",
    "statusSummary",
    "trigger",
    "executionMode",
    "executionType",
    "rollbackMetadata",
)
"""What an execution's description and its summary both show."""


def _newest_first(member: str, items: list[Json], token: str | None, limit: int | None) -> dict[str, Any]:
    """A page of what is listed in the order of its making."""
    chosen, following = page(items[::-1], token, limit, error="InvalidNextTokenException")
    return {member: chosen} | ({"nextToken": following} if following else {})


@operation(SERVICE, "GetPipelineExecution")
def get_pipeline_execution(call: Call, pipelineName: str, pipelineExecutionId: str) -> dict[str, Any]:
    pipelines = pipelines_of(call)
    pipelines.pipeline(pipelineName)
    execution = pipelines.execution(pipelineName, pipelineExecutionId)
    shown = _present(execution, "pipelineName", "pipelineVersion", *_MEMBERS)
    shown["artifactRevisions"] = [
        {
            "name": revision["artifact"],
            "revisionId": revision["revisionId"],
            "revisionSummary": revision["revisionSummary"],
            "created": revision["created"],
            "revisionUrl": revision["revisionUrl"],
        }
        for revision in execution["revisions"].values()
    ]
    shown["variables"] = [{"name": n, "resolvedValue": v} for n, v in execution["variables"].items()]
    return {"pipelineExecution": shown}


@operation(SERVICE, "ListPipelineExecutions")
def list_pipeline_executions(
    call: Call,
    pipelineName: str,
    maxResults: int | None = None,
    filter: Json | None = None,
    nextToken: str | None = None,
) -> dict[str, Any]:
    pipelines = pipelines_of(call)
    pipelines.pipeline(pipelineName)
    executions = pipelines.executions_of(pipelineName)
    stage = (filter or {}).get("succeededInStage", {}).get("stageName")
    if stage:
        executions = [e for e in executions if e["stages"].get(stage, {}).get("status") == "Succeeded"]
    summaries = [_summary(execution) for execution in executions]
    return _newest_first("pipelineExecutionSummaries", summaries, nextToken, maxResults)


def _present(record: Json, *members: str) -> Json:
    return {member: record[member] for member in members if member in record}


def _summary(execution: Json) -> Json:
    shown = _present(execution, "startTime", "lastUpdateTime", *_MEMBERS)
    shown["sourceRevisions"] = [
        {"actionName": name} | {m: r[m] for m in ("revisionId", "revisionSummary", "revisionUrl")}
        for name, r in execution["revisions"].items()
    ]
    if "stop" in execution:
        shown["stopTrigger"] = {"reason": execution["stop"]["reason"]}
    return shown


@operation(SERVICE, "ListActionExecutions")
def list_action_executions(
    call: Call,
    pipelineName: str,
    filter: Json | None = None,
    maxResults: int | None = None,
    nextToken: str | None = None,
) -> dict[str, Any]:
    """Also those of earlier attempts of a stage."""
    pipelines = pipelines_of(call)
    execution_id = _filtered(pipelines, pipelineName, filter)
    actions = pipelines.actions_of(pipelineName, f"{execution_id}/" if execution_id else "")
    details = [_action_detail(action) for action in actions]
    return _newest_first("actionExecutionDetails", details, nextToken, maxResults)


def _filtered(pipelines: Pipelines, name: str, filter: Json | None) -> str | None:
    pipelines.pipeline(name)
    chosen = filter or {}
    execution_id: str | None = chosen.get("pipelineExecutionId") or chosen.get(
        "latestInPipelineExecution", {}
    ).get("pipelineExecutionId")
    if execution_id:
        pipelines.execution(name, execution_id)
    return execution_id


def _action_detail(action: Json) -> Json:
    shown = _present(
        action,
        "pipelineExecutionId",
        "actionExecutionId",
        "pipelineVersion",
        "stageName",
        "actionName",
        "startTime",
        "lastUpdateTime",
        "updatedBy",
        "status",
        "input",
    )
    succeeded = action["status"] == "Succeeded"
    shown["output"] = {
        "outputArtifacts": action["outputArtifacts"] if succeeded else [],
        "executionResult": _present(
            action["result"],
            "externalExecutionId",
            "externalExecutionSummary",
            "externalExecutionUrl",
            "errorDetails",
            "logStreamARN",
        ),
        "outputVariables": action["outputVariables"],
    }
    return shown


@operation(SERVICE, "ListRuleExecutions")
def list_rule_executions(
    call: Call,
    pipelineName: str,
    filter: Json | None = None,
    maxResults: int | None = None,
    nextToken: str | None = None,
) -> dict[str, Any]:
    pipelines = pipelines_of(call)
    execution_id = _filtered(pipelines, pipelineName, filter)
    details = [
        _rule_detail(execution, stage, rule)
        for execution in pipelines.executions_of(pipelineName)
        if execution_id in (None, execution["pipelineExecutionId"])
        for stage, state in execution["stages"].items()
        for kind in ("beforeEntry", "onSuccess", "onFailure")
        for condition in state.get(kind, {}).get("conditions", [])
        for rule in condition["rules"]
    ]
    return _newest_first("ruleExecutionDetails", details, nextToken, maxResults)


def _rule_detail(execution: Json, stage: str, rule: Json) -> Json:
    result: Json = {"externalExecutionSummary": rule["summary"]}
    if "errorDetails" in rule:
        result["errorDetails"] = rule["errorDetails"]
    inputs = {
        "ruleTypeId": rule["ruleTypeId"],
        "configuration": rule["configuration"],
        "resolvedConfiguration": rule.get("resolvedConfiguration", {}),
    }
    return {
        "pipelineExecutionId": execution["pipelineExecutionId"],
        "ruleExecutionId": rule["ruleExecutionId"],
        "pipelineVersion": execution["pipelineVersion"],
        "stageName": stage,
        "ruleName": rule["name"],
        "startTime": rule["time"],
        "lastUpdateTime": rule["time"],
        "status": rule["status"],
        "input": inputs,
        "output": {"executionResult": result},
    }
