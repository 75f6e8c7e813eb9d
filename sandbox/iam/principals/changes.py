"""Changes that this room makes to moto's records: under the records' lock, and written as moto's own are.

The state room sets how; without it (in tests of this room alone) changes are neither locked nor written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

Changing = Callable[..., AbstractContextManager[None]]


def _alone(*services: str, names: Sequence[str] = ()) -> AbstractContextManager[None]:
    return nullcontext()


_changing: Changing = _alone


def changing(*services: str, names: Sequence[str] = ()) -> AbstractContextManager[None]:
    """Around a change of the records of moto's `services`: of those that are called one of the `names`, and
    of which are there at all."""
    return _changing(*services, names=names)


def write_with(function: Changing) -> None:
    """Sets what locks and writes moto's records."""
    global _changing
    _changing = function
