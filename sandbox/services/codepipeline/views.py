"""Operations that show executions, actions and rules."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.engine.pagination import page
from sandbox.services.codepipeline.action_types import Json
from sandbox.services.codepipeline.pipelines import pipelines_of
from sandbox.services.codepipeline.record import SERVICE, Pipelines

TOKEN = "InvalidNextTokenException"


@operation(SERVICE, "GetPipelineExecution")
def get_pipeline_execution(call: Call, pipelineName: str, pipelineExecutionId: str) -> dict[str, Any]:
    pipelines = pipelines_of(call)
    pipelines.pipeline(pipelineName)
    execution = pipelines.execution(pipelineName, pipelineExecutionId)
    members = (
        "pipelineName",
        "pipelineVersion",
        "pipelineExecutionId",
        "status",
        "statusSummary",
        "trigger",
        "executionMode",
        "executionType",
        "rollbackMetadata",
    )
    shown = {member: execution[member] for member in members if member in execution}
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
    """Newest first."""
    pipelines = pipelines_of(call)
    pipelines.pipeline(pipelineName)
    executions = pipelines.executions_of(pipelineName)[::-1]
    stage = (filter or {}).get("succeededInStage", {}).get("stageName")
    if stage:
        executions = [e for e in executions if e["stages"].get(stage, {}).get("status") == "Succeeded"]
    chosen, token = page(executions, nextToken, maxResults, error=TOKEN)
    summaries = [_summary(execution) for execution in chosen]
    return {"pipelineExecutionSummaries": summaries} | ({"nextToken": token} if token else {})


def _summary(execution: Json) -> Json:
    members = (
        "pipelineExecutionId",
        "status",
        "statusSummary",
        "startTime",
        "lastUpdateTime",
        "trigger",
        "executionMode",
        "executionType",
        "rollbackMetadata",
    )
    shown = {member: execution[member] for member in members if member in execution}
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
    """Newest first; also those of earlier attempts of a stage."""
    pipelines = pipelines_of(call)
    execution_id = _filtered(pipelines, pipelineName, filter)
    actions = pipelines.actions_of(pipelineName, f"{execution_id}/" if execution_id else "")[::-1]
    chosen, token = page(actions, nextToken, maxResults, error=TOKEN)
    details = [_action_detail(action) for action in chosen]
    return {"actionExecutionDetails": details} | ({"nextToken": token} if token else {})


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
    members = (
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
    results = (
        "externalExecutionId",
        "externalExecutionSummary",
        "externalExecutionUrl",
        "errorDetails",
        "logStreamARN",
    )
    shown = {member: action[member] for member in members if member in action}
    succeeded = action["status"] == "Succeeded"
    shown["output"] = {
        "outputArtifacts": action["outputArtifacts"] if succeeded else [],
        "executionResult": {
            member: action["result"][member] for member in results if member in action["result"]
        },
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
    chosen, token = page(details[::-1], nextToken, maxResults, error=TOKEN)
    return {"ruleExecutionDetails": chosen} | ({"nextToken": token} if token else {})


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
