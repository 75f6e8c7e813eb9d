"""Who made or changed a thing: SageMaker's UserContext."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.engine.operations import Call


def user_context(call: Call) -> dict[str, Any]:
    """The UserContext of the caller (outside of Studio: its IAM identity alone)."""
    return {"IamIdentity": {"Arn": call.principal.caller_arn, "PrincipalId": call.principal.id}}
