"""Running a stage once more: its actions again, or what an earlier execution brought through it."""

from __future__ import annotations

from sandbox.services.codepipeline.action_types import Json
from sandbox.services.codepipeline.record import Pipelines


def reset_actions(pipelines: Pipelines, execution: Json, stage: str, mode: str) -> None:
    """Forgets the failed (or all) actions of a stage, so that they are started once more."""
    state = execution["stages"][stage]
    kept: dict[str, str] = {}
    prefix = f"{execution['pipelineName']}/{execution['pipelineExecutionId']}"
    for name, identifier in state["actions"].items():
        record = pipelines.actions.get(f"{prefix}/{identifier}")
        if mode == "FAILED_ACTIONS" and record and record["status"] == "Succeeded":
            kept[name] = identifier
    state |= {"status": "InProgress", "actions": kept, "attempt": state["attempt"] + 1}
    for kind in ("onSuccess", "onFailure"):
        state.pop(kind, None)


def start_rollback(pipelines: Pipelines, target: Json, stage: str, trigger: Json) -> Json:
    """An execution of one stage with the artifacts, variables and revisions of `target`."""
    stages = pipelines.declaration(target["pipelineName"], target["pipelineVersion"])["stages"]
    return pipelines.start(
        target["pipelineName"],
        trigger,
        pipelineVersion=target["pipelineVersion"],
        executionType="ROLLBACK",
        rollbackMetadata={"rollbackTargetPipelineExecutionId": target["pipelineExecutionId"]},
        position=[one["name"] for one in stages].index(stage),
        **{member: target[member] for member in ("artifacts", "namespaces", "revisions", "variables")},
    )


def roll_back(pipelines: Pipelines, execution: Json, stage: str) -> None:
    """Starts an execution that runs a stage with what last succeeded in it, if anything did."""
    for target in reversed(pipelines.executions_of(execution["pipelineName"])):
        same_version = target["pipelineVersion"] == execution["pipelineVersion"]
        succeeded = target["stages"].get(stage, {}).get("status") == "Succeeded"
        if target["pipelineExecutionId"] != execution["pipelineExecutionId"] and succeeded and same_version:
            trigger = {
                "triggerType": "AutomatedRollback",
                "triggerDetail": execution["pipelineExecutionId"],
            }
            start_rollback(pipelines, target, stage, trigger)
            return
