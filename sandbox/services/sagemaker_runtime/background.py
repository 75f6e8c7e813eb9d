"""Things gathered in memory and written a moment later by one thread a sandbox: metrics, captured data."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Item = TypeVar("Item")


class Gatherer(Generic[Item]):
    """`write` gets what was added, `delay` seconds after the first of it. The thread sleeps when idle."""

    def __init__(self, name: str, delay: float, write: Callable[[list[Item]], None]) -> None:
        self._name = name
        self._delay = delay
        self._write = write
        self._items: list[Item] = []
        self._condition = threading.Condition()
        self._started = False

    def add(self, item: Item) -> None:
        with self._condition:
            self._items.append(item)
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name=self._name, daemon=True).start()
            if len(self._items) == 1:
                self._condition.notify()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            with self._condition:
                self._condition.wait_for(lambda: bool(self._items))
            pause.wait(self._delay)
            with self._condition:
                items, self._items = self._items, []
            try:
                self._write(items)
            except Exception:
                # The next items must still be written.
                log.exception("%s", self._name)
