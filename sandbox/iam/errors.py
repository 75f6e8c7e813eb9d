"""Refusals of this room. The gateway turns them into answers of the service that was called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.iam.policy import Decision


class Refused(Exception):
    """A request that goes no further. `code` and `message` as AWS writes them, `status` as HTTP."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class NotAuthenticated(Refused):
    """The signature, its key, its token or its time does not hold."""


class AccessDenied(Refused):
    """Policies do not allow the request; `decision` says why."""

    def __init__(self, code: str, message: str, status: int, decision: Decision | None = None) -> None:
        super().__init__(code, message, status)
        self.decision = decision
