"""AWS Step Functions: state machines of the Amazon States Language, run durably under their roles."""

from sandbox.services.stepfunctions import (
    activities,
    aliases,
    definitions,
    executions,
    history,
    logging_delivery,
    machines,
    mapruns,
    redrive,
    tags,
    taskcalls,
    teststate,
    versions,
)
from sandbox.services.stepfunctions.execution import advance, distributed_map, jobs

__all__ = [
    "activities",
    "advance",
    "aliases",
    "definitions",
    "distributed_map",
    "executions",
    "history",
    "jobs",
    "logging_delivery",
    "machines",
    "mapruns",
    "redrive",
    "tags",
    "taskcalls",
    "teststate",
    "versions",
]
