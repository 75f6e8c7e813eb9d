"""ARNs of Step Functions, taken apart and put together.

Source: the resource types of AWS Step Functions in the Service Authorization Reference.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.engine.operations import AwsError


@dataclass(frozen=True)
class Arn:
    """`kind`: stateMachine, execution, express, activity or mapRun; `rest`: what follows it."""

    account: str
    region: str
    kind: str
    rest: str


def parse(text: str, *kinds: str) -> Arn:
    """InvalidArn for what is no ARN of one of these kinds."""
    parts = text.split(":", 6)
    if len(parts) != 7 or parts[:3] != ["arn", "aws", "states"] or parts[5] not in kinds or not parts[6]:
        raise AwsError("InvalidArn", f"Invalid Arn: 'Invalid ARN: {text}'")
    return Arn(parts[4], parts[3], parts[5], parts[6])


def execution(account: str, region: str, key: str, *, express: bool) -> str:
    kind = "express" if express else "execution"
    return f"arn:aws:states:{region}:{account}:{kind}:{key}"


def state_machine(account: str, region: str, name: str) -> str:
    return f"arn:aws:states:{region}:{account}:stateMachine:{name}"
