"""Events that could not be delivered, on their way to a target's dead-letter queue.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from sandbox.engine.engine import Engine

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Letter:
    """`record`: of the delivery; `exhausted`: which limit of the retry policy was reached, if one was."""

    rule_arn: str
    target: dict[str, Any]
    record: dict[str, Any]
    code: str
    message: str
    exhausted: str | None


def bury(engine: Engine, region: str, letter: Letter) -> None:
    """Sends the event to the target's queue, if it has one, as EventBridge for the rule."""
    from botocore.exceptions import BotoCoreError, ClientError

    arn = (letter.target.get("DeadLetterConfig") or {}).get("Arn")
    if not arn:
        return
    facts = {
        "RULE_ARN": letter.rule_arn,
        "TARGET_ARN": letter.target["Arn"],
        "ERROR_CODE": letter.code,
        "ERROR_MESSAGE": letter.message[:1000],
        "RETRY_ATTEMPTS": str(letter.record["attempts"] - 1),
    }
    if letter.exhausted:
        facts["EXHAUSTED_RETRY_CONDITION"] = letter.exhausted
    session = engine.clients.service("events.amazonaws.com", region=region, source_arn=letter.rule_arn)
    try:
        send(session, arn, json.dumps(letter.record["event"]), facts)
    except (BotoCoreError, ClientError) as error:
        log.warning("dead-letter queue %s of rule %s: %s", arn, letter.rule_arn, error)


def send(session: Any, arn: str, body: str, facts: dict[str, str] | None = None, **members: Any) -> None:
    """Sends a message to a queue by ARN; `facts` become string attributes."""
    *_, account, name = arn.split(":")
    sqs = session.client("sqs")
    attributes = {
        key: {"DataType": "String", "StringValue": value} for key, value in (facts or {}).items() if value
    }
    sqs.send_message(
        QueueUrl=f"{sqs.meta.endpoint_url.rstrip('/')}/{account}/{name}",
        MessageBody=body,
        MessageAttributes=attributes,
        **members,
    )
