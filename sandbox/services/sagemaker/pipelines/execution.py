"""One pipeline execution: its records, and how it moves on.

Every change of a step and what follows from it (the next steps queued, the execution ended) is one
transaction, so an execution always stands in a state from which its queued step tasks take it further.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.services.sagemaker.jobs import role_session
from sandbox.services.sagemaker.model_package_events import iso
from sandbox.services.sagemaker.pipelines.definition import Definition, Step, parse

if TYPE_CHECKING:
    from sandbox.engine.clients import Session
    from sandbox.engine.engine import Engine
    from sandbox.engine.store import Record, Records

PIPELINE = "pipeline"
DEFINITION = "pipeline-definition"
EXECUTION = "pipeline-execution"
STEP = "pipeline-execution-step"
CACHE = "pipeline-step-cache"
JOB = "pipeline-job"
"""Records by job ARN: the step that waits for the job."""
TOKEN = "pipeline-token"

STEP_TASK = "sagemaker.pipeline-step"
ENDED = ("Succeeded", "Failed", "Stopped")
STEPS_FAILED = "Step failure: One or multiple steps failed."
_EXECUTION_EVENT = "SageMaker Model Building Pipeline Execution Status Change"
_STEP_EVENT = "SageMaker Model Building Pipeline Execution Step Status Change"


@dataclass(frozen=True)
class Execution:
    """A handle: `pipeline` is the pipeline's name, `id` the last part of the execution's ARN."""

    engine: Engine
    account: str
    region: str
    pipeline: str
    id: str

    def records(self, kind: str) -> Records:
        return self.engine.records(self.account, self.region, "sagemaker", kind)

    @property
    def key(self) -> str:
        return f"{self.pipeline}/{self.id}"

    @property
    def pipeline_arn(self) -> str:
        return f"arn:aws:sagemaker:{self.region}:{self.account}:pipeline/{self.pipeline}"

    @property
    def arn(self) -> str:
        return f"{self.pipeline_arn}/execution/{self.id}"

    def read(self) -> Record:
        record = self.records(EXECUTION).get(self.key)
        assert record is not None, f"execution {self.arn} has no record"
        return record

    def definition(self) -> Definition:
        digest = self.read()["Private"]["Definition"]
        stored = self.records(DEFINITION).get(digest)
        assert stored is not None
        return parse(stored["PipelineDefinition"])

    def session(self) -> Session:
        """The session of the role under which every step makes its calls."""
        return role_session(self.engine, self.read()["RoleArn"], self.account, self.region, "pipeline")

    def steps(self) -> dict[str, Record]:
        """The records of the steps that have started."""
        return {record["StepName"]: record for record in self.records(STEP).list(f"{self.key}/")}

    def step(self, name: str) -> Record | None:
        return self.records(STEP).get(f"{self.key}/{name}")

    def put_step(self, record: Record) -> None:
        self.records(STEP).put(f"{self.key}/{record['StepName']}", record)

    def change_step(self, name: str, status: str | None = None, **changes: Any) -> Record:
        """Writes members of a step; a new status is published, and at its end the execution moves on."""
        with self.engine.store.transaction():
            record = self.step(name)
            assert record is not None
            previous = record["StepStatus"]
            if previous in ENDED:
                return record
            private = record["Private"] | changes.pop("Private", {})
            record |= changes | {"Private": private}
            if status and status != previous:
                record["StepStatus"] = status
                if status in ENDED:
                    record["EndTime"] = self.engine.clock.now()
                self._publish_step(record, previous)
            self.put_step(record)
            if status in ENDED:
                self.advance()
        return record

    def queue(self, name: str) -> None:
        """Wakes the task of a step."""
        payload = {"account": self.account, "region": self.region, "pipeline": self.pipeline, "id": self.id}
        self.engine.tasks.submit(
            STEP_TASK, f"{self.account}/{self.region}/{self.key}/{name}", payload | {"step": name}
        )

    def advance(self) -> None:
        """Starts every step that can start, or ends the execution when none runs and none can."""
        with self.engine.store.transaction():
            record = self.read()
            if record["PipelineExecutionStatus"] in ENDED:
                return
            definition, steps = self.definition(), self.steps()
            running = [each for each in steps.values() if each["StepStatus"] not in ENDED]
            terminated = any(
                each["StepType"] == "Fail" and each["StepStatus"] == "Failed" for each in steps.values()
            )
            stopping = record["PipelineExecutionStatus"] == "Stopping"
            if stopping or terminated:
                for each in running:
                    self._stop_step(each)
            else:
                running += self._start_ready(definition, steps, record, len(running))
            if not running:
                self._end(steps, stopping)

    def _start_ready(
        self, definition: Definition, steps: dict[str, Record], record: Record, running: int
    ) -> list[Record]:
        limit = (record.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps")
        started: list[Record] = []
        for step in ready(definition, steps):
            if limit is not None and running + len(started) >= limit:
                break
            started.append(self._start_step(step))
        return started

    def _start_step(self, step: Step) -> Record:
        record: Record = {
            "StepName": step.name,
            "StepType": step.type,
            "StepDisplayName": step.display_name,
            "StepDescription": step.description,
            "StepStatus": "Starting",
            "StartTime": self.engine.clock.now(),
            "AttemptCount": 1,
            "Private": {"Order": step.order, "Retries": 0},
        }
        self.put_step(record)
        self._publish_step(record, None)
        self.queue(step.name)
        return record

    def _stop_step(self, record: Record) -> None:
        if record["StepStatus"] != "Stopping":
            self.change_step(record["StepName"], "Stopping")
            self.queue(record["StepName"])

    def _end(self, steps: dict[str, Record], stopping: bool) -> None:
        failed = any(each["StepStatus"] == "Failed" for each in steps.values())
        if stopping:
            self.change("Stopped")
        elif failed:
            self.change("Failed", FailureReason=STEPS_FAILED)
        else:
            self.change("Succeeded")

    def change(self, status: str | None = None, **changes: Any) -> None:
        """Writes members of the execution; a new status is published."""
        with self.engine.store.transaction():
            record = self.read()
            previous = record["PipelineExecutionStatus"]
            record |= changes | {"LastModifiedTime": self.engine.clock.now()}
            if status:
                record["PipelineExecutionStatus"] = status
            self.records(EXECUTION).put(self.key, record)
            if status and status != previous:
                self.publish(record, previous)

    def publish(self, record: Record, previous: str | None) -> None:
        """The execution's status change event."""
        detail = {
            "pipelineExecutionDisplayName": record["PipelineExecutionDisplayName"],
            "currentPipelineExecutionStatus": record["PipelineExecutionStatus"],
            "previousPipelineExecutionStatus": previous,
            "executionStartTime": iso(record["CreationTime"]),
            "pipelineExecutionDescription": record.get("PipelineExecutionDescription"),
            "pipelineArn": self.pipeline_arn,
            "pipelineExecutionArn": self.arn,
        }
        if record["PipelineExecutionStatus"] in ENDED:
            detail["executionEndTime"] = iso(record["LastModifiedTime"])
        self._put_event(_EXECUTION_EVENT, detail)

    def _publish_step(self, record: Record, previous: str | None) -> None:
        detail = {
            "metadata": {
                name[:1].lower() + name[1:]: {key[:1].lower() + key[1:]: value for key, value in body.items()}
                for name, body in record.get("Metadata", {}).items()
            },
            "stepStartTime": iso(record["StartTime"]),
            "stepEndTime": iso(record["EndTime"]) if "EndTime" in record else None,
            "stepName": record["StepName"],
            "stepType": record["StepType"],
            "previousStepStatus": previous,
            "currentStepStatus": record["StepStatus"],
            "failureReason": record.get("FailureReason"),
            "pipelineArn": self.pipeline_arn,
            "pipelineExecutionArn": self.arn,
        }
        if "CacheHitResult" in record:
            source = record["CacheHitResult"]["SourcePipelineExecutionArn"]
            detail["cacheHitResult"] = {"sourcePipelineExecutionArn": source}
        self._put_event(_STEP_EVENT, detail)

    def _put_event(self, detail_type: str, detail: Record) -> None:
        self.engine.events.put(
            self.account,
            self.region,
            source="aws.sagemaker",
            detail_type=detail_type,
            resources=[self.pipeline_arn, self.arn],
            detail={name: value for name, value in detail.items() if value is not None},
        )


def ready(definition: Definition, steps: dict[str, Record]) -> Iterator[Step]:
    """The steps that have not started and whose every need has succeeded, on the branch that was chosen."""
    for step in definition.steps.values():
        if step.name in steps:
            continue
        if not all(steps.get(name, {}).get("StepStatus") == "Succeeded" for name in step.needs):
            continue
        if step.branch is None or steps[step.branch[0]]["Private"]["Outcome"] == step.branch[1]:
            yield step
