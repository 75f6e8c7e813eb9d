"""Opaque pagination tokens over lists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from sandbox.engine.errors import AwsError

T = TypeVar("T")


def page(
    items: Sequence[T],
    token: str | None = None,
    limit: int | None = None,
    *,
    error: str = "ValidationException",
    default: int = 100,
) -> tuple[list[T], str | None]:
    """One page of `items` and the token of the next (None at the end).

    `error`: the code raised for a token that this function did not make, as the calling API names it.
    """
    start = _offset(token, error)
    size = limit or default
    rest = start + size
    return list(items[start:rest]), _token(rest) if rest < len(items) else None


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"offset:{offset}".encode()).decode()


def _offset(token: str | None, error: str) -> int:
    if not token:
        return 0
    try:
        kind, _, offset = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if kind == "offset" and offset.isdecimal():
            return int(offset)
    except (ValueError, binascii.Error):
        raise AwsError(error, "Invalid pagination token.") from None
    raise AwsError(error, "Invalid pagination token.")
