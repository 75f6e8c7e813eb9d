"""moto's records on disk, all of them written before the answer to the request that changed them leaves.

S3's are written object by object (see `objects`), those of the other services record by record (see
`backends`), role sessions when they are opened. Pinned to moto's version: what another version wrote is
refused, not guessed at.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sandbox.iam import moto_resources
from sandbox.iam.principals import changes
from sandbox.state import backends, sessions
from sandbox.state.backends import Backends
from sandbox.state.objects import Objects
from sandbox.state.pickling import dumps
from sandbox.state.sessions import Sessions
from sandbox.state.snapshots import take_over
from sandbox.state.version import pin

SERVICES = ("iam", "kms", "logs", "ssm")
LATE = frozenset({"ssm"})
"""Read when they are first used: to load moto's part of them takes a second."""


class MotoRecords:
    """`load` before the first request, `saved` after each that changed something, `close` at the end."""

    def __init__(self, state: Path, account: str, moto: Any) -> None:
        self._moto, self._folder = moto, state / "moto"
        self._objects = Objects(state / "s3", account, dumps)
        self._lock = threading.Lock()
        path = state / "moto.sqlite"
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        pin(self._connection, path)
        self._connection.executescript(backends.SCHEMA + sessions.SCHEMA)
        self._backends = {name: Backends(self._connection, self._lock, name) for name in SERVICES}
        self._sessions = Sessions(self._connection, self._lock)
        self._unread = set(LATE)
        moto.on_change = self.saved
        moto.before_use = moto_resources.before_use = self.read
        changes.write_with(self.changing)

    def load(self) -> None:
        for service in SERVICES:
            if service not in LATE:
                self._backends[service].load()
        for service in take_over(self._folder):
            if service in self._backends:
                self._unread.discard(service)
                self.write(service)
        self._sessions.load()
        self._objects.load()

    def read(self, service: str) -> None:
        """Reads the records of a service that were left for later."""
        if service in self._unread:
            with self._moto.lock(service):
                if service in self._unread:
                    self._backends[service].load()
                    self._unread.discard(service)

    def saved(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        """Called under the service's lock, before the answer leaves."""
        if service == "s3":
            self._objects.save(operation, parameters)
        elif service in self._backends:
            self._backends[service].save(parameters)

    @contextmanager
    def changing(self, *services: str, names: Sequence[str] = ()) -> Iterator[None]:
        """Around a change that a room of ours makes to moto's records: locked, and written likewise.

        `names`: what the records are called that are changed, besides those that are new or gone.
        """
        with ExitStack() as locks:
            for service in services:
                locks.enter_context(self._moto.lock(service))
            yield
            for service in services:
                if service == "sts":
                    self._sessions.save()
                else:
                    self._backends[service].save_named(names)

    def write(self, service: str) -> None:
        """Writes whatever of a service differs from what is written."""
        with self._moto.lock(service):
            self._backends[service].compare()

    def close(self) -> None:
        for service in SERVICES:
            if service not in self._unread:
                self.write(service)
        self._objects.close()
        with self._lock:
            self._connection.close()
