"""IdempotencyToken: the same token gives the same answer (Service Catalog API reference)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.engine.operations import AwsError, Call


def once(call: Call, token: str | None, subject: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Runs `make` in a transaction the first time a token is seen; later answers what it answered then.

    InvalidParametersException when the token was used for another `subject`.
    """
    if not token:
        with call.engine.store.transaction():
            return make()
    records = call.records("token")
    key = f"{call.operation}/{token}"
    with call.engine.store.transaction():
        seen = records.get(key)
        if seen is None:
            answer = make()
            records.put(key, {"subject": subject, "answer": answer})
            return answer
    if seen["subject"] != subject:
        raise AwsError(
            "InvalidParametersException", f"The token {token} was used for {seen['subject']} already"
        )
    return seen["answer"]
