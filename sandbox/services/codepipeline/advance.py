"""What happens next in a pipeline: one durable task a pipeline moves its executions from stage to stage.

It never blocks: actions run in tasks of their own (actions/) and have it run again when they end.
Execution modes: https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

from __future__ import annotations

from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.tasks import task
from sandbox.services.codepipeline.action_types import Json
from sandbox.services.codepipeline.actions.begin import begin_action
from sandbox.services.codepipeline.conditions import evaluate
from sandbox.services.codepipeline.record import ACTIVE, Pipelines
from sandbox.services.codepipeline.rerun import reset_actions, roll_back


@task("codepipeline.advance")
def advance(engine: Engine, key: str, payload: dict[str, Any]) -> None:
    account, region, name = key.split("/", 2)
    pipelines = Pipelines(engine, account, region)
    changed = True
    while changed:
        with engine.store.transaction():
            changed = False
            for execution_id in [e["pipelineExecutionId"] for e in pipelines.active_of(name)]:
                execution = pipelines.execution(name, execution_id)
                changed = (execution["status"] in ACTIVE and _Move(pipelines, execution).once()) or changed


class _Move:
    """One look at one execution; `once` says whether anything changed."""

    def __init__(self, pipelines: Pipelines, execution: Json) -> None:
        self.pipelines = pipelines
        self.execution = execution
        self.name: str = execution["pipelineName"]
        self.id: str = execution["pipelineExecutionId"]
        self.declaration = pipelines.declaration(self.name, execution["pipelineVersion"])
        self.stage: Json = self.declaration["stages"][execution["position"]]
        self.now = pipelines.engine.clock.now()

    def once(self) -> bool:
        if not self.execution["inside"]:
            return self._enter()
        return self._progress()

    # Into a stage

    def _enter(self) -> bool:
        if self.execution["status"] == "Stopping":
            self._finish("Stopped", "STOPPED")
            return True
        record = self.pipelines.stage(self.name, self.stage["name"])
        parallel = self.execution["executionMode"] == "PARALLEL"
        if record["transition"]["enabled"] and (parallel or record["holder"] in (None, self.id)):
            record |= {"holder": None if parallel else self.id, "latest": self.id}
            self.pipelines.put_stage(self.name, self.stage["name"], record)
            self.execution["inside"] = True
            self.execution["stages"][self.stage["name"]] = {
                "status": "InProgress",
                "attempt": 1,
                "actions": {},
            }
            self.pipelines.stage_event(self.execution, self.stage["name"], "STARTED")
            self._before_entry()
            self.pipelines.save_execution(self.execution)
            return True
        newer = self._newer_waiting() if self.execution["executionMode"] == "SUPERSEDED" else None
        if newer:
            self._finish("Superseded", "SUPERSEDED", f"Superseded by execution {newer}")
            return True
        return False

    def _newer_waiting(self) -> str | None:
        """An execution that started later and waits for the same stage."""
        later = False
        for other in self.pipelines.active_of(self.name):
            waits = other["status"] == "InProgress" and not other["inside"]
            if other["pipelineExecutionId"] == self.id:
                later = True
            elif later and waits and other["position"] == self.execution["position"]:
                identifier: str = other["pipelineExecutionId"]
                return identifier
        return None

    def _before_entry(self) -> None:
        if self.execution["executionType"] == "ROLLBACK":
            return
        evaluation = self._evaluate("beforeEntry")
        if evaluation is None or evaluation["status"] == "Succeeded":
            return
        if evaluation["result"] == "SKIP":
            self._leave("Skipped", "SKIPPED")
        else:
            self._fail(f"The entry condition of stage {self.stage['name']} is not met", condition_failed=True)

    def _evaluate(self, kind: str) -> Json | None:
        conditions = self.stage.get(kind, {}).get("conditions")
        if not conditions:
            return None
        evaluation = evaluate(conditions, self._namespaces(), self.now)
        self._state[kind] = evaluation
        return evaluation

    @property
    def _state(self) -> Json:
        state: Json = self.execution["stages"][self.stage["name"]]
        return state

    def _namespaces(self) -> dict[str, dict[str, str]]:
        own = {"PipelineExecutionId": self.id, "PipelineName": self.name}
        return {**self.execution["namespaces"], "codepipeline": own, "variables": self.execution["variables"]}

    # Inside a stage

    def _progress(self) -> bool:
        if self.execution["status"] == "Stopping" and self.execution["stop"]["abandon"]:
            self._abandon()
            return True
        for order in sorted({action.get("runOrder", 1) for action in self.stage["actions"]}):
            group = [action for action in self.stage["actions"] if action.get("runOrder", 1) == order]
            records = {action["name"]: self._record(action) for action in group}
            waiting = [action for action in group if records[action["name"]] is None]
            running = any(record and record["status"] == "InProgress" for record in records.values())
            failed = [r for r in records.values() if r and r["status"] in ("Failed", "Abandoned")]
            if self.execution["status"] == "Stopping" and not running and (waiting or failed):
                self._stop()
                return True
            if waiting and not failed and self.execution["status"] == "InProgress":
                for action in waiting:
                    begin_action(
                        self.pipelines, self.execution, self.stage["name"], action, self._namespaces()
                    )
                self.pipelines.save_execution(self.execution)
                return True
            if running:
                return False
            if failed:
                self._stage_failed(failed[0])
                return True
        if self.execution["status"] == "Stopping":
            self._stop()
        else:
            self._stage_succeeded()
        return True

    def _record(self, action: Json) -> Json | None:
        identifier = self._state["actions"].get(action["name"])
        record: Json | None = identifier and self.pipelines.actions.get(f"{self.name}/{self.id}/{identifier}")
        return record

    # Out of a stage

    def _stage_succeeded(self) -> None:
        evaluation = self._evaluate("onSuccess")
        if evaluation and evaluation["status"] == "Failed":
            message = f"The success condition of stage {self.stage['name']} is not met"
            if evaluation["result"] == "ROLLBACK":
                roll_back(self.pipelines, self.execution, self.stage["name"])
            self._fail(message, condition_failed=True)
        else:
            self._leave("Succeeded", "SUCCEEDED")
        self.pipelines.save_execution(self.execution)

    def _stage_failed(self, action: Json) -> None:
        error = action["result"].get("errorDetails", {})
        message = f"Action {action['actionName']} of stage {self.stage['name']} failed"
        if error:
            message += f": {error.get('code')}: {error.get('message')}"
        result, retry_mode = self._failure_result()
        if result == "RETRY" and not self._state.get("automaticRetries"):
            self._state["automaticRetries"] = 1
            reset_actions(self.pipelines, self.execution, self.stage["name"], retry_mode)
            self.pipelines.stage_event(self.execution, self.stage["name"], "RESUMED")
        elif result == "SKIP":
            self._leave("Skipped", "SKIPPED")
        else:
            if result == "ROLLBACK":
                roll_back(self.pipelines, self.execution, self.stage["name"])
            self._fail(message)
        self.pipelines.save_execution(self.execution)

    def _failure_result(self) -> tuple[str, str]:
        failure = self.stage.get("onFailure", {})
        mode: str = failure.get("retryConfiguration", {}).get("retryMode", "FAILED_ACTIONS")
        if self.execution["executionType"] == "ROLLBACK":
            return "FAIL", mode
        evaluation = self._evaluate("onFailure")
        if evaluation and evaluation["status"] == "Succeeded":
            return failure["conditions"][0].get("result", "FAIL"), mode
        return failure.get("result", "FAIL"), mode

    def _leave(self, status: str, event: str) -> None:
        self._state["status"] = status
        self.pipelines.stage_event(self.execution, self.stage["name"], event)
        self._release()
        self.execution["inside"] = False
        last = self.execution["position"] + 1 == len(self.declaration["stages"])
        if last or self.execution["executionType"] == "ROLLBACK":
            self._finish("Succeeded", "SUCCEEDED")
        else:
            self.execution["position"] += 1

    def _fail(self, message: str, *, condition_failed: bool = False) -> None:
        self._state.update({"status": "Failed", "conditionFailed": condition_failed})
        self.pipelines.stage_event(self.execution, self.stage["name"], "FAILED")
        self._release()
        self._finish("Failed", "FAILED", message)

    def _stop(self) -> None:
        self._state["status"] = "Stopped"
        self.pipelines.stage_event(self.execution, self.stage["name"], "STOPPED")
        self._release()
        self._finish("Stopped", "STOPPED", self.execution["stop"].get("reason"))

    def _abandon(self) -> None:
        for action in self.stage["actions"]:
            record = self._record(action)
            if record and record["status"] == "InProgress":
                record["status"] = "Abandoned"
                self.pipelines.save_action(record)
                self.pipelines.action_event(self.execution, record, "ABANDONED")
        self._stop()

    def _release(self) -> None:
        record = self.pipelines.stage(self.name, self.stage["name"])
        if record["holder"] == self.id:
            self.pipelines.put_stage(self.name, self.stage["name"], record | {"holder": None})

    def _finish(self, status: str, event: str, summary: str | None = None) -> None:
        self.execution |= {"status": status, "inside": False}
        if summary:
            self.execution["statusSummary"] = summary
        self.pipelines.save_execution(self.execution)
        self.pipelines.pipeline_event(self.execution, event)
