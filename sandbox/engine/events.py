"""The event bus: services publish AWS-shaped events, listeners in the process receive them.

EventBridge (services/events) is one listener among others; it matches rules and delivers to targets.
Events are durable: they are written with the change they tell of, and delivered at least once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.engine.tasks import Tasks, task

if TYPE_CHECKING:
    from sandbox.engine.clock import Clock
    from sandbox.engine.engine import Engine

Event = dict[str, Any]
Listener = Callable[["Engine", Event], None]


@dataclass(frozen=True)
class _Subscription:
    source: str | None
    detail_type: str | None
    listener: Listener

    def wants(self, event: Event) -> bool:
        return self.source in (None, event["source"]) and self.detail_type in (None, event["detail-type"])


LISTENERS: dict[str, _Subscription] = {}


def listener(source: str | None = None, detail_type: str | None = None) -> Callable[[Listener], Listener]:
    """Registers an in-process subscriber of events; None matches any."""

    def register(function: Listener) -> Listener:
        LISTENERS[f"{function.__module__}.{function.__qualname__}"] = _Subscription(
            source, detail_type, function
        )
        return function

    return register


class Events:
    def __init__(self, tasks: Tasks, clock: Clock) -> None:
        self._tasks = tasks
        self._clock = clock

    def put(
        self,
        account: str,
        region: str,
        *,
        source: str,
        detail_type: str,
        detail: dict[str, Any],
        resources: list[str] | None = None,
    ) -> str:
        """Publishes one event on the default bus; returns its id. Delivered once the transaction commits."""
        identifier = str(uuid.uuid4())
        moment = datetime.fromtimestamp(self._clock.now(), UTC)
        event: Event = {
            "version": "0",
            "id": identifier,
            "detail-type": detail_type,
            "source": source,
            "account": account,
            "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": region,
            "resources": resources or [],
            "detail": detail,
        }
        self.publish(event)
        return identifier

    def publish(self, event: Event) -> None:
        """Publishes an event that already has its envelope."""
        for name, subscription in LISTENERS.items():
            if subscription.wants(event):
                self._tasks.submit("events.listen", f"{event['id']}/{name}", event)


@task("events.listen")
def _listen(engine: Engine, key: str, event: Event) -> None:
    subscription = LISTENERS.get(key.partition("/")[2])
    if subscription is not None:  # a listener of an older version of the code may be gone after a restart
        subscription.listener(engine, event)
