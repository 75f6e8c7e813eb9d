"""moto's records on disk, by service.

S3 is written object by object before an answer leaves (see `objects`); the small services whole, likewise;
logs and role sessions shortly after (a killed sandbox may lose their last moment, and says so in its docs).
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

from sandbox.state.objects import Objects
from sandbox.state.pickling import dumps, read_snapshot, restore, write_snapshot

log = logging.getLogger(__name__)

AT_ONCE = frozenset({"iam", "kms", "ssm"})
DELAY = 0.3
"""Seconds that changes of the other services are gathered before they are written."""


class MotoRecords:
    """`load` before the first request, `saved` after each that changed something, `close` at the end."""

    def __init__(self, state: Path, account: str, moto: Any) -> None:
        self._folder = state / "moto"
        self._folder.mkdir(parents=True, exist_ok=True)
        self._moto = moto
        self._objects = Objects(state / "s3", account, dumps)
        self._wake = threading.Condition()
        self._changed: set[str] = set()
        self._unwritten: set[str] = set()
        self._closing = False
        self._thread = threading.Thread(target=self._write_forever, name="moto records", daemon=True)
        moto.on_change = self.saved

    def load(self) -> None:
        for path in sorted(self._folder.glob("*.pickle")):
            for account, region, backend in read_snapshot(path):
                restore(account, region, backend)
        self._objects.load()

    def start(self) -> None:
        self._thread.start()

    def saved(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        """Called under the service's lock, before the answer leaves."""
        if service == "s3":
            self._objects.save(operation, parameters)
        elif service in AT_ONCE:
            self.write(service)
        else:
            self.later(service)

    def later(self, *services: str) -> None:
        with self._wake:
            self._changed.update(services, self._unwritten)
            self._unwritten.clear()
            self._wake.notify()

    def close(self) -> None:
        with self._wake:
            self._closing = True
            self._changed.update(self._unwritten)
            self._wake.notify()
        self._thread.join()
        self._objects.close()

    def _write_forever(self) -> None:
        while True:
            with self._wake:
                while not self._closing and not self._changed:
                    self._wake.wait()
                if not self._closing:
                    self._wake.wait_for(lambda: self._closing, timeout=DELAY)
                closing = self._closing
                changed, self._changed = self._changed, set()
            for service in sorted(changed):
                try:
                    self.write(service)
                except OSError:  # a full disk: the next change, or the stop, writes all of it again
                    log.exception("the records of %s could not be written", service)
                    with self._wake:
                        self._unwritten.add(service)
            if closing:
                return

    def write(self, service: str) -> None:
        """Writes a service whole, now."""
        with self._moto.lock(service):
            write_snapshot(self._folder, service)
