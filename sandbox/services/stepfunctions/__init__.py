"""AWS Step Functions: state machines of the Amazon States Language, run durably under their roles."""

from sandbox.services.stepfunctions import executions, history, machines
from sandbox.services.stepfunctions.execution import advance, jobs

__all__ = ["advance", "executions", "history", "jobs", "machines"]
