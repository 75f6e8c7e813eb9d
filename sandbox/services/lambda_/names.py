"""Functions by name, partial ARN or ARN, with a version or alias behind them.

Source: "FunctionName" and "Qualifier" of https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.engine.operations import AwsError, Call

SERVICE = "lambda"
LATEST = "$LATEST"

_NAME = re.compile(
    r"(?:arn:aws[a-z-]*:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?"
    r"(?:function:)?(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)


@dataclass(frozen=True)
class Named:
    """`qualifier`: a version, an alias, `$LATEST`, or None where none was given."""

    name: str
    qualifier: str | None = None


def invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)


def named(call: Call, function: str, qualifier: str | None = None) -> Named:
    """What a request names. InvalidParameterValueException, or ResourceNotFoundException elsewhere."""
    match = _NAME.fullmatch(function)
    if match is None:
        raise invalid(f"{function} is not a valid function ARN")
    if match["account"] not in (None, call.account) or match["region"] not in (None, call.region):
        raise not_found(function)
    inner = match["qualifier"]
    if inner and qualifier and inner != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    return Named(match["name"], qualifier or inner)


def function_arn(call: Call, name: str, qualifier: str | None = None) -> str:
    return call.arn(f"function:{name}:{qualifier}" if qualifier else f"function:{name}")


def not_found(arn: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Function not found: {arn}", Type="User")
