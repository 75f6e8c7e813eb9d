"""AWS Step Functions: state machines of the Amazon States Language, run durably under their roles."""

from sandbox.services.stepfunctions import (
    activities,
    aliases,
    definitions,
    executions,
    history,
    logging_delivery,
    machines,
    tags,
    taskcalls,
    versions,
)
from sandbox.services.stepfunctions.execution import advance, jobs

__all__ = [
    "activities",
    "advance",
    "aliases",
    "definitions",
    "executions",
    "history",
    "jobs",
    "logging_delivery",
    "machines",
    "tags",
    "taskcalls",
    "versions",
]
