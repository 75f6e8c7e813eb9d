"""Runs actions: each is a durable task that is run again by the event of what it waits for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.events import Event, listener
from sandbox.engine.operations import AwsError
from sandbox.engine.tasks import task
from sandbox.services.codepipeline.action_types import Json
from sandbox.services.codepipeline.actions import approval, cloudformation, codebuild, source
from sandbox.services.codepipeline.actions.context import ActionFailed, Context, Succeeded
from sandbox.services.codepipeline.record import Pipelines

log = logging.getLogger(__name__)

PROVIDERS: dict[str, Callable[[Context], Succeeded | None]] = {
    "CloudFormation": cloudformation.run,
    "CodeBuild": codebuild.run,
    "CodeCommit": source.codecommit,
    "CodeStarSourceConnection": source.connection,
    "Manual": approval.run,
    "S3": source.s3,
}


@task("codepipeline.action")
def run_action(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    account, region, action_key = key.split("/", 2)
    pipelines = Pipelines(engine, account, region)
    action = pipelines.actions.get(action_key)
    if action is None or action["status"] != "InProgress":
        return
    outcome = _attempt(pipelines, action)
    if outcome is not None:
        finish(pipelines, action_key, outcome, action["result"])
    elif "logStreamARN" in action["result"]:
        _show(pipelines, action_key, action["result"])


def _attempt(pipelines: Pipelines, action: Json) -> Succeeded | ActionFailed | None:
    """None while the action waits."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return PROVIDERS[action["input"]["actionTypeId"]["provider"]](Context(pipelines, action))
    except ActionFailed as failure:
        return failure
    except AwsError as error:
        return ActionFailed(_code(error.code), error.message)
    except ClientError as error:
        problem = error.response["Error"]
        return ActionFailed(_code(problem["Code"]), f"{problem['Code']}: {problem['Message']}")
    except BotoCoreError as error:
        return ActionFailed("ConfigurationError", str(error))
    except Exception as error:  # a fault of the sandbox must not leave the action waiting for ever
        log.exception("action %s", action["actionName"])
        return ActionFailed("InternalError", f"Internal error of the sandbox: {error!r}")


def _code(code: str) -> str:
    denied = "AccessDenied" in code or "Unauthorized" in code or code == "Forbidden"
    return "PermissionError" if denied else "ConfigurationError"


def _show(pipelines: Pipelines, action_key: str, result: Json) -> None:
    with pipelines.engine.store.transaction():
        action = pipelines.actions.get(action_key)
        if action and action["status"] == "InProgress":
            action["result"] |= result
            pipelines.save_action(action)


def finish(
    pipelines: Pipelines,
    action_key: str,
    outcome: Succeeded | ActionFailed,
    result: Json,
    updated_by: str | None = None,
) -> bool:
    """Ends an action unless it has ended; whether it did."""
    with pipelines.engine.store.transaction():
        action = pipelines.actions.get(action_key)
        if action is None or action["status"] != "InProgress":
            return False
        action["result"] |= result
        if updated_by:
            action["updatedBy"] = updated_by
        for external in action["state"].pop("waits", []):
            pipelines.external.delete(external)
        execution = pipelines.execution(action["pipelineName"], action["pipelineExecutionId"])
        if isinstance(outcome, Succeeded):
            _succeed(pipelines, execution, action, outcome)
        else:
            action["status"] = "Failed"
            action["result"]["errorDetails"] = {"code": outcome.code, "message": outcome.message}
            pipelines.save_action(action)
            pipelines.action_event(execution, action, "FAILED")
        pipelines.advance(action["pipelineName"])
    return True


def _succeed(pipelines: Pipelines, execution: Json, action: Json, outcome: Succeeded) -> None:
    action["status"] = "Succeeded"
    action["outputVariables"] = outcome.variables
    if outcome.summary:
        action["result"]["externalExecutionSummary"] = outcome.summary
    if outcome.revision:
        action["result"] |= {
            "externalExecutionId": outcome.revision["revisionId"],
            "externalExecutionUrl": outcome.revision["revisionUrl"],
        }
        artifact = action["outputArtifacts"][0]["name"]
        created = {"created": pipelines.engine.clock.now(), "artifact": artifact}
        execution["revisions"][action["actionName"]] = outcome.revision | created
    for artifact in action["outputArtifacts"]:
        execution["artifacts"][artifact["name"]] = artifact["s3location"]
    namespace = action["input"].get("namespace")
    if namespace:
        execution["namespaces"][namespace] = outcome.variables
    pipelines.save_action(action)
    pipelines.save_execution(execution)
    pipelines.action_event(execution, action, "SUCCEEDED")


@task("codepipeline.approval-timeout")
def expire_approval(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    account, region, action_key = key.split("/", 2)
    pipelines = Pipelines(engine, account, region)
    failure = ActionFailed("ApprovalTimedOut", "The approval was not given in time")
    finish(pipelines, action_key, failure, {})


@listener(source="aws.codebuild", detail_type="CodeBuild Build State Change")
def on_build(engine: Engine, event: Event) -> None:
    if event["detail"]["build-status"] != "IN_PROGRESS":
        _wake(engine, event, f"codebuild/{event['detail']['build-id'].rpartition(':build/')[2]}")


@listener(source="aws.cloudformation", detail_type="CloudFormation Stack Status Change")
def on_stack(engine: Engine, event: Event) -> None:
    if not event["detail"]["status-details"]["status"].endswith("_IN_PROGRESS"):
        _wake(engine, event, f"cloudformation/{event['detail']['stack-id']}")


def _wake(engine: Engine, event: Event, external: str) -> None:
    pipelines = Pipelines(engine, event["account"], event["region"])
    record = pipelines.external.get(external)
    if record:
        engine.tasks.submit("codepipeline.action", pipelines.task_key(record["action"]))
