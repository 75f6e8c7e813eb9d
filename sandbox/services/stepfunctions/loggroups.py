"""Logging configurations: what a machine's role must be allowed before its history goes to CloudWatch Logs.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.engine.clients import Session
from sandbox.engine.operations import AwsError

_GROUP = re.compile(r"arn:aws:logs:[a-z0-9-]+:\d{12}:log-group:([^:*]+):\*")
_NEEDED = (
    "CreateLogDelivery",
    "GetLogDelivery",
    "UpdateLogDelivery",
    "DeleteLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "DescribeResourcePolicies",
    "DescribeLogGroups",
)


def group_of(logging: dict[str, Any]) -> str:
    """The log group's name. InvalidLoggingConfiguration where there is none."""
    for destination in logging.get("destinations", []):
        match = _GROUP.fullmatch(destination.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", ""))
        if match:
            return match[1]
    raise AwsError(
        "InvalidLoggingConfiguration",
        "Invalid Logging Configuration: Must specify exactly one Log Destination.",
    )


def check_logging(session: Session, logging: dict[str, Any]) -> None:
    """AccessDeniedException where the machine's role may not have logs delivered."""
    if logging.get("level", "OFF") == "OFF":
        return
    if len(logging.get("destinations", [])) != 1:
        raise AwsError(
            "InvalidLoggingConfiguration",
            "Invalid Logging Configuration: Must specify exactly one Log Destination.",
        )
    group_of(logging)
    try:
        for action in _NEEDED:
            session.authorize(f"logs:{action}", "*")
    except AwsError as error:
        raise AwsError(
            "AccessDeniedException",
            "The state machine IAM Role is not authorized to access the Log Destination",
        ) from error
