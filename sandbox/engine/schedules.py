"""Schedule expressions: when a schedule is due next.

Sources: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html and
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html: a time that a zone skips in spring
is skipped, one that comes twice in autumn counts once.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)
}
_YEARS = (1970, 2199)


class InvalidSchedule(ValueError):
    """The text is no schedule expression."""


def interval(expression: str) -> tuple[int, bool] | None:
    """Seconds of a `rate(…)`, and whether its unit agrees in number with its value; None for others."""
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression)
    if not rate:
        return None
    value = int(rate[1])
    if value < 1:
        raise InvalidSchedule(expression)
    return value * _UNITS[rate[2]], (value == 1) != bool(rate[3])


def moment_of(expression: str, zone: tzinfo = UTC) -> float | None:
    """Epoch seconds of an `at(…)`; None for others."""
    match = _AT.fullmatch(expression)
    if not match:
        return None
    try:
        return datetime.fromisoformat(match[1]).replace(tzinfo=zone).timestamp()
    except ValueError as error:
        raise InvalidSchedule(expression) from error


def next_time(expression: str, after: float, zone: tzinfo = UTC) -> float | None:
    """Epoch seconds of the first due time after `after`; None when there is none left. InvalidSchedule."""
    rate = interval(expression)
    if rate:
        return after + rate[0]
    once = moment_of(expression, zone)
    if once is not None:
        return once if once > after else None
    cron = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", expression)
    if not cron:
        raise _invalid()
    return _Cron.parse(*cron.groups()).after(after, zone)


def _invalid() -> InvalidSchedule:
    return InvalidSchedule("the schedule expression is not valid")


@dataclass(frozen=True)
class _Cron:
    """`days` and `weekdays` are the texts of their fields, one of them is `?`."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: str
    months: frozenset[int]
    weekdays: str
    years: frozenset[int]

    @classmethod
    def parse(cls, minutes: str, hours: str, days: str, months: str, weekdays: str, years: str) -> _Cron:
        if (days == "?") == (weekdays == "?"):
            raise _invalid()
        cron = cls(
            _field(minutes, 0, 59),
            _field(hours, 0, 23),
            days,
            _field(months, 1, 12, _MONTHS),
            weekdays,
            _field(years, *_YEARS),
        )
        cron._days_of(2024, 1)  # raises for fields that are not valid
        return cron

    def after(self, moment: float, zone: tzinfo) -> float | None:
        local = datetime.fromtimestamp(moment, zone).replace(tzinfo=None)
        for found in self._times(local.replace(second=0, microsecond=0) + timedelta(minutes=1)):
            due = found.replace(tzinfo=zone)
            exists = due.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == found
            if exists and due.timestamp() > moment:
                return due.timestamp()
        return None

    def _times(self, start: datetime) -> Iterator[datetime]:
        """Times of the clock on the wall, from `start` on."""
        for year in sorted(year for year in self.years if year >= start.year):
            for month in sorted(self.months):
                if (year, month) < (start.year, start.month):
                    continue
                for day in sorted(self._days_of(year, month)):
                    if (year, month, day) >= (start.year, start.month, start.day):
                        yield from self._times_of(datetime(year, month, day), start)

    def _times_of(self, day: datetime, start: datetime) -> Iterator[datetime]:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                moment = day.replace(hour=hour, minute=minute)
                if moment >= start:
                    yield moment

    def _days_of(self, year: int, month: int) -> set[int]:
        last = calendar.monthrange(year, month)[1]
        if self.weekdays == "?":
            return _month_days(self.days, year, month, last)
        return _week_days(self.weekdays, year, month, last)


def _month_days(text: str, year: int, month: int, last: int) -> set[int]:
    if text == "L":
        return {last}
    nearest = re.fullmatch(r"(\d{1,2})W", text)
    if not nearest:
        return {day for day in _field(text, 1, 31) if day <= last}
    day = min(int(nearest[1]), last)
    if not day >= 1:
        raise _invalid()
    weekday = datetime(year, month, day, tzinfo=UTC).weekday()
    if weekday == 5:
        return {day - 1 if day > 1 else day + 2}
    if weekday == 6:
        return {day + 1 if day < last else day - 2}
    return {day}


def _week_days(text: str, year: int, month: int, last: int) -> set[int]:
    def weekday(day: int) -> int:  # 1 is Sunday
        return (datetime(year, month, day, tzinfo=UTC).weekday() + 1) % 7 + 1

    nth = re.fullmatch(r"(\w+)#([1-5])", text)
    if nth:
        [wanted] = _field(nth[1], 1, 7, _DAYS)
        matching = [day for day in range(1, last + 1) if weekday(day) == wanted]
        index = int(nth[2]) - 1
        return {matching[index]} if index < len(matching) else set()
    final = re.fullmatch(r"(\w+)L", text)
    if final and final[1] not in _DAYS:
        [wanted] = _field(final[1], 1, 7, _DAYS)
        return {max(day for day in range(1, last + 1) if weekday(day) == wanted)}
    wanted_days = {7} if text == "L" else _field(text, 1, 7, _DAYS)
    return {day for day in range(1, last + 1) if weekday(day) in wanted_days}


def _field(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, end = span.partition("-")
        if span in ("*", "?"):
            start, stop = low, high
        else:
            start = _number(first, low, high, names)
            stop = _number(end, low, high, names) if dash else (high if slash else start)
        if slash and not (step.isdigit() and int(step)):
            raise _invalid()
        if stop < start:
            raise _invalid()
        values.update(range(start, stop + 1, int(step) if slash else 1))
    return frozenset(values)


def _number(text: str, low: int, high: int, names: dict[str, int] | None) -> int:
    number = (names or {}).get(text.upper(), int(text) if text.isdigit() else -1)
    if not low <= number <= high:
        raise _invalid()
    return number
