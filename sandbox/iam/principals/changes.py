"""Changes that this room makes to moto's records: under the records' lock, and written as moto's own are.

The state room sets how; without it (in tests of this room alone) changes are neither locked nor written.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

Changing = Callable[..., AbstractContextManager[None]]


def _alone(*services: str, at_once: bool = True) -> AbstractContextManager[None]:
    return nullcontext()


_changing: Changing = _alone


def changing(*services: str, at_once: bool = True) -> AbstractContextManager[None]:
    """Around a change of the records of moto's `services`, written `at_once` or shortly after."""
    return _changing(*services, at_once=at_once)


def write_with(function: Changing) -> None:
    """Sets what locks and writes moto's records."""
    global _changing
    _changing = function
