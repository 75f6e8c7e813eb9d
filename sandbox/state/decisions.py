"""IAM's decisions on disk: counts by principal and action, and the policies a role had when it last acted.

Written shortly after the requests they are about: a killed sandbox may lose the last moment's counts.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.iam.ledger import Key, Ledger

log = logging.getLogger(__name__)

FILE = "decisions.sqlite"
DELAY = 0.5
"""Seconds that changes are gathered before they are written."""

PoliciesOf = Callable[[str], "list[dict[str, str]] | None"]
"""A principal's ARN → its policies (`name`, `kind` identity or boundary, `document`); None: not a role that
exists."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS decision (
    principal TEXT NOT NULL, action TEXT NOT NULL, outcome TEXT NOT NULL, times INTEGER NOT NULL,
    PRIMARY KEY (principal, action, outcome)
);
CREATE TABLE IF NOT EXISTS policy (principal TEXT PRIMARY KEY, body TEXT NOT NULL);
"""


@dataclass(frozen=True)
class Kept:
    """What the file holds: totals, and policies by role ARN."""

    totals: dict[Key, int]
    policies: dict[str, list[dict[str, str]]]


def read(state: Path) -> Kept:
    """Reads the file of a state folder, whether its sandbox runs or not."""
    path = state / FILE
    if not path.exists():
        return Kept({}, {})
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        totals = {
            (who, action, outcome): times
            for who, action, outcome, times in connection.execute("SELECT * FROM decision")
        }
        policies = {who: json.loads(body) for who, body in connection.execute("SELECT * FROM policy")}
    finally:
        connection.close()
    return Kept(totals, policies)


class DecisionRecords:
    """Keeps a ledger: `start` once requests may come, `close` at the end."""

    def __init__(self, state: Path, ledger: Ledger, policies_of: PoliciesOf) -> None:
        self._ledger = ledger
        self._policies_of = policies_of
        self._connection = sqlite3.connect(state / FILE, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=OFF")  # counts, not what a user was promised
        self._connection.executescript(_SCHEMA)
        ledger.restore(read(state).totals)
        self._unwritten: dict[Key, int] = {}
        self._changed = threading.Event()
        self._closing = threading.Event()
        ledger.on_change = self._changed.set
        self._thread = threading.Thread(target=self._write_forever, name="decisions", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._changed.set()
        self._thread.join()
        self._connection.close()

    def _write_forever(self) -> None:
        while not self._closing.is_set():
            self._changed.wait()
            self._closing.wait(DELAY)
            self._changed.clear()
            self._write()

    def _write(self) -> None:
        self._unwritten |= self._ledger.drain()
        policies = {who: self._policies_of(who) for who in {who for who, _, _ in self._unwritten}}
        try:
            with self._connection:
                self._connection.executemany(
                    "INSERT OR REPLACE INTO decision VALUES (?, ?, ?, ?)",
                    [(*key, times) for key, times in self._unwritten.items()],
                )
                self._connection.executemany(
                    "INSERT OR REPLACE INTO policy VALUES (?, ?)",
                    [(who, json.dumps(body)) for who, body in policies.items() if body is not None],
                )
        except sqlite3.Error:  # a full disk: written with the next change, or at the stop
            log.exception("IAM's decisions could not be written")
        else:
            self._unwritten.clear()
