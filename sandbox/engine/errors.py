"""What an operation raises to be refused; a leaf, so that whatever calls operations can know it."""

from __future__ import annotations

from typing import Any


class AwsError(Exception):
    """An error of an AWS API.

    `code`: as the service's model names it, which also decides the HTTP status; `status` overrides that for
    codes that stand in no model. `members`: further members of the modelled error shape.
    """

    def __init__(self, code: str, message: str, *, status: int | None = None, **members: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.members = members

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"
