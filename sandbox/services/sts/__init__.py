"""STS: role sessions, session tokens, federated users, and who the caller is."""

from __future__ import annotations

from typing import Any

from sandbox.engine.operations import Call, operation
from sandbox.services.sts import messages, roles, tokens

__all__ = ["messages", "roles", "tokens"]


@operation("sts", "GetCallerIdentity")
def get_caller_identity(call: Call) -> dict[str, Any]:
    return {"UserId": call.principal.id, "Account": call.principal.account, "Arn": call.principal.caller_arn}
