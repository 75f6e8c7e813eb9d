"""Operations on executions: start, stop, retry, roll back, approve, open and close transitions."""

from __future__ import annotations

import re
from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.services.codepipeline.action_types import Json
from sandbox.services.codepipeline.actions.context import ActionFailed, Succeeded
from sandbox.services.codepipeline.actions.run import finish
from sandbox.services.codepipeline.pipelines import pipelines_of
from sandbox.services.codepipeline.record import ACTIVE, SERVICE, Pipelines
from sandbox.services.codepipeline.rerun import reset_actions, start_rollback

QUEUE = 50
"""Executions of a pipeline in mode QUEUED or PARALLEL that may be under way."""
RULE_HEADER = "x-amzn-events-rule"
"""Header by which EventBridge names the rule that starts a pipeline."""


@operation(SERVICE, "StartPipelineExecution")
def start_pipeline_execution(
    call: Call,
    name: str,
    variables: list[dict[str, str]] | None = None,
    clientRequestToken: str | None = None,
    sourceRevisions: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    pipelines = pipelines_of(call)
    request = {"variables": variables or [], "sourceRevisions": sourceRevisions or []}
    with call.engine.store.transaction():
        record = pipelines.pipeline(name)
        declaration = pipelines.declaration(name, record["version"])
        tokens = call.records("token")
        known = tokens.get(f"{name}/{clientRequestToken}") if clientRequestToken else None
        if known:
            if known["request"] != request:
                raise AwsError(
                    "ConflictException", "The client request token was used before with other parameters"
                )
            return {"pipelineExecutionId": known["execution"]}
        resolved = _variables(declaration, variables or [])
        overrides = _overrides(declaration, sourceRevisions or [])
        active = pipelines.active_of(name)
        if declaration["executionMode"] != "SUPERSEDED" and len(active) >= QUEUE:
            raise AwsError(
                "ConcurrentPipelineExecutionsLimitExceededException",
                f"The pipeline has reached the limit of {QUEUE} concurrent executions",
            )
        execution = pipelines.start(name, _trigger(call), variables=resolved, overrides=overrides)
        if clientRequestToken:
            tokens.put(
                f"{name}/{clientRequestToken}",
                {"execution": execution["pipelineExecutionId"], "request": request},
            )
    return {"pipelineExecutionId": execution["pipelineExecutionId"]}


def _trigger(call: Call) -> Json:
    rule = call.headers.get(RULE_HEADER) if call.agent == "events.amazonaws.com" else None
    if rule:
        return {"triggerType": "CloudWatchEvent", "triggerDetail": rule}
    return {"triggerType": "StartPipelineExecution", "triggerDetail": call.principal.caller_arn}


def _variables(declaration: Json, given: list[dict[str, str]]) -> dict[str, str]:
    declared = {variable["name"]: variable for variable in declaration.get("variables", [])}
    values = {name: v["defaultValue"] for name, v in declared.items() if "defaultValue" in v}
    for variable in given:
        if variable["name"] not in declared:
            raise AwsError(
                "ValidationException", f"Pipeline does not declare the variable {variable['name']}"
            )
        values[variable["name"]] = variable["value"]
    missing = sorted(set(declared) - set(values))
    if missing:
        raise AwsError(
            "ValidationException",
            f"The variables {', '.join(missing)} have no default value and none was given",
        )
    return values


_REVISIONS = {
    "COMMIT_ID": ("CodeCommit", re.compile(r"[0-9a-f]{40}")),
    "S3_OBJECT_VERSION_ID": ("S3", re.compile(r".+")),
    "S3_OBJECT_KEY": ("S3", re.compile(r".+")),
}


def _overrides(declaration: Json, revisions: list[dict[str, str]]) -> Json:
    sources = {action["name"]: action for action in declaration["stages"][0]["actions"]}
    if revisions and declaration["pipelineType"] != "V2":
        raise AwsError("ValidationException", "Source revision overrides require a pipeline of type V2")
    overrides: Json = {}
    for revision in revisions:
        source = sources.get(revision["actionName"])
        if source is None:
            raise AwsError("ValidationException", f"Pipeline has no source action {revision['actionName']}")
        kind = revision["revisionType"]
        if kind not in _REVISIONS or _REVISIONS[kind][0] != source["actionTypeId"]["provider"]:
            raise AwsError(
                "ValidationException",
                f"The revision type {kind} is not valid for source action {source['name']}",
            )
        if not _REVISIONS[kind][1].fullmatch(revision["revisionValue"]):
            raise AwsError(
                "ValidationException", f"The revision value of source action {source['name']} is not valid"
            )
        allowed = source.get("configuration", {}).get("AllowOverrideForS3ObjectKey", "false")
        if kind == "S3_OBJECT_KEY" and allowed != "true":
            raise AwsError(
                "ValidationException", f"Source action {source['name']} does not allow to override its key"
            )
        overrides[source["name"]] = {"revisionType": kind, "revisionValue": revision["revisionValue"]}
    return overrides


@operation(SERVICE, "StopPipelineExecution")
def stop_pipeline_execution(
    call: Call, pipelineName: str, pipelineExecutionId: str, abandon: bool = False, reason: str | None = None
) -> dict[str, Any]:
    """Stops and waits for the actions under way, or abandons them."""
    pipelines = pipelines_of(call)
    with call.engine.store.transaction():
        pipelines.pipeline(pipelineName)
        execution = pipelines.executions.get(f"{pipelineName}/{pipelineExecutionId}")
        if execution is None or execution["status"] not in ACTIVE:
            raise AwsError(
                "PipelineExecutionNotStoppableException",
                f"Execution '{pipelineExecutionId}' of pipeline '{pipelineName}' is not in progress",
            )
        if execution["status"] == "Stopping" and (execution["stop"]["abandon"] or not abandon):
            raise AwsError(
                "DuplicatedStopRequestException",
                f"Execution '{pipelineExecutionId}' of pipeline '{pipelineName}' is already being stopped",
            )
        execution |= {"status": "Stopping", "stop": {"abandon": abandon, "reason": reason or ""}}
        pipelines.save_execution(execution)
        pipelines.pipeline_event(execution, "STOPPING", **{"stop-execution-comments": reason or ""})
        pipelines.advance(pipelineName)
    return {"pipelineExecutionId": pipelineExecutionId}


def stage_index(declaration: Json, name: str) -> int:
    names = [stage["name"] for stage in declaration["stages"]]
    if name not in names:
        raise AwsError(
            "StageNotFoundException",
            f"Pipeline '{declaration['name']}' does not have a stage with name '{name}'",
        )
    return names.index(name)


@operation(SERVICE, "RetryStageExecution")
def retry_stage_execution(
    call: Call, pipelineName: str, stageName: str, pipelineExecutionId: str, retryMode: str
) -> dict[str, Any]:
    pipelines = pipelines_of(call)
    with call.engine.store.transaction():
        record = pipelines.pipeline(pipelineName)
        index = stage_index(pipelines.declaration(pipelineName, record["version"]), stageName)
        execution = pipelines.executions.get(f"{pipelineName}/{pipelineExecutionId}")
        stage = pipelines.stage(pipelineName, stageName)
        parallel = execution is not None and execution["executionMode"] == "PARALLEL"
        if execution is None or (stage["latest"] != pipelineExecutionId and not parallel):
            raise AwsError(
                "NotLatestPipelineExecutionException",
                f"Execution '{pipelineExecutionId}' is not the latest of stage '{stageName}'",
            )
        if execution["pipelineVersion"] != record["version"]:
            raise AwsError(
                "StageNotRetryableException",
                f"Stage '{stageName}' cannot be retried: the pipeline's structure was changed since",
            )
        state = execution["stages"].get(stageName, {})
        if state.get("status") not in ("Failed", "Stopped") or execution["status"] in ACTIVE:
            raise AwsError(
                "StageNotRetryableException", f"Stage '{stageName}' cannot be retried: it has not failed"
            )
        if state.get("conditionFailed"):
            raise AwsError(
                "StageNotRetryableException",
                f"Stage '{stageName}' cannot be retried: a condition failed, not an action",
            )
        if stage["holder"] not in (None, pipelineExecutionId):
            raise AwsError("ConflictException", f"Stage '{stageName}' is being run by another execution")
        reset_actions(pipelines, execution, stageName, retryMode)
        state["manualRetries"] = state.get("manualRetries", 0) + 1
        execution |= {"status": "InProgress", "position": index, "inside": True}
        execution["attempt"] = execution.get("attempt", 1) + 1
        execution.pop("stop", None)
        execution.pop("statusSummary", None)
        if not parallel:
            pipelines.put_stage(pipelineName, stageName, stage | {"holder": pipelineExecutionId})
        pipelines.save_execution(execution)
        pipelines.stage_event(execution, stageName, "RESUMED")
        pipelines.pipeline_event(execution, "RESUMED")
        pipelines.advance(pipelineName)
    return {"pipelineExecutionId": pipelineExecutionId}


@operation(SERVICE, "RollbackStage")
def rollback_stage(
    call: Call, pipelineName: str, stageName: str, targetPipelineExecutionId: str
) -> dict[str, Any]:
    pipelines = pipelines_of(call)
    with call.engine.store.transaction():
        record = pipelines.pipeline(pipelineName)
        declaration = pipelines.declaration(pipelineName, record["version"])
        index = stage_index(declaration, stageName)
        target = pipelines.execution(pipelineName, targetPipelineExecutionId)
        if declaration["executionMode"] == "PARALLEL" or index == 0:
            raise AwsError(
                "UnableToRollbackStageException",
                "A source stage and stages of a pipeline in mode PARALLEL cannot be rolled back",
            )
        if target["pipelineVersion"] != record["version"]:
            raise AwsError(
                "PipelineExecutionOutdatedException",
                f"Execution '{targetPipelineExecutionId}' is of an earlier version of the structure",
            )
        if target["stages"].get(stageName, {}).get("status") != "Succeeded":
            raise AwsError(
                "UnableToRollbackStageException",
                f"Execution '{targetPipelineExecutionId}' did not succeed in stage '{stageName}'",
            )
        trigger = {"triggerType": "ManualRollback", "triggerDetail": call.principal.caller_arn}
        execution = start_rollback(pipelines, target, stageName, trigger)
    return {"pipelineExecutionId": execution["pipelineExecutionId"]}


@operation(SERVICE, "PutApprovalResult")
def put_approval_result(
    call: Call, pipelineName: str, stageName: str, actionName: str, result: dict[str, str], token: str
) -> dict[str, Any]:
    """Approves or rejects; the token is that of GetPipelineState and good for one answer."""
    pipelines = pipelines_of(call)
    with call.engine.store.transaction():
        record = pipelines.pipeline(pipelineName)
        declaration = pipelines.declaration(pipelineName, record["version"])
        stage = declaration["stages"][stage_index(declaration, stageName)]
        if actionName not in [action["name"] for action in stage["actions"]]:
            raise AwsError(
                "ActionNotFoundException",
                f"Stage '{stageName}' does not have an action with name '{actionName}'",
            )
        action = _approval(pipelines, pipelineName, stageName, actionName, token)
        if action["status"] != "InProgress":
            raise AwsError("ApprovalAlreadyCompletedException", "The approval has already been completed")
        summary = result["summary"]
        rejected = ActionFailed("ActionFailed", f"The approval was rejected: {summary}")
        outcome = Succeeded(summary=summary) if result["status"] == "Approved" else rejected
        shown = {"externalExecutionSummary": summary} if summary else {}
        key = pipelines.action_key(action)
        finish(pipelines, key, outcome, shown, call.principal.caller_arn)
        call.engine.tasks.cancel("codepipeline.approval-timeout", pipelines.task_key(key))
    return {"approvedAt": call.engine.clock.now()}


def _approval(pipelines: Pipelines, name: str, stage: str, action_name: str, token: str) -> Json:
    for action in reversed(pipelines.actions_of(name)):
        same = action["stageName"] == stage and action["actionName"] == action_name
        if same and action["result"].get("token") == token:
            return action
    raise AwsError("InvalidApprovalTokenException", "Invalid approval token")


@operation(SERVICE, "EnableStageTransition")
def enable_stage_transition(
    call: Call, pipelineName: str, stageName: str, transitionType: str
) -> dict[str, Any]:
    return _transition(call, pipelineName, stageName, transitionType, {"enabled": True})


@operation(SERVICE, "DisableStageTransition")
def disable_stage_transition(
    call: Call, pipelineName: str, stageName: str, transitionType: str, reason: str
) -> dict[str, Any]:
    return _transition(
        call, pipelineName, stageName, transitionType, {"enabled": False, "disabledReason": reason}
    )


def _transition(call: Call, name: str, stage: str, kind: str, transition: Json) -> dict[str, Any]:
    if kind != "Inbound":
        raise AwsError(
            "ValidationException", "Transitions of type Outbound are not implemented in the sandbox"
        )
    pipelines = pipelines_of(call)
    with call.engine.store.transaction():
        record = pipelines.pipeline(name)
        stage_index(pipelines.declaration(name, record["version"]), stage)
        changed = {"lastChangedBy": call.principal.caller_arn, "lastChangedAt": call.engine.clock.now()}
        pipelines.put_stage(name, stage, pipelines.stage(name, stage) | {"transition": transition | changed})
        pipelines.advance(name)
    return {}
