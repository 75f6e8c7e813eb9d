"""DecodeAuthorizationMessage: what stands in EC2's encoded refusals."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import AwsError, Call, operation
from sandbox.iam import failure_messages


@operation("sts", "DecodeAuthorizationMessage")
def decode_authorization_message(call: Call, EncodedMessage: str) -> dict[str, Any]:
    try:
        return {"DecodedMessage": failure_messages.decode(call.account, EncodedMessage)}
    except failure_messages.Unreadable as error:
        text = "The message passed to DecodeAuthorizationMessage was invalid."
        raise AwsError("InvalidAuthorizationMessageException", text, status=400) from error
