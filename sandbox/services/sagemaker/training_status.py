"""The secondary status of a training job and its history, SecondaryStatusTransitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.engine.store import Record
    from sandbox.services.sagemaker.jobs import Job


def moved(record: Record, status: str, message: str, now: float) -> Record:
    """The members of `record` that change when its secondary status becomes `status`."""
    transitions = record.get("SecondaryStatusTransitions", [])
    if transitions and "EndTime" not in transitions[-1]:
        transitions = [*transitions[:-1], transitions[-1] | {"EndTime": now}]
    last = {"Status": status, "StartTime": now, "StatusMessage": message}
    return {"SecondaryStatus": status, "SecondaryStatusTransitions": [*transitions, last]}


def ended(job: Job, status: str, message: str) -> Record:
    """The same for a job's end, and its times; nothing for jobs that have no secondary status."""
    if job.kind.prefix != "Training":
        return {}
    record, now = job.read(), job.engine.clock.now()
    changes = moved(record, status, message, now)
    changes["SecondaryStatusTransitions"][-1]["EndTime"] = now
    if record.get("TrainingStartTime"):
        seconds = max(1, round(now - record["TrainingStartTime"]))
        changes |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
    return changes
