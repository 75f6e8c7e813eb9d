"""Role sessions on disk: credentials that were handed out go on being valid after a restart."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Any

from sandbox.iam.principals import records
from sandbox.state.pickling import dumps, loads

SCHEMA = """
CREATE TABLE IF NOT EXISTS role_session (
    access_key TEXT PRIMARY KEY, account TEXT NOT NULL, expires REAL NOT NULL, content BLOB NOT NULL
);
"""
GRACE = 3600.0
"""Seconds for which an expired session is told from one that never was."""


class Sessions:
    def __init__(self, connection: sqlite3.Connection, lock: threading.Lock) -> None:
        self._connection, self._lock = connection, lock
        self._written: set[str] = set()

    def save(self) -> None:
        """Writes the sessions that were opened since the last time. Call under the lock of sts."""
        from moto.backends import get_backend

        backends: Any = get_backend
        for account, _, backend in list(backends("sts").iter_backends()):
            for session in reversed(backend.assumed_roles):
                if session.access_key_id in self._written:
                    break
                self._write(account, session)

    def _write(self, account: str, session: Any) -> None:
        row = (session.access_key_id, account, records.epoch(session.expiration), dumps(session))
        with self._lock:
            self._connection.execute("INSERT OR REPLACE INTO role_session VALUES (?, ?, ?, ?)", row)
        self._written.add(session.access_key_id)

    def load(self) -> None:
        """Puts the sessions back where moto keeps them and forgets those long past their time."""
        with self._lock:
            self._connection.execute("DELETE FROM role_session WHERE expires < ?", (time.time() - GRACE,))
            rows = self._connection.execute(
                "SELECT account, content FROM role_session ORDER BY rowid"
            ).fetchall()
        for account, content in rows:
            session = loads(content)
            records.sts_backend(account).assumed_roles.append(session)
            records.iam_backend(account).access_keys[session.access_key_id] = session.access_key
            self._written.add(session.access_key_id)
