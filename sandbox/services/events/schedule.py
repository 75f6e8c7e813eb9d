"""Schedule expressions of rules: when the next one is due.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
Times are UTC.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sandbox.engine.operations import AwsError

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_DAYS = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), start=1)
}
_YEARS = (1970, 2199)


def next_time(expression: str, after: float) -> float | None:
    """Epoch seconds of the first due time after `after`; None when there is none any more.

    ValidationException for an expression that is not valid.
    """
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", expression)
    if rate:
        value = int(rate[1])
        if value < 1 or (value == 1) == bool(rate[3]):
            raise _invalid()
        return after + value * _UNITS[rate[2]]
    cron = re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", expression)
    if not cron:
        raise _invalid()
    return _Cron.parse(*cron.groups()).after(after)


def _invalid() -> AwsError:
    return AwsError("ValidationException", "Parameter ScheduleExpression is not valid.")


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

    def after(self, moment: float) -> float | None:
        start = datetime.fromtimestamp(moment, UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        for year in sorted(year for year in self.years if year >= start.year):
            for month in sorted(self.months):
                if (year, month) < (start.year, start.month):
                    continue
                for day in sorted(self._days_of(year, month)):
                    if (year, month, day) < (start.year, start.month, start.day):
                        continue
                    found = self._time_of(datetime(year, month, day, tzinfo=UTC), start)
                    if found:
                        return found.timestamp()
        return None

    def _time_of(self, day: datetime, start: datetime) -> datetime | None:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                moment = day.replace(hour=hour, minute=minute)
                if moment >= start:
                    return moment
        return None

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
