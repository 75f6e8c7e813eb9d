"""Records of pipelines, their executions, stages and actions, and the events that tell of their changes.

Source of the events: https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.operations import AwsError
from sandbox.services.codepipeline.action_types import Json

SERVICE = "codepipeline"
ACTIVE = ("InProgress", "Stopping")


class Pipelines:
    """Everything CodePipeline remembers in one account and region.

    pipeline: by name. version: declarations by `name/version`. execution: by `name/id`, in order of start.
    action: by `name/execution id/action execution id`. external: what an action waits for → the action's key.
    stage: by `name/stage`: `holder` (the execution inside), `latest`, `transition`. active: `name/id` of the
    executions under way, so that a long history costs nothing.
    """

    def __init__(self, engine: Engine, account: str, region: str) -> None:
        self.engine = engine
        self.account = account
        self.region = region
        self.pipelines = self._of("pipeline")
        self.versions = self._of("version")
        self.executions = self._of("execution")
        self.actions = self._of("action")
        self.external = self._of("external")
        self.stages = self._of("stage")
        self._active = self._of("active")

    def _of(self, kind: str) -> Any:
        return self.engine.records(self.account, self.region, SERVICE, kind)

    def arn(self, name: str) -> str:
        return f"arn:aws:codepipeline:{self.region}:{self.account}:{name}"

    def task_key(self, name: str) -> str:
        return f"{self.account}/{self.region}/{name}"

    def pipeline(self, name: str) -> Json:
        """PipelineNotFoundException."""
        record = self.pipelines.get(name)
        if record is None:
            raise AwsError(
                "PipelineNotFoundException",
                f"Account '{self.account}' does not have a pipeline with name '{name}'",
            )
        found: Json = record
        return found

    def declaration(self, name: str, version: int) -> Json:
        found: Json | None = self.versions.get(f"{name}/{version}")
        if found is None:
            raise AwsError(
                "PipelineVersionNotFoundException",
                f"Account '{self.account}' does not have a pipeline with name '{name}' and version "
                f"'{version}'",
            )
        return found

    def execution(self, name: str, execution_id: str) -> Json:
        """PipelineExecutionNotFoundException."""
        found: Json | None = self.executions.get(f"{name}/{execution_id}")
        if found is None:
            raise AwsError(
                "PipelineExecutionNotFoundException",
                f"Pipeline '{name}' does not have an execution with ID '{execution_id}'",
            )
        return found

    def executions_of(self, name: str) -> list[Json]:
        found: list[Json] = self.executions.list(f"{name}/")
        return found

    def active_of(self, name: str) -> list[Json]:
        """Executions under way, in order of their start."""
        found = [self.executions.get(key) for key in self._active.keys(f"{name}/")]
        return sorted((e for e in found if e), key=lambda execution: execution["startTime"])

    def actions_of(self, name: str, execution_id: str = "") -> list[Json]:
        found: list[Json] = self.actions.list(f"{name}/{execution_id}")
        return found

    def stage(self, name: str, stage: str) -> Json:
        record: Json | None = self.stages.get(f"{name}/{stage}")
        return record or {"holder": None, "latest": None, "transition": {"enabled": True}}

    def put_stage(self, name: str, stage: str, record: Json) -> None:
        self.stages.put(f"{name}/{stage}", record)

    def action_key(self, action: Json) -> str:
        return f"{action['pipelineName']}/{action['pipelineExecutionId']}/{action['actionExecutionId']}"

    def save_action(self, action: Json) -> None:
        action["lastUpdateTime"] = self.engine.clock.now()
        self.actions.put(self.action_key(action), action)

    def save_execution(self, execution: Json) -> None:
        execution["lastUpdateTime"] = self.engine.clock.now()
        key = f"{execution['pipelineName']}/{execution['pipelineExecutionId']}"
        self.executions.put(key, execution)
        if execution["status"] in ACTIVE:
            self._active.put(key, {})
        else:
            self._active.delete(key)

    def histories(self) -> tuple[Any, ...]:
        """What is remembered of a pipeline under `name/…`."""
        return self.versions, self.executions, self.actions, self.stages, self._active

    def advance(self, name: str) -> None:
        """Has the pipeline's executions looked at."""
        self.engine.tasks.submit("codepipeline.advance", self.task_key(name))

    def start(self, name: str, trigger: Json, **members: Any) -> Json:
        """A new execution of the pipeline's current version, waiting for the first stage."""
        pipeline = self.pipeline(name)
        now = self.engine.clock.now()
        execution = {
            "pipelineName": name,
            "pipelineVersion": pipeline["version"],
            "pipelineExecutionId": str(uuid.uuid4()),
            "status": "InProgress",
            "startTime": now,
            "trigger": trigger,
            "executionMode": self.declaration(name, pipeline["version"])["executionMode"],
            "executionType": "STANDARD",
            "variables": {},
            "overrides": {},
            "artifacts": {},
            "revisions": {},
            "namespaces": {},
            "position": 0,
            "inside": False,
            "stages": {},
        }
        execution |= members
        self.save_execution(execution)
        self.pipeline_event(execution, "STARTED")
        self.advance(name)
        return execution

    # Events

    def pipeline_event(self, execution: Json, state: str, **members: Any) -> None:
        trigger = execution["trigger"]
        self._put(
            "CodePipeline Pipeline Execution State Change",
            execution,
            {
                "state": state,
                "execution-trigger": {
                    "trigger-type": trigger["triggerType"],
                    "trigger-detail": trigger.get("triggerDetail", ""),
                },
                "pipeline-execution-attempt": float(execution.get("attempt", 1)),
            }
            | members,
        )

    def stage_event(self, execution: Json, stage: str, state: str) -> None:
        attempt = execution["stages"].get(stage, {}).get("attempt", 1)
        detail = {"stage": stage, "state": state, "pipeline-execution-attempt": float(attempt)}
        self._put("CodePipeline Stage Execution State Change", execution, detail)

    def action_event(self, execution: Json, action: Json, state: str) -> None:
        detail: Json = {
            "stage": action["stageName"],
            "action": action["actionName"],
            "action-execution-id": action["actionExecutionId"],
            "state": state,
            "region": self.region,
            "type": action["input"]["actionTypeId"],
            "input-artifacts": [_artifact(a) for a in action["input"]["inputArtifacts"]],
            "output-artifacts": [_artifact(a) for a in action["outputArtifacts"]],
        }
        result = action["result"]
        if result:
            names = {
                "externalExecutionUrl": "external-execution-url",
                "externalExecutionSummary": "external-execution-summary",
                "externalExecutionId": "external-execution-id",
            }
            shown = {name: result[member] for member, name in names.items() if member in result}
            if "errorDetails" in result:
                shown["error-code"] = result["errorDetails"]["code"]
            detail["execution-result"] = shown
        self._put("CodePipeline Action Execution State Change", execution, detail)

    def _put(self, detail_type: str, execution: Json, detail: Json) -> None:
        name = execution["pipelineName"]
        moment = datetime.fromtimestamp(execution["startTime"], UTC)
        common = {
            "pipeline": name,
            "execution-id": execution["pipelineExecutionId"],
            "start-time": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z",
            "version": float(execution["pipelineVersion"]),
        }
        self.engine.events.put(
            self.account,
            self.region,
            source="aws.codepipeline",
            detail_type=detail_type,
            resources=[self.arn(name)],
            detail=common | detail,
        )


def _artifact(artifact: Json) -> Json:
    return {"name": artifact["name"], "s3location": artifact["s3location"]}
