"""Waiting for a resource to settle: woken by the service's events, never by the clock alone."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.engine.events import listener
from sandbox.services.cloudformation.resources.handler import Request, Stopped

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine

T = TypeVar("T")
_changed = threading.Condition()
_count = 0
# An event may be published by a process that is killed before it is delivered: look again now and then.
LOOK_AGAIN = 20.0


def wake() -> None:
    """Makes every waiter look again."""
    global _count
    with _changed:
        _count += 1
        _changed.notify_all()


@listener(source="aws.sagemaker")
def _on_sagemaker(engine: Engine, event: dict[str, Any]) -> None:
    wake()


@listener(source="aws.cloudformation", detail_type="CloudFormation Stack Status Change")
def _on_stack(engine: Engine, event: dict[str, Any]) -> None:
    wake()


def settled(request: Request, look: Callable[[], T | None], until: float | None = None) -> T:
    """The first answer of `look` that is not None; it is asked again after every event. Raises Stopped.

    `until`: the time (epoch seconds) at which `look` is to be asked again, whatever happens.
    """
    while True:
        with _changed:
            before = _count
        if request.stop.is_set():
            raise Stopped
        answer = look()
        if answer is not None:
            return answer
        pause = LOOK_AGAIN if until is None else min(LOOK_AGAIN, max(until - request.engine.clock.now(), 0))
        with _changed:
            if _count == before and not request.stop.is_set():
                _changed.wait(pause)
