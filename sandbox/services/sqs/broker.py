"""Messages of queues: in memory for order and waiting, written down before whoever sent them is answered.

One lock for all queues of a sandbox, since a dead letter moves from one to another; waiting releases it.
Never take it inside a store transaction. Visibility runs on real time, which the consumer's work fills; a
delay, which nothing fills, on the sandbox's clock.
"""

from __future__ import annotations

import secrets
import threading
import weakref
from collections.abc import Iterator
from typing import Any

from sandbox.engine.engine import Engine
from sandbox.engine.store import Records

SERVICE = "sqs"
DEDUPLICATED = 300.0
"""Seconds for which a FIFO queue remembers what it was sent."""
FIRST = 18_849_000_000_000_000_000
"""FIFO sequence numbers are 20 digits long."""
Message = dict[str, Any]


class Mailbox:
    """The messages of one queue, by sequence number."""

    def __init__(self, lock: threading.RLock, messages: Records, seen: Records) -> None:
        self.changed = threading.Condition(lock)
        self.closed = False
        self._records = messages
        self._seen = seen
        self._messages: dict[str, Message] = dict(zip(messages.keys(), messages.list(), strict=True))
        self._last = max((int(key) for key in self._messages), default=0)

    def add(self, message: Message) -> str:
        """Appends; returns its sequence number."""
        self._last = max(self._last + 1, FIRST if message["fifo_group"] is not None else 1)
        key = f"{self._last:020d}"
        self._put(key, message)
        self.changed.notify_all()
        return key

    def _put(self, key: str, message: Message) -> None:
        self._records.put(key, message)
        self._messages[key] = message

    def get(self, key: str) -> Message | None:
        return self._messages.get(key)

    def change(self, key: str, **members: Any) -> None:
        self._put(key, self._messages[key] | members)
        self.changed.notify_all()

    def remove(self, key: str) -> None:
        if self._messages.pop(key, None) is not None:
            self._records.delete(key)
            self.changed.notify_all()

    def expire(self, now: float, retention: float) -> None:
        for key in [key for key, message in self._messages.items() if message["sent"] + retention < now]:
            self.remove(key)

    def clear(self) -> None:
        for key in list(self._messages):
            self.remove(key)

    def receivable(self, now: float) -> Iterator[tuple[str, Message]]:
        """Messages that may be received now, in order. In a group, nothing overtakes a message in flight."""
        held: set[str] = set()
        for key, message in list(self._messages.items()):
            group = message.get("fifo_group")
            if message["visible"] > now:
                if group is not None:
                    held.add(group)
            elif group is None or group not in held:
                yield key, message

    def next_visible(self, now: float) -> float | None:
        times = [message["visible"] for message in self._messages.values() if message["visible"] > now]
        return min(times, default=None)

    def counts(self, now: float) -> tuple[int, int, int]:
        """(visible, in flight, delayed)."""
        waiting = [message for message in self._messages.values() if message["visible"] > now]
        delayed = sum(message["delayed"] for message in waiting)
        return len(self._messages) - len(waiting), len(waiting) - delayed, delayed

    def seen(self, key: str, now: float) -> dict[str, Any] | None:
        """What was sent under a deduplication id in the last five minutes."""
        record = self._seen.get(key)
        return record if record and now - record["at"] < DEDUPLICATED else None

    def remember(self, key: str, record: dict[str, Any]) -> None:
        for old in list(self._seen.keys()):
            if record["at"] - (self._seen.get(old) or {"at": 0.0})["at"] >= DEDUPLICATED:
                self._seen.delete(old)
        self._seen.put(key, record)

    def forget(self) -> None:
        """The queue is deleted: whoever waits is woken."""
        self.clear()
        for key in list(self._seen.keys()):
            self._seen.delete(key)
        self.closed = True
        self.changed.notify_all()


class Broker:
    """All mailboxes of one sandbox; hold `lock` around whatever is done with them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._mailboxes: dict[str, Mailbox] = {}

    def mailbox(self, engine: Engine, account: str, region: str, uid: str) -> Mailbox:
        """The mailbox of a queue's `uid`, read from its records the first time."""
        with self.lock:
            if uid not in self._mailboxes:
                messages = engine.records(account, region, SERVICE, f"message-{uid}")
                seen = engine.records(account, region, SERVICE, f"seen-{uid}")
                self._mailboxes[uid] = Mailbox(self.lock, messages, seen)
            return self._mailboxes[uid]

    def drop(self, engine: Engine, account: str, region: str, uid: str) -> None:
        with self.lock:
            self.mailbox(engine, account, region, uid).forget()
            del self._mailboxes[uid]


_BROKERS: weakref.WeakKeyDictionary[Engine, Broker] = weakref.WeakKeyDictionary()
_LOCK = threading.Lock()


def broker(engine: Engine) -> Broker:
    with _LOCK:
        if engine not in _BROKERS:
            _BROKERS[engine] = Broker()
        return _BROKERS[engine]


def new_uid() -> str:
    """Tells a queue from an earlier one of its name."""
    return secrets.token_hex(8)
