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
