"""The durable task of a step: starts it, follows its job, retries it, ends it.

The task runs when the step is queued, when its job changes state, and again after a crash: what it did
before it finds in the step's record. A job's name is written down before the job is created, so that a
creation whose answer was lost is recognised and no job is created twice.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.engine.events import Event, listener
from sandbox.engine.operations import AwsError
from sandbox.engine.tasks import Again, task
from sandbox.services.sagemaker import jobs
from sandbox.services.sagemaker.pipelines import calls, conditions, retries
from sandbox.services.sagemaker.pipelines.cache import seconds_of, signature
from sandbox.services.sagemaker.pipelines.definition import Step
from sandbox.services.sagemaker.pipelines.execution import CACHE, ENDED, EXECUTION, JOB, STEP_TASK, Execution
from sandbox.services.sagemaker.pipelines.expressions import ExpressionError, resolve
from sandbox.services.sagemaker.pipelines.scope import ExecutionScope, plain
from sandbox.services.sagemaker.pipelines.step_types import JOB_STEPS

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine
    from sandbox.engine.store import Record

log = logging.getLogger(__name__)
REASON_LENGTH = 1024


class StepFailed(Exception):
    """The step's job ended otherwise than well. `exception`: the retry policies' type of that, if any."""

    def __init__(self, reason: str, exception: str | None = None) -> None:
        super().__init__(reason)
        self.exception = exception


@task(STEP_TASK)
def run_step(engine: Engine, key: str, payload: Record) -> Again | None:
    execution = Execution(engine, payload["account"], payload["region"], payload["pipeline"], payload["id"])
    record = execution.step(payload["step"])
    if record is None or record["StepStatus"] in ENDED or not execution.records(EXECUTION).get(execution.key):
        return None
    run = StepRun(execution, execution.definition().steps[payload["step"]], record)
    try:
        run.stop() if record["StepStatus"] == "Stopping" else run.go_on()
    except StepFailed as failure:
        return run.failed(str(failure), failure.exception, job_ended=True)
    except calls.CallFailed as failure:
        return run.failed(f"ClientError: {failure}", failure.exception)
    except ExpressionError as error:
        return run.failed(f"ClientError: Unable to resolve an argument of the step: {error}.")
    except AwsError as error:
        return run.failed(f"ClientError: {error.message}")
    except Exception:
        log.exception("step %s of %s", run.step.name, execution.arn)
        return run.failed("InternalServerError: We encountered an internal error. Please try again.")
    return None


def _on_job_event(engine: Engine, event: Event) -> None:
    kind = jobs.TRAINING if "Training" in event["detail-type"] else jobs.PROCESSING
    if event["detail"][kind.status] not in jobs.ENDED:
        return
    account, region = event["account"], event["region"]
    waiting = engine.records(account, region, "sagemaker", JOB).get(event["detail"][kind.arn])
    if waiting:
        Execution(engine, account, region, waiting["Pipeline"], waiting["Execution"]).queue(waiting["Step"])


@listener(source="aws.sagemaker", detail_type=jobs.PROCESSING.detail_type)
def on_processing_job(engine: Engine, event: Event) -> None:
    _on_job_event(engine, event)


@listener(source="aws.sagemaker", detail_type=jobs.TRAINING.detail_type)
def on_training_job(engine: Engine, event: Event) -> None:
    _on_job_event(engine, event)


@dataclass(frozen=True)
class StepRun:
    """One run of a step's task."""

    execution: Execution
    step: Step
    record: Record

    @property
    def private(self) -> Record:
        private: Record = self.record["Private"]
        return private

    def go_on(self) -> None:
        if self.step.type == "Condition":
            self._decide()
        elif self.step.type == "Fail":
            self._fail()
        elif self.private.get("Created"):
            self._follow()
        else:
            self._start()

    def _decide(self) -> None:
        scope = ExecutionScope(self.execution)
        outcome = all(
            conditions.evaluate(each, lambda value: resolve(value, scope))
            for each in self.step.arguments["Conditions"]
        )
        text = str(outcome)
        self.execution.change_step(
            self.step.name,
            "Succeeded",
            Metadata={"Condition": {"Outcome": text}},
            Private={"Outcome": outcome, "Properties": {"Outcome": text}},
        )

    def _fail(self) -> None:
        message = resolve(self.step.arguments, ExecutionScope(self.execution)).get("ErrorMessage", "")
        metadata = {"Fail": {"ErrorMessage": message}} if message else {}
        self.execution.change_step(
            self.step.name,
            "Failed",
            Metadata=metadata,
            FailureReason=(message or "Fail step")[:REASON_LENGTH],
        )

    def _start(self) -> None:
        name = self.private.get("Job") or calls.new_name(self.execution, self.step)
        arguments = calls.complete(
            self.execution,
            self.step,
            resolve(self.step.arguments, ExecutionScope(self.execution, name)),
            name,
        )
        digest = signature(self.step.type, arguments) if self.step.expire_after else None
        if digest and self._reuse(digest):
            return
        arn = calls.job_arn(self.execution, self.step.type, name)
        with self.execution.engine.store.transaction():
            self.execution.change_step(self.step.name, Private={"Job": name, "Signature": digest})
            if self.step.type in JOB_STEPS:
                waiting = {
                    "Pipeline": self.execution.pipeline,
                    "Execution": self.execution.id,
                    "Step": self.step.name,
                }
                self.execution.records(JOB).put(arn, waiting)
        created = calls.create(self.execution, self.step.type, arguments, arn)
        if self.step.type in JOB_STEPS:
            self._created(created)
        else:
            self._succeed(
                calls.metadata(self.step.type, created),
                calls.describe(self.execution, self.step.type, created),
            )

    def _created(self, arn: str) -> None:
        """Notes the job; one that was stopped in the meantime stays Stopping and is stopped at once."""
        execution, name = self.execution, self.step.name
        with execution.engine.store.transaction():
            current = execution.step(name)
            assert current is not None
            status = None if current["StepStatus"] == "Stopping" else "Executing"
            execution.change_step(
                name, status, Metadata=calls.metadata(self.step.type, arn), Private={"Created": True}
            )
            if status is None:
                execution.queue(name)

    def _reuse(self, digest: str) -> bool:
        execution = self.execution
        hit = execution.records(CACHE).get(f"{execution.pipeline}/{self.step.name}/{digest}")
        oldest = execution.engine.clock.now() - seconds_of(self.step.expire_after or "")
        if hit is None or hit["EndTime"] < oldest:
            return False
        execution.change_step(
            self.step.name,
            "Succeeded",
            Metadata=hit["Metadata"],
            CacheHitResult={"SourcePipelineExecutionArn": hit["PipelineExecutionArn"]},
            Private={"Properties": hit["Properties"]},
        )
        return True

    def _follow(self) -> None:
        """Looks at the step's job; one that still runs tells when it has ended."""
        kind = jobs.TRAINING if self.step.type == "Training" else jobs.PROCESSING
        properties = calls.describe(self.execution, self.step.type, self.private["Job"])
        status = properties[kind.status]
        if status == "Completed":
            self._succeed(self.record["Metadata"], properties)
        elif status == "Failed":
            reason = properties.get("FailureReason", "")
            prefix = "" if reason.startswith("ClientError") else "ClientError: "
            raise StepFailed(prefix + reason, retries.classify_job_failure(reason))
        elif status == "Stopped":
            raise StepFailed(f"ClientError: The {kind.words} {self.private['Job']} was stopped.")

    def _succeed(self, metadata: Record, properties: Record) -> None:
        execution, digest = self.execution, self.private.get("Signature")
        properties = plain(properties)
        with execution.engine.store.transaction():
            if digest and execution.records("pipeline").get(execution.pipeline):
                execution.records(CACHE).put(
                    f"{execution.pipeline}/{self.step.name}/{digest}",
                    {
                        "PipelineExecutionArn": execution.arn,
                        "EndTime": execution.engine.clock.now(),
                        "Metadata": metadata,
                        "Properties": properties,
                    },
                )
            execution.change_step(
                self.step.name, "Succeeded", Metadata=metadata, Private={"Properties": properties}
            )

    def stop(self) -> None:
        """Stops the step's job and, once it has ended, the step."""
        if not self.private.get("Created"):
            self.execution.change_step(self.step.name, "Stopped")
            return
        kind = jobs.TRAINING if self.step.type == "Training" else jobs.PROCESSING
        status = calls.describe(self.execution, self.step.type, self.private["Job"])[kind.status]
        if status in jobs.ENDED:
            self.execution.change_step(self.step.name, "Stopped")
        elif status != "Stopping":
            calls.stop(self.execution, self.step.type, self.private["Job"])

    def failed(self, reason: str, exception: str | None = None, *, job_ended: bool = False) -> Again | None:
        """Ends the step as Failed, or plans its next attempt by its retry policies."""
        execution, engine = self.execution, self.execution.engine
        current = execution.step(self.step.name)
        assert current is not None
        stopping = current["StepStatus"] == "Stopping"
        elapsed = (engine.clock.now() - current["StartTime"]) * engine.clock.rate
        wait = retries.delay(self.step.retries, exception, current["Private"]["Retries"], elapsed)
        if stopping or wait is None:
            status = "Stopped" if stopping else "Failed"
            execution.change_step(self.step.name, status, FailureReason=reason[:REASON_LENGTH])
            return None
        again = {"Retries": current["Private"]["Retries"] + 1}
        if job_ended:
            # The next job needs a name of its own. A call that failed may have made its job all the same, or
            # have asked about one that still runs, so it is repeated under the same name.
            again |= {"Job": None, "Created": False}
        execution.change_step(
            self.step.name,
            AttemptCount=current["AttemptCount"] + 1,
            Private=again,
        )
        return Again(engine.clock.scaled(wait))
