"""GetPipelineState: what each stage holds now."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.services.codepipeline.action_types import Json
from sandbox.services.codepipeline.pipelines import pipelines_of
from sandbox.services.codepipeline.record import SERVICE, Pipelines


@operation(SERVICE, "GetPipelineState")
def get_pipeline_state(call: Call, name: str) -> dict[str, Any]:
    pipelines = pipelines_of(call)
    record = pipelines.pipeline(name)
    declaration = pipelines.declaration(name, record["version"])
    active = pipelines.active_of(name)
    states = [
        _stage_state(pipelines, declaration, index, active) for index in range(len(declaration["stages"]))
    ]
    return {
        "pipelineName": name,
        "pipelineVersion": record["version"],
        "stageStates": states,
        "created": record["created"],
        "updated": record["updated"],
    }


def _stage_state(pipelines: Pipelines, declaration: Json, index: int, active: list[Json]) -> Json:
    stage = declaration["stages"][index]
    record = pipelines.stage(declaration["name"], stage["name"])
    latest = pipelines.executions.get(f"{declaration['name']}/{record['latest']}")
    state = latest["stages"].get(stage["name"]) if latest else None
    shown: Json = {
        "stageName": stage["name"],
        "inboundTransitionState": record["transition"],
        "actionStates": [_action_state(pipelines, action, latest, state) for action in stage["actions"]],
    }
    waiting = [
        {"pipelineExecutionId": e["pipelineExecutionId"], "status": "InProgress", "type": e["executionType"]}
        for e in active
        if e["status"] == "InProgress" and not e["inside"] and e["position"] == index
    ]
    if waiting:
        shown |= {"inboundExecution": waiting[0], "inboundExecutions": waiting}
    if latest and state:
        stopping = latest["status"] == "Stopping" and state["status"] == "InProgress"
        shown["latestExecution"] = {
            "pipelineExecutionId": latest["pipelineExecutionId"],
            "status": "Stopping" if stopping else state["status"],
            "type": latest["executionType"],
        }
        for kind in ("beforeEntry", "onSuccess", "onFailure"):
            if kind in state:
                shown[f"{kind}ConditionState"] = _condition_state(state[kind])
        retries = _retries(state)
        if retries:
            shown["retryStageMetadata"] = retries
    return shown


def _retries(state: Json) -> Json:
    automatic, manual = state.get("automaticRetries", 0), state.get("manualRetries", 0)
    shown: Json = {}
    if automatic:
        shown |= {"autoStageRetryAttempt": automatic, "latestRetryTrigger": "AutomatedStageRetry"}
    if manual:
        shown |= {"manualStageRetryAttempt": manual, "latestRetryTrigger": "ManualStageRetry"}
    return shown


def _action_state(pipelines: Pipelines, action: Json, execution: Json | None, state: Json | None) -> Json:
    shown: Json = {"actionName": action["name"]}
    url = _entity_url(pipelines, action)
    if url:
        shown["entityUrl"] = url
    identifier = (state or {}).get("actions", {}).get(action["name"])
    if execution is None or identifier is None:
        return shown
    name, execution_id = execution["pipelineName"], execution["pipelineExecutionId"]
    record = pipelines.actions.get(f"{name}/{execution_id}/{identifier}")
    if record is None:
        return shown
    result = record["result"]
    latest: Json = {
        "actionExecutionId": identifier,
        "status": record["status"],
        "lastStatusChange": record["lastUpdateTime"],
    }
    if "updatedBy" in record:
        latest["lastUpdatedBy"] = record["updatedBy"]
    if record["status"] == "InProgress" and "token" in result:
        latest["token"] = result["token"]
    names = {
        "externalExecutionId": "externalExecutionId",
        "externalExecutionUrl": "externalExecutionUrl",
        "externalExecutionSummary": "summary",
        "errorDetails": "errorDetails",
        "logStreamARN": "logStreamARN",
    }
    latest |= {shown_as: result[member] for member, shown_as in names.items() if member in result}
    shown["latestExecution"] = latest
    revision = execution["revisions"].get(action["name"])
    if revision:
        shown["currentRevision"] = {
            "revisionId": revision["revisionId"],
            "revisionChangeId": revision["revisionId"],
            "created": revision["created"],
        }
        shown["revisionUrl"] = revision["revisionUrl"]
    return shown


def _entity_url(pipelines: Pipelines, action: Json) -> str | None:
    console = f"https://console.aws.amazon.com/{{}}/home?region={pipelines.region}#/"
    configuration = action.get("configuration", {})
    provider = action["actionTypeId"]["provider"]
    if provider == "CodeCommit":
        repository, branch = configuration["RepositoryName"], configuration["BranchName"]
        return console.format("codecommit") + f"repository/{repository}/browse/{branch}/--/"
    if provider == "CodeBuild":
        return console.format("codebuild") + f"projects/{configuration['ProjectName']}/view"
    if provider == "CloudFormation":
        return console.format("cloudformation")
    if provider == "Manual":
        return configuration.get("ExternalEntityLink")
    return None


def _condition_state(evaluation: Json) -> Json:
    return {
        "latestExecution": {"status": evaluation["status"]},
        "conditionStates": [
            {
                "latestExecution": {
                    "status": condition["status"],
                    "lastStatusChange": condition["time"],
                }
                | ({"summary": condition["summary"]} if condition.get("summary") else {}),
                "ruleStates": [_rule_state(rule) for rule in condition["rules"]],
            }
            for condition in evaluation["conditions"]
        ],
    }


def _rule_state(rule: Json) -> Json:
    latest = {
        "ruleExecutionId": rule["ruleExecutionId"],
        "status": rule["status"],
        "summary": rule["summary"],
        "lastStatusChange": rule["time"],
    }
    if "errorDetails" in rule:
        latest["errorDetails"] = rule["errorDetails"]
    return {"ruleName": rule["name"], "latestExecution": latest}
