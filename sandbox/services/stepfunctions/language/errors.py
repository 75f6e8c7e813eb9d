"""What the evaluation of a state ends with when it cannot go on."""

from __future__ import annotations

ALL = "States.ALL"
TASK_FAILED = "States.TaskFailed"
TIMEOUT = "States.Timeout"
HEARTBEAT_TIMEOUT = "States.HeartbeatTimeout"
RUNTIME = "States.Runtime"
DATA_LIMIT = "States.DataLimitExceeded"
PERMISSIONS = "States.Permissions"
NO_CHOICE = "States.NoChoiceMatched"
INTRINSIC = "States.IntrinsicFailure"
PARAMETER_PATH = "States.ParameterPathFailure"
RESULT_PATH = "States.ResultPathMatchFailure"
BRANCH_FAILED = "States.BranchFailed"
QUERY = "States.QueryEvaluationError"
ITEM_READER = "States.ItemReaderFailed"
RESULT_WRITER = "States.ResultWriterFailed"
TOLERANCE = "States.ExceedToleratedFailureThreshold"

UNCATCHABLE = frozenset({RUNTIME, DATA_LIMIT})
"""Errors that neither `States.ALL` nor `States.TaskFailed` matches."""

LIMIT = 262144
"""Bytes of a state's input or output."""


class StateError(Exception):
    """A failure with the error name and cause that Retry and Catch see.

    `located`: the cause is to be prefixed with the state and its event, as failures of evaluation are.
    """

    def __init__(self, error: str | None, cause: str | None = None, *, located: bool = False) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause
        self.located = located


def runtime(cause: str) -> StateError:
    """`States.Runtime`, told with the state in which it came up."""
    return StateError(RUNTIME, cause, located=True)
