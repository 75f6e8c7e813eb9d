"""Waiting through AWS's APIs, as any client has to: they offer nothing but asking again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(look: Callable[[], T | None], timeout: float = 120.0) -> T:
    """Asks until there is an answer; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = 0.02
    while True:
        answer = look()
        if answer is not None:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing after {timeout} seconds: {look}")
        time.sleep(pause)
        pause = min(pause * 1.3, 0.5)
