"""Durable tasks: whatever takes time is advanced by a task that is written with the record it advances.

A task is known by (name, key). The same task never runs twice at once; submitting it while it is queued
coalesces, submitting it while it runs makes it run once more. After a crash every task that had not
finished is run again, so handlers are idempotent. Nothing polls: workers wake on submission or when due.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.engine.clock import Clock
from sandbox.engine.store import Record, Records, Store

if TYPE_CHECKING:
    from sandbox.engine.engine import Engine

log = logging.getLogger(__name__)

WORKERS = 96
ATTEMPTS = 3
"""Runs of a handler that raises before the task is set aside as failed (a fault of the sandbox itself)."""


@dataclass(frozen=True)
class Again:
    """Returned by a handler: run me again after so many seconds of real time."""

    after: float = 0.0


TaskHandler = Callable[["Engine", str, dict[str, Any]], "Again | None"]
HANDLERS: dict[str, TaskHandler] = {}
GIVEN_UP: dict[str, Callable[[Engine, str, dict[str, Any], str], None]] = {}


def task(name: str) -> Callable[[TaskHandler], TaskHandler]:
    """Registers the handler of a task name (`service.what`)."""

    def register(handler: TaskHandler) -> TaskHandler:
        if name in HANDLERS:
            raise ValueError(f"task {name} is registered twice")
        HANDLERS[name] = handler
        return handler

    return register


def given_up(name: str) -> Callable[[Any], Any]:
    """Registers what ends the record of a task that was set aside: `(engine, key, payload, reason)`.

    Without it the record would say for ever that its work is under way.
    """

    def register(function: Any) -> Any:
        GIVEN_UP[name] = function
        return function

    return register


class Tasks:
    """Waits go by a clock that nobody sets; `due` in a record is wall time, for the next process alone."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._records = Records(store, "engine/task")
        self._failed = Records(store, "engine/failed-task")
        self._clock = clock
        self._engine: Engine | None = None
        self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="task")
        self._condition = threading.Condition()
        self._due: list[tuple[float, int, str]] = []
        self._count = itertools.count()
        self._running: set[str] = set()
        self._when: dict[str, float] = {}
        self._stopping = False

    def start(self, engine: Engine) -> None:
        """Runs what an earlier process left unfinished, then whatever is submitted."""
        self._engine = engine
        threading.Thread(target=self._dispatch, name="tasks", daemon=True).start()
        for key in list(self._records.keys()):
            record = self._records.get(key)
            if record:
                left = record["due"] - self._clock.now()
                # The wall clock may have been set back meanwhile: no task waits longer than it was to.
                self._schedule(key, min(left, record.get("after", left)))

    def stop(self) -> None:
        """No further task starts; the unfinished ones run again at the next start."""
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self._workers.shutdown(wait=False, cancel_futures=True)

    def submit(
        self, name: str, key: str, payload: dict[str, Any] | None = None, *, after: float = 0.0
    ) -> None:
        """Queues a task, durable with the surrounding transaction; `after`: real seconds from now."""
        if name not in HANDLERS:
            raise LookupError(f"task {name} has no handler")
        identity = f"{name}|{key}"
        record = {
            "name": name,
            "key": key,
            "payload": payload or {},
            "due": self._clock.now() + after,
            "after": after,
            "generation": uuid.uuid4().hex,
            "attempts": 0,
        }
        self._records.put(identity, record)
        self._store.after_commit(lambda: self._schedule(identity, after))

    def cancel(self, name: str, key: str) -> None:
        """Forgets a task that is not running yet."""
        self._records.delete(f"{name}|{key}")

    def pending(self, name: str, prefix: str = "") -> list[str]:
        """Keys of the unfinished tasks of a name."""
        start = len(name) + 1
        return [identity[start:] for identity in self._records.keys(f"{name}|{prefix}")]

    def _schedule(self, identity: str, wait: float) -> None:
        due = time.monotonic() + max(0.0, wait)
        with self._condition:
            self._when[identity] = due
            heapq.heappush(self._due, (due, next(self._count), identity))
            self._condition.notify()

    def _dispatch(self) -> None:
        while True:
            with self._condition:
                while not self._stopping:
                    wait = self._due[0][0] - time.monotonic() if self._due else None
                    if wait is not None and wait <= 0:
                        break
                    self._condition.wait(wait)
                if self._stopping:
                    return
                _, _, identity = heapq.heappop(self._due)
                if identity in self._running:
                    continue  # _run looks for a newer generation when it ends
                if self._when.get(identity, 0.0) > time.monotonic():
                    continue  # submitted again for later: that has an entry of its own
                self._running.add(identity)
            try:
                self._workers.submit(self._run, identity)
            except RuntimeError:  # the pool was shut down between the check and here
                return

    def _run(self, identity: str) -> None:
        try:
            self._run_once(identity)
        except Exception:
            log.exception("task %s could not be recorded", identity)
        finally:
            with self._condition:
                self._running.discard(identity)
                due = self._when.get(identity, 0.0)
            if self._records.get(identity):
                self._schedule(identity, due - time.monotonic())
            else:
                with self._condition:
                    if self._when.get(identity) == due:
                        del self._when[identity]

    def _run_once(self, identity: str) -> None:
        record = self._records.get(identity)
        if record is None or self._stopping:
            return
        assert self._engine is not None
        try:
            outcome = HANDLERS[record["name"]](self._engine, record["key"], record["payload"])
        except Exception as error:
            if not self._stopping:
                log.exception("task %s failed", identity)
                self._after_failure(identity, record, error)
            return
        with self._store.transaction():
            current = self._records.get(identity)
            if current is None or current["generation"] != record["generation"]:
                return
            if outcome is None:
                self._records.delete(identity)
            else:
                self._again(identity, current | {"attempts": 0}, outcome.after)

    def _again(self, identity: str, record: Record, after: float) -> None:
        due = self._clock.now() + after
        self._records.put(identity, record | {"due": due, "after": after})
        with self._condition:
            self._when[identity] = time.monotonic() + after

    def _after_failure(self, identity: str, record: Record, error: Exception) -> None:
        with self._store.transaction():
            current = self._records.get(identity)
            if current is None or current["generation"] != record["generation"]:
                return
            attempts = current["attempts"] + 1
            if attempts >= ATTEMPTS:
                self._records.delete(identity)
                self._failed.put(identity, current | {"error": repr(error), "at": self._clock.now()})
            else:
                self._again(identity, current | {"attempts": attempts}, 0.2 * 2**attempts)
        ending = GIVEN_UP.get(record["name"])
        if attempts >= ATTEMPTS and ending is not None:
            assert self._engine is not None
            ending(self._engine, record["key"], record["payload"], f"The sandbox failed: {error!r}")

    def failed(self) -> list[Record]:
        """Tasks that were set aside: each is a fault of the sandbox and is shown by its status."""
        return self._failed.list()
