"""Encoded authorization failure messages: what EC2 adds to a refusal, for sts:DecodeAuthorizationMessage.

Source: DecodeAuthorizationMessage in the STS API reference. The message is readable only with the account's
own key, since it tells more than the one who was refused may know.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sandbox.iam.policy import EXPLICIT_DENY, Decision
from sandbox.iam.principals.principal import Principal
from sandbox.iam.principals.records import iam_backend


class Unreadable(Exception):
    """No message of this account."""


def encode(principal: Principal, decision: Decision, keys: Mapping[str, tuple[str, ...]]) -> str:
    """The message of a refusal. `keys`: the condition keys of the request."""
    statement = decision.statement.rpartition("/")[2]
    matched = [{"statementId": statement, "effect": "DENY"}] if decision.reason == EXPLICIT_DENY else []
    body = {
        "allowed": False,
        "explicitDeny": decision.reason == EXPLICIT_DENY,
        "matchedStatements": {"items": matched},
        "failures": {"items": []},
        "context": {
            "principal": {"id": principal.id, "name": principal.name, "arn": principal.caller_arn},
            "action": decision.action,
            "resource": decision.resource,
            "conditions": {
                "items": [
                    {"key": key, "values": {"items": [{"value": value} for value in values]}}
                    for key, values in sorted(keys.items())
                ]
            },
        },
    }
    token: bytes = _cipher(principal.account).encrypt(json.dumps(body).encode())
    return token.decode()


def decode(account: str, message: str) -> str:
    """The JSON text of a message. Raises Unreadable."""
    from cryptography.fernet import InvalidToken

    try:
        text: bytes = _cipher(account).decrypt(message.encode())
    except (InvalidToken, ValueError) as error:
        raise Unreadable from error
    return text.decode()


def _cipher(account: str) -> Any:
    from cryptography.fernet import Fernet

    keys = list(iam_backend(account).access_keys.values())
    root = next((key for key in keys if key.user_name is None and key.access_key_id.startswith("AKIA")), None)
    secret = root.secret_access_key if root else account
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"failure message {secret}".encode()).digest()))
