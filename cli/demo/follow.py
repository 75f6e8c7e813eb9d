"""What pipelines do, told as it happens, and why they fail when they do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cli import executions, gates, logs
from cli.access import Access
from cli.errors import CliError
from cli.gates import Gate
from cli.progress import Progress
from cli.stacks import StackEvents
from cli.waiting import Waiter
from project.names import STAGES, Names

ENDED_BADLY = ("Failed", "Stopped", "Cancelled")
Actions = list[dict[str, Any]]


class CodeExecution:
    """One execution of a CodePipeline pipeline, told action by action."""

    def __init__(
        self, access: Access, pipeline: str, names: Names, waiter: Waiter, progress: Progress
    ) -> None:
        self.access, self.pipeline, self.names = access, pipeline, names
        self.waiter, self.progress = waiter, progress
        self.id = ""
        self._told: dict[str, str] = {}

    def await_start(self, wanted: Callable[[dict[str, Any]], bool], what: str) -> None:
        """Wait until there is an execution that is `wanted`."""

        def ask() -> list[dict[str, Any]]:
            self.progress.now(f"waiting for {what}")
            found = executions.of_code_pipeline(self.access, self.pipeline)
            return [item for item in found if wanted(item) and item["Status"] != "Superseded"]

        found = self.waiter.until(ask, bool, what=what)
        self.id = found[0]["ExecutionId"]

    def status(self) -> str:
        answer = self.access.client("codepipeline").get_pipeline_execution(
            pipelineName=self.pipeline, pipelineExecutionId=self.id
        )
        return str(answer["pipelineExecution"]["status"])

    def look(self) -> tuple[str, Actions]:
        """Status and actions now, told; raises CliError once the execution has failed."""
        # The status first: when it has ended, the actions read after it are final.
        status = self.status()
        actions = executions.actions(self.access, self.pipeline, self.id)
        for action in actions:
            place = f"{action['stageName']}/{action['actionName']}"
            if self._told.get(action["actionExecutionId"]) != action["status"]:
                self._told[action["actionExecutionId"]] = action["status"]
                self.progress.line(f"{place}  {action['status']}")
            if action["status"] == "InProgress":
                self.progress.now(place)
        if status in ENDED_BADLY or any(action["status"] == "Failed" for action in actions):
            raise self._failure(status, actions)
        return status, actions

    def until_succeeded(self) -> Actions:
        """Follow to the end."""
        _, actions = self.waiter.until(
            self.look, lambda state: state[0] not in executions.RUNNING, what=f"execution {self.id}"
        )
        return actions

    def _failure(self, status: str, actions: Actions) -> CliError:
        next_step = f"`mlops pipeline describe {self.names.project} {self.id}`"
        failed = next((action for action in actions if action["status"] == "Failed"), None)
        if failed is None:
            return CliError(f"execution {self.id} of {self.pipeline} {status.lower()}", next_step=next_step)
        summary = executions.action_summary(failed)
        cause = summary["Summary"] or "no reason given"
        streams = logs.of_action(self.access, failed)
        if streams:
            next_step = f"`mlops pipeline logs {self.names.project} {self.id}`"
        return CliError(
            f"{self.pipeline}: {failed['stageName']}/{failed['actionName']} failed: {cause}",
            next_step=next_step,
            detail=logs.tail(self.access, streams),
        )


class Training:
    """The SageMaker pipeline execution that a build starts, told step by step."""

    def __init__(self, build: CodeExecution, commit: str) -> None:
        self.build, self.commit = build, commit
        self.access, self.progress = build.access, build.progress
        self.execution: dict[str, Any] | None = None
        self.steps: list[dict[str, Any]] = []
        self._told: dict[str, str] = {}

    def await_start(self) -> None:
        """Wait until the build of the commit has started it."""

        def ask() -> tuple[Any, Any]:
            # The training first: a failure of it tells more than that of the build around it.
            found = self._find()
            return found, None if found else self.build.look()

        def done(answer: tuple[Any, Any]) -> bool:
            found, build = answer
            if build and build[0] == "Succeeded" and not self._find():
                raise CliError(
                    f"the build of commit {self.commit[:12]} succeeded but started no execution of "
                    f"{self.build.names.sagemaker_pipeline}",
                    next_step=f"`mlops pipeline logs {self.build.names.project} {self.build.id}`",
                )
            return bool(found)

        self.build.waiter.until(ask, done, what=f"SageMaker pipeline execution of commit {self.commit[:12]}")
        self.execution = self._find()

    def _find(self) -> dict[str, Any] | None:
        found = executions.of_sagemaker(self.access, self.build.names.sagemaker_pipeline)
        return next((item for item in found if self.commit[:12] in (item.get("Name") or "")), None)

    def until_succeeded(self) -> None:
        """Follow its steps to the end, then the build around it."""
        assert self.execution is not None
        self.progress.line(f"execution {self.execution['ExecutionArn']}")
        status = self.build.waiter.until(
            self._look, lambda state: state[0] not in executions.RUNNING, what=self.execution["ExecutionArn"]
        )[0]
        if status != "Succeeded":
            raise self._failure(status)
        self.build.until_succeeded()

    def _look(self) -> tuple[str, list[str]]:
        assert self.execution is not None
        answer = self.access.client("sagemaker").describe_pipeline_execution(
            PipelineExecutionArn=self.execution["ExecutionArn"]
        )
        self.execution["FailureReason"] = answer.get("FailureReason")
        self.steps = executions.steps(self.access, self.execution["ExecutionArn"])
        for step in self.steps:
            if self._told.get(step["StepName"]) != step["StepStatus"]:
                self._told[step["StepName"]] = step["StepStatus"]
                self.progress.line(_step_line(executions.step_summary(step)))
        running = [step["StepName"] for step in self.steps if step["StepStatus"] in ("Executing", "Starting")]
        self.progress.now(", ".join(running) or answer["PipelineExecutionStatus"])
        return answer["PipelineExecutionStatus"], [step["StepStatus"] for step in self.steps]

    def _failure(self, status: str) -> CliError:
        assert self.execution is not None
        failed = [step for step in self.steps if step["StepStatus"] == "Failed"]
        next_step = f"`mlops pipeline logs {self.build.names.project} {self.execution['ExecutionId']}`"
        if not failed:
            reason = self.execution.get("FailureReason") or status
            return CliError(f"{self.execution['ExecutionArn']}: {reason}", next_step=next_step)
        step = failed[0]
        streams = logs.of_job(self.access, step["StepName"], executions.step_arn(step))
        reason = step.get("FailureReason")
        return CliError(
            f"step {step['StepName']} of {self.execution['ExecutionArn']} failed: {reason}",
            next_step=next_step,
            detail=logs.tail(self.access, streams),
        )


def _step_line(step: dict[str, Any]) -> str:
    line = f"{step['Step']}  {step['Status']}"
    if step["Seconds"] is not None and step["Status"] == "Succeeded":
        line += (
            "  unchanged, from an earlier execution" if step["FromCache"] else f"  {step['Seconds']:.1f} s"
        )
    return line


class Deployment(CodeExecution):
    """An execution of the deploy pipeline, with the events of the endpoints' stacks."""

    def __init__(self, access: Access, names: Names, waiter: Waiter, progress: Progress) -> None:
        super().__init__(access, names.model_deploy, names, waiter, progress)
        self._stacks = {
            stage: StackEvents(access, names.endpoint_stack(stage), progress.line) for stage in STAGES
        }
        for events in self._stacks.values():
            events.skip()

    def look(self) -> tuple[str, Actions]:
        for events in self._stacks.values():
            events.tell()
        return super().look()

    def until_action(self, stage: str, action: str) -> None:
        """Wait until an action has succeeded."""

        def done(state: tuple[str, Actions]) -> bool:
            status, actions = state
            if any(_is(item, stage, action) and item["status"] == "Succeeded" for item in actions):
                return True
            if status not in executions.RUNNING:
                raise CliError(
                    f"execution {self.id} of {self.pipeline} ended without {stage}/{action}: {status}",
                    next_step=f"`mlops pipeline describe {self.names.project} {self.id}`",
                )
            return False

        self.waiter.until(self.look, done, what=f"{stage}/{action} of execution {self.id}")

    def until_gate(self) -> Gate:
        """Wait until this execution asks for an approval."""

        def ask() -> list[Gate]:
            self.look()
            return [gate for gate in gates.find(self.access, self.pipeline) if gate.execution == self.id]

        return self.waiter.until(ask, bool, what=f"the gate of execution {self.id}")[0]


def _is(item: dict[str, Any], stage: str, action: str) -> bool:
    return bool(item["stageName"] == stage and item["actionName"] == action)
