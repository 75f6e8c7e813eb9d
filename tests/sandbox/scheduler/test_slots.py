"""When schedules are due: time zones, dates, and what was missed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.engine.schedules import next_time
from sandbox.services.scheduler.firing import last_missed, next_slot


def seconds(text: str, zone: str = "UTC") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        (
            "cron(30 2 * * ? *)",
            "2026-03-07T12:00",
            "2026-03-09T02:30:00-04:00",
        ),  # 02:30 does not exist on the 8th
        ("cron(30 1 * * ? *)", "2026-10-31T12:00", "2026-11-01T01:30:00-04:00"),
        (
            "cron(30 1 * * ? *)",
            "2026-11-01T01:30",
            "2026-11-02T01:30:00-05:00",
        ),  # not a second time on the 1st
        ("at(2026-07-01T08:00:00)", "2026-01-01T00:00", "2026-07-01T08:00:00-04:00"),
    ],
)
def test_daylight_saving(expression: str, after: str, expected: str) -> None:
    zone = ZoneInfo("America/New_York")
    found = next_time(expression, seconds(after, "America/New_York"), zone)
    assert found is not None
    assert datetime.fromtimestamp(found, zone).isoformat() == expected


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2_000_000_000), st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata"]))
def test_a_daily_time_comes_once_a_day_in_every_zone(moment: int, name: str) -> None:
    zone = ZoneInfo(name)
    first = next_time("cron(15 12 * * ? *)", moment, zone)
    assert first is not None
    second = next_time("cron(15 12 * * ? *)", first, zone)
    assert second is not None
    assert moment < first <= moment + 25 * 3600
    days = [datetime.fromtimestamp(item, zone) for item in (first, second)]
    assert (days[1].date() - days[0].date()).days == 1
    assert {(day.hour, day.minute) for day in days} == {(12, 15)}


def schedule(expression: str, last: str, **more: Any) -> dict[str, Any]:
    return {
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": "UTC",
        "last": seconds(last),
        **more,
    }


def test_a_rate_begins_at_once_or_at_its_start_and_ends_with_its_end() -> None:
    now = "2026-01-01T10:00"
    assert next_slot(schedule("rate(1 hours)", now), first=True) == seconds(now)
    later = schedule("rate(1 hours)", now, StartDate=seconds("2026-01-02T00:00"))
    assert next_slot(later, first=True) == seconds("2026-01-02T00:00")
    over = schedule("rate(1 hours)", now, EndDate=seconds("2026-01-01T10:30"))
    assert next_slot(over) is None
    cron = schedule("cron(0 0 * * ? *)", now, StartDate=seconds("2026-01-05T00:00"))
    assert next_slot(cron) == seconds("2026-01-05T00:00")


def test_of_what_was_missed_the_last_is_left() -> None:
    missed = schedule("rate(1 hours)", "2026-01-01T10:00") | {"slot": seconds("2026-01-01T11:00")}
    slot, age = last_missed(missed, 2.5 * 3600)
    assert datetime.fromtimestamp(slot, UTC).hour == 13
    assert age == 1800
    once = schedule("at(2026-01-01T11:00:00)", "2026-01-01T10:00") | {"slot": seconds("2026-01-01T11:00")}
    assert last_missed(once, 7200) == (seconds("2026-01-01T11:00"), 7200)
