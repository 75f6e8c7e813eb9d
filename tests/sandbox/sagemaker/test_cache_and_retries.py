"""Expiry durations, step signatures and retry policies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.services.sagemaker.pipelines import retries
from sandbox.services.sagemaker.pipelines.cache import seconds_of, signature

amounts = st.one_of(st.none(), st.integers(0, 999))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30d", 30 * 86400),
        ("P30D", 30 * 86400),
        ("T12H", 12 * 3600),
        ("PT1H", 3600),
        ("T16m", 16 * 60),
        ("2m", 60 * 86400),
        ("5y", 5 * 365 * 86400),
        ("30dT5h", 30 * 86400 + 5 * 3600),
        ("P1W", 7 * 86400),
    ],
)
def test_the_documented_durations(text: str, seconds: int) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "P", "T", "30", "d30", "1.5d", "30d5h", "T5d", "30 d", "-1d", "None"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        seconds_of(text)


@given(amounts, amounts, amounts, st.booleans(), st.booleans())
def test_a_duration_is_the_sum_of_its_parts(
    days: int | None, hours: int | None, minutes: int | None, prefix: bool, upper: bool
) -> None:
    time = "".join(f"{amount}{unit}" for amount, unit in ((hours, "h"), (minutes, "m")) if amount is not None)
    text = ("p" if prefix else "") + (f"{days}d" if days is not None else "") + (f"t{time}" if time else "")
    if days is None and not time:
        return
    expected = (days or 0) * 86400 + (hours or 0) * 3600 + (minutes or 0) * 60
    assert seconds_of(text.upper() if upper else text) == expected


def test_only_deciding_arguments_change_a_signature() -> None:
    base = {"AppSpecification": {"ImageUri": "i"}, "ProcessingInputs": [{"InputName": "a"}], "RoleArn": "r"}
    same = base | {"RoleArn": "other", "ProcessingOutputConfig": {"Outputs": []}, "ProcessingResources": {}}
    assert signature("Processing", base) == signature("Processing", same)
    assert signature("Processing", base) != signature("Processing", base | {"Environment": {"A": "1"}})
    assert signature("Training", {"HyperParameters": {"a": "1"}}) != signature("Training", {})


def test_a_policy_backs_off_until_its_attempts_are_used() -> None:
    policy = {
        "ExceptionType": [retries.CAPACITY_ERROR],
        "IntervalSeconds": 30,
        "BackoffRate": 2.0,
        "MaxAttempts": 3,
    }
    waits = [retries.delay([policy], retries.CAPACITY_ERROR, attempt, 0.0) for attempt in range(4)]
    assert waits == [30.0, 60.0, 120.0, None]
    assert retries.delay([policy], retries.JOB_INTERNAL_ERROR, 0, 0.0) is None
    assert retries.delay([policy], None, 0, 0.0) is None


def test_a_policy_ends_when_it_expires() -> None:
    policy = {
        "ExceptionType": [retries.THROTTLING],
        "IntervalSeconds": 40,
        "BackoffRate": 1.0,
        "ExpireAfterMin": 1,
    }
    assert retries.delay([policy], retries.THROTTLING, 0, 10.0) == 40.0
    assert retries.delay([policy], retries.THROTTLING, 1, 30.0) is None


def test_service_faults_and_throttling_are_retried_without_a_policy() -> None:
    fault = retries.classify_error("InternalFailure", 500)
    throttled = retries.classify_error("ThrottlingException", 400)
    assert retries.classify_error("ValidationException", 400) is None
    for exception in (fault, throttled):
        assert retries.delay([], exception, 0, 0.0) == 1.0
        assert retries.delay([], exception, 2, 0.0) is None


def test_job_failures_are_told_apart_by_their_reason() -> None:
    assert retries.classify_job_failure("InternalServerError: We encountered an internal error.") == (
        retries.JOB_INTERNAL_ERROR
    )
    assert retries.classify_job_failure("CapacityError: Unable to provision") == retries.CAPACITY_ERROR
    assert retries.classify_job_failure("AlgorithmError: , exit code: 1") is None
