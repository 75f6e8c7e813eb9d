"""Event patterns of rules.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

from sandbox.engine import patterns
from sandbox.engine.operations import AwsError
from sandbox.engine.patterns import InvalidPattern, Matcher


def compile_pattern(text: str) -> Matcher:
    """InvalidEventPatternException for anything that EventBridge does not take."""
    try:
        return patterns.compile_pattern(text)
    except InvalidPattern as error:
        message = f"Event pattern is not valid. Reason: {error}"
        raise AwsError("InvalidEventPatternException", message) from error
