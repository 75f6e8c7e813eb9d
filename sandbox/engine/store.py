"""Records: the durable memory of every service, one SQLite file.

A record is JSON under (collection, key). Writes are committed before the API call that made them is
answered, so what was acknowledged survives a killed process (SQLite's write-ahead log).
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox.engine.indexes import Index, ValuesOf

Record = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (collection, key)
);
"""


class Store:
    """One SQLite connection behind one re-entrant lock: one writer at a time, transactions nest."""

    def __init__(self, path: Path | str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._on_commit: list[Callable[[], None]] = []
        self._indexes: dict[str, dict[ValuesOf, Index]] = {}
        self._touched: set[tuple[str, str]] = set()
        self._connection = sqlite3.connect(str(path), check_same_thread=False, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing under NORMAL; only a power cut could lose the last commits.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes inside are committed together, or none if an exception leaves the block.

        A nested block that an exception leaves takes back its own writes only, whoever catches it.
        """
        with self._lock:
            outer = self._depth == 0
            savepoint = f"nested{self._depth}"
            kept = len(self._on_commit)
            self._connection.execute("BEGIN IMMEDIATE" if outer else f"SAVEPOINT {savepoint}")
            self._depth += 1
            if outer:
                self._touched.clear()
            try:
                yield
                if outer:
                    self._connection.execute("COMMIT")
            except BaseException:
                del self._on_commit[kept:]
                self._undo(None if outer else savepoint)
                raise
            finally:
                self._depth -= 1
            if not outer:
                self._connection.execute(f"RELEASE {savepoint}")
                return
            callbacks, self._on_commit = self._on_commit, []
            for callback in callbacks:
                callback()

    def _undo(self, savepoint: str | None) -> None:
        # An index may have seen what is taken back here.
        for collection, key in list(self._touched):
            self._stale(collection, key)
        # A full disk may have made SQLite roll back on its own.
        if not self._connection.in_transaction:
            return
        if savepoint is None:
            self._connection.execute("ROLLBACK")
        else:
            self._connection.execute(f"ROLLBACK TO {savepoint}")
            self._connection.execute(f"RELEASE {savepoint}")

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Runs `callback` once the surrounding transaction is durable (at once outside of one)."""
        with self._lock:
            if self._depth:
                self._on_commit.append(callback)
                return
        callback()

    def get(self, collection: str, key: str) -> Record | None:
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM record WHERE collection = ? AND key = ?", (collection, key)
            ).fetchone()
        return json.loads(row[0]) if row else None

    def put(self, collection: str, key: str, body: Record) -> None:
        """Inserts or replaces; a replaced record keeps its place in the order of insertion."""
        text = json.dumps(body, separators=(",", ":"))
        with self._lock:
            self._stale(collection, key)
            self._connection.execute(
                "INSERT INTO record (collection, key, body) VALUES (?, ?, ?) "
                "ON CONFLICT (collection, key) DO UPDATE SET body = excluded.body",
                (collection, key, text),
            )

    def delete(self, collection: str, key: str) -> None:
        with self._lock:
            self._stale(collection, key)
            self._connection.execute("DELETE FROM record WHERE collection = ? AND key = ?", (collection, key))

    def items(self, collection: str, prefix: str = "") -> list[tuple[str, Record]]:
        """(key, record) pairs in order of insertion."""
        return [(key, json.loads(body)) for key, body in self._rows("key, body", collection, prefix)]

    def keys_where(self, collection: str, values_of: ValuesOf, *values: Hashable) -> list[str]:
        """Keys of the records that hold one of the values, without a look at the others.

        `values_of` tells what a record holds; its first use for a collection reads all of it.
        """
        with self._lock:
            indexes = self._indexes.setdefault(collection, {})
            index = indexes.get(values_of)
            if index is None:
                index = Index(values_of)
                for key, record in self.items(collection):
                    index.learn(key, record)
                indexes[values_of] = index
            for key in list(index.stale):
                index.learn(key, self.get(collection, key))
                index.stale.discard(key)
            return list(index.keys(values))

    def where(self, collection: str, values_of: ValuesOf, *values: Hashable) -> list[Record]:
        """The records that hold one of the values: see `keys_where`."""
        with self._lock:
            keys = self.keys_where(collection, values_of, *values)
            return [record for key in keys if (record := self.get(collection, key)) is not None]

    def _stale(self, collection: str, key: str) -> None:
        if self._depth:
            self._touched.add((collection, key))
        for index in self._indexes.get(collection, {}).values():
            index.stale.add(key)

    def keys(self, collection: str, prefix: str = "") -> list[str]:
        return [row[0] for row in self._rows("key", collection, prefix)]

    def collections(self, suffix: str = "") -> list[str]:
        """Names of the collections that hold a record and end with `suffix`."""
        with self._lock:
            rows = self._connection.execute("SELECT DISTINCT collection FROM record").fetchall()
        return [row[0] for row in rows if row[0].endswith(suffix)]

    def _rows(self, columns: str, collection: str, prefix: str) -> list[tuple[Any, ...]]:
        query = f"SELECT {columns} FROM record WHERE collection = ?"
        arguments = [collection]
        if prefix:
            # A range of the index: everything from the prefix to the prefix and the last character there is.
            query += " AND key >= ? AND key < ?"
            arguments += [prefix, prefix + "\U0010ffff"]
        with self._lock:
            return self._connection.execute(query + " ORDER BY sequence", arguments).fetchall()

    def close(self) -> None:
        with self._lock:
            self._connection.close()


class Records:
    """The records of one kind of thing of one service in one account and region."""

    def __init__(self, store: Store, collection: str) -> None:
        self.store = store
        self.collection = collection

    def get(self, key: str) -> Record | None:
        return self.store.get(self.collection, key)

    def put(self, key: str, record: Record) -> None:
        self.store.put(self.collection, key, record)

    def delete(self, key: str) -> None:
        self.store.delete(self.collection, key)

    def where(self, values_of: ValuesOf, *values: Hashable) -> list[Record]:
        """See Store.keys_where."""
        return self.store.where(self.collection, values_of, *values)

    def keys_where(self, values_of: ValuesOf, *values: Hashable) -> Sequence[str]:
        return self.store.keys_where(self.collection, values_of, *values)

    def list(self, prefix: str = "") -> list[Record]:
        return [record for _, record in self.store.items(self.collection, prefix)]

    def keys(self, prefix: str = "") -> Sequence[str]:
        return self.store.keys(self.collection, prefix)
