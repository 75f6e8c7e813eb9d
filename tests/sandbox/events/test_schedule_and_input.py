"""Schedule expressions and input transformation."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.engine.operations import AwsError
from sandbox.services.events.schedule import next_time
from sandbox.services.events.transform import target_input, validate_input

START = datetime(2024, 2, 28, 12, 0, 30, tzinfo=UTC)
EVENT = {
    "version": "0",
    "id": "1",
    "detail-type": "Change",
    "source": "mine",
    "account": "1",
    "time": "2024-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": ["arn:a"],
    "detail": {"name": 'say "hi"', "n": 3, "list": [{"k": "v"}]},
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("rate(5 minutes)", "2024-02-28 12:05:30"),
        ("rate(1 hour)", "2024-02-28 13:00:30"),
        ("cron(0 12 * * ? *)", "2024-02-29 12:00:00"),
        ("cron(0/15 9-17 ? * MON-FRI *)", "2024-02-28 12:15:00"),
        ("cron(0 0 L * ? *)", "2024-02-29 00:00:00"),
        ("cron(0 8 ? * 2#1 *)", "2024-03-04 08:00:00"),
        ("cron(0 8 ? * 6L *)", "2024-03-29 08:00:00"),
        ("cron(0 8 1W JUN ? *)", "2024-06-03 08:00:00"),
        ("cron(0 8 29 2 ? 2028)", "2028-02-29 08:00:00"),
    ],
)
def test_next_time(expression: str, expected: str) -> None:
    found = next_time(expression, START.timestamp())
    assert found is not None
    assert f"{datetime.fromtimestamp(found, UTC):%Y-%m-%d %H:%M:%S}" == expected


def test_a_schedule_may_be_over() -> None:
    assert next_time("cron(0 8 1 1 ? 2020)", START.timestamp()) is None


@given(st.integers(0, 59), st.integers(0, 23), st.integers(0, 2_000_000_000))
def test_the_next_time_is_later_and_fits(minute: int, hour: int, moment: int) -> None:
    found = next_time(f"cron({minute} {hour} * * ? *)", moment)
    assert found is not None
    assert moment < found <= moment + 86400
    when = datetime.fromtimestamp(found, UTC)
    assert (when.hour, when.minute, when.second) == (hour, minute, 0)


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minutes)",
        "rate(5 minute)",
        "rate(0 minutes)",
        "cron(0 12 * * * *)",
        "cron(0 12 ? * ? *)",
        "cron(60 0 * * ? *)",
        "cron(* * * *)",
        "daily",
        "cron(0 0 ? * XYZ *)",
    ],
)
def test_bad_schedules(expression: str) -> None:
    with pytest.raises(AwsError, match="Parameter ScheduleExpression is not valid"):
        next_time(expression, START.timestamp())


def sent(**target: Any) -> str:
    validate_input({"Id": "1", **target})
    return target_input({"Id": "1", **target}, EVENT, "arn:rule", "rule")


def test_inputs() -> None:
    assert json.loads(sent()) == EVENT
    assert sent(Input='{"a": 1}') == '{"a": 1}'
    assert json.loads(sent(InputPath="$.detail.list[0].k")) == "v"
    transformer = {
        "InputPathsMap": {
            "name": "$.detail.name",
            "n": "$.detail.n",
            "none": "$.detail.missing",
            "list": "$.detail.list",
        },
        "InputTemplate": '{"text": "<name> and <n>", "n": <n>, "list": <list>, "none": "<none>", "rule": "<aws.events.rule-name>"}',
    }
    assert json.loads(sent(InputTransformer=transformer)) == {
        "text": 'say "hi" and 3',
        "n": 3,
        "list": [{"k": "v"}],
        "none": "",
        "rule": "rule",
    }


@pytest.mark.parametrize(
    "target",
    [
        {"Input": "{"},
        {"InputPath": "detail"},
        {"InputPath": "$..x"},
        {"Input": "{}", "InputPath": "$"},
        {"InputTransformer": {"InputPathsMap": {}, "InputTemplate": '"<gone>"'}},
    ],
)
def test_bad_inputs(target: dict[str, Any]) -> None:
    with pytest.raises(AwsError, match="ValidationException"):
        validate_input({"Id": "1", **target})
