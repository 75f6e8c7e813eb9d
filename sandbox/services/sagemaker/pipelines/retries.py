"""Retry policies of steps. https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SERVICE_FAULT = "Step.SERVICE_FAULT"
THROTTLING = "Step.THROTTLING"
JOB_INTERNAL_ERROR = "SageMaker.JOB_INTERNAL_ERROR"
CAPACITY_ERROR = "SageMaker.CAPACITY_ERROR"
RESOURCE_LIMIT = "SageMaker.RESOURCE_LIMIT"
EXCEPTION_TYPES = (SERVICE_FAULT, THROTTLING, JOB_INTERNAL_ERROR, CAPACITY_ERROR, RESOURCE_LIMIT)

RETRYABLE_STEPS = ("Processing", "Training", "Model", "RegisterModel")
DEFAULT = {
    "ExceptionType": [SERVICE_FAULT, THROTTLING],
    "IntervalSeconds": 1,
    "BackoffRate": 2.0,
    "MaxAttempts": 2,
}
"""Pipelines retries these by itself; a policy of the step overrides it."""
_MEMBERS = {"ExceptionType", "IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin"}
_THROTTLING_CODES = (
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
)


def classify_error(code: str, status: int) -> str | None:
    """The exception type of an API error; None where trying again cannot help."""
    if code in _THROTTLING_CODES or status == 429:
        return THROTTLING
    if code == "ResourceLimitExceeded":
        return RESOURCE_LIMIT
    return SERVICE_FAULT if status >= 500 else None


def classify_job_failure(reason: str) -> str | None:
    """The exception type of a failed job's FailureReason."""
    if reason.startswith("InternalServerError"):
        return JOB_INTERNAL_ERROR
    if reason.startswith("CapacityError"):
        return CAPACITY_ERROR
    return RESOURCE_LIMIT if reason.startswith("ResourceLimitExceeded") else None


def delay(
    policies: list[dict[str, Any]], exception: str | None, retries: int, elapsed: float
) -> float | None:
    """Seconds (of AWS's time) to wait before the next attempt; None when there is none.

    `retries`: attempts made after the first; `elapsed`: seconds since the step started.
    """
    policy = next((each for each in [*policies, DEFAULT] if exception in each["ExceptionType"]), None)
    if policy is None or retries >= policy.get("MaxAttempts", float("inf")):
        return None
    wait = float(policy.get("IntervalSeconds", 1)) * float(policy.get("BackoffRate", 2.0)) ** retries
    expiry = policy.get("ExpireAfterMin")
    return None if expiry is not None and elapsed + wait > expiry * 60 else wait


def check(policies: Any) -> Iterator[str]:
    """What is wrong with the RetryPolicies of a step."""
    if not isinstance(policies, list):
        yield "RetryPolicies must be a list"
        return
    for policy in policies:
        if not isinstance(policy, dict) or not set(policy) <= _MEMBERS:
            yield f"a retry policy has the members {', '.join(sorted(_MEMBERS))}"
            continue
        types = policy.get("ExceptionType")
        if not isinstance(types, list) or not types or not set(types) <= set(EXCEPTION_TYPES):
            yield f"ExceptionType must list some of {', '.join(EXCEPTION_TYPES)}"
        if "MaxAttempts" not in policy and "ExpireAfterMin" not in policy:
            yield "a retry policy needs MaxAttempts or ExpireAfterMin"
        for name in ("IntervalSeconds", "MaxAttempts", "ExpireAfterMin"):
            if name in policy and (type(policy[name]) is not int or policy[name] < 1):
                yield f"{name} of a retry policy must be a positive integer"
        rate = policy.get("BackoffRate", 2.0)
        if not isinstance(rate, int | float) or rate < 0:
            yield "BackoffRate of a retry policy must be a number of at least 0"
