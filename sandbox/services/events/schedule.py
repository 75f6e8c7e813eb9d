"""Schedule expressions of rules: when the next one is due, in UTC.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

from sandbox.engine import schedules
from sandbox.engine.operations import AwsError


def next_time(expression: str, after: float) -> float | None:
    """Epoch seconds of the first due time after `after`; None when there is none any more.

    ValidationException for an expression that is not valid for a rule.
    """
    refusal = AwsError("ValidationException", "Parameter ScheduleExpression is not valid.")
    try:
        rate = schedules.interval(expression)
        once = schedules.moment_of(expression)
        if once is not None or (rate is not None and not rate[1]):
            raise refusal
        return schedules.next_time(expression, after)
    except schedules.InvalidSchedule as error:
        raise refusal from error
