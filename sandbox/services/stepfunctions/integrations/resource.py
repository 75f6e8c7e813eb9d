"""A Task's `Resource`, taken apart.

Source: https://docs.aws.amazon.com/step-functions/latest/dg/integrate-services.html
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

REQUEST, SYNC, SYNC2, TOKEN = "", "sync", "sync:2", "waitForTaskToken"

_SERVICE = re.compile(r"arn:aws[a-z-]*:states:([a-z0-9-]*):(\d*):(.+)")
_LAMBDA = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(?::[A-Za-z0-9$_-]+)?")
_ACTIVITY = re.compile(r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:activity:.+")
_CALL = re.compile(r"(?:aws-sdk:)?([a-z0-9-]+):([A-Za-z0-9]+)(?:\.(sync:2|sync|waitForTaskToken))?")


class InvalidResource(ValueError):
    """The text is no resource of a Task."""


@dataclass(frozen=True)
class Resource:
    """`kind`: `lambda` and `activity` for resources that are such an ARN, else `sdk` or `optimised`."""

    text: str
    kind: str
    service: str = ""
    action: str = ""
    pattern: str = REQUEST

    @property
    def type(self) -> str:
        """`resourceType` of events: `aws-sdk:s3`, `sagemaker`."""
        return f"aws-sdk:{self.service}" if self.kind == "sdk" else self.service

    @property
    def call(self) -> str:
        """`resource` of events: `createTrainingJob.sync`."""
        return self.action + (f".{self.pattern}" if self.pattern else "")


@functools.lru_cache(512)
def parse(text: str) -> Resource:
    """InvalidResource for what is no ARN that a Task can call."""
    if _LAMBDA.fullmatch(text):
        return Resource(text, "lambda", "lambda", "invoke")
    if _ACTIVITY.fullmatch(text):
        return Resource(text, "activity")
    match = _SERVICE.fullmatch(text)
    call = _CALL.fullmatch(match[3]) if match and not match[2] else None
    if call is None:
        raise InvalidResource(text)
    kind = "sdk" if match and match[3].startswith("aws-sdk:") else "optimised"
    return Resource(text, kind, call[1], call[2], call[3] or REQUEST)
