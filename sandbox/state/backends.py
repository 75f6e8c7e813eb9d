"""moto's backends on disk, a row a record: what a request changed is written before its answer leaves.

Which records that are is told by the names in the request's parameters, and by the shelves themselves, which
tell what was set or deleted in them; where neither tells anything, all records of the service are compared
with what was written.
"""

from __future__ import annotations

import functools
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from sandbox.state import shelves
from sandbox.state.pickling import class_of, dumps, is_plain, kind_of, loads
from sandbox.state.shelves import Place, Shelf
from sandbox.state.watched import Watched

SCHEMA = """
CREATE TABLE IF NOT EXISTS backend_record (
    sequence INTEGER PRIMARY KEY, service TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
    place TEXT NOT NULL, key TEXT NOT NULL, kind TEXT, content BLOB NOT NULL,
    UNIQUE (service, account, region, place, key)
);
CREATE TABLE IF NOT EXISTS backend_addition (
    sequence INTEGER PRIMARY KEY, service TEXT NOT NULL, account TEXT NOT NULL, region TEXT NOT NULL,
    place TEXT NOT NULL, key TEXT NOT NULL, content BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS backend_addition_of ON backend_addition (service, account, region, place, key);
"""
_NONE = object()
_ITSELF: Place = ()
"""The place of what a backend holds on no shelf."""


@dataclass
class _Written:
    """What is on disk of one backend."""

    backend: Any
    records: dict[Place, dict[Any, Any]] = field(default_factory=dict)
    digests: dict[tuple[Place, Any], bytes] = field(default_factory=dict)
    added: dict[tuple[Place, Any], int] = field(default_factory=dict)
    places: dict[int, tuple[Place, Any]] = field(default_factory=dict)
    """By id() of a record that is an object of its own: where it stands."""
    names: dict[str, set[tuple[Place, Any]]] = field(default_factory=dict)
    called: dict[tuple[Place, Any], set[str]] = field(default_factory=dict)
    refers: dict[tuple[Place, Any], set[tuple[Place, Any]]] = field(default_factory=dict)
    """Which records each record refers to."""
    gone: set[tuple[Place, Any]] = field(default_factory=set)
    seen: set[Place] = field(default_factory=set)
    """The shelves that were there the last time, without those inside records."""
    watched: dict[Place, Watched] = field(default_factory=dict)
    moved: dict[tuple[Place, Any], None] = field(default_factory=dict)
    """What was set or deleted on a shelf since the last time."""

    def referring(self) -> Iterator[tuple[Place, Any]]:
        """Records that refer to what is gone, or is called otherwise now: they are to be written anew."""
        if self.gone:
            yield from [where for where, to in self.refers.items() if where[0] != _ITSELF and to & self.gone]
        self.gone.clear()


class Backends:
    """All backends of one of moto's services. Call under the service's lock."""

    def __init__(self, connection: sqlite3.Connection, lock: threading.Lock, service: str) -> None:
        self.service = service
        self._connection, self._lock = connection, lock
        self._written: dict[tuple[str, str], _Written] = {}
        self._unsure = False

    @property
    def _backends(self) -> Any:
        from moto.backends import get_backend

        found: Any = get_backend
        return found(self.service)

    # --- writing

    def save(self, parameters: dict[str, Any]) -> None:
        """Writes what a request with `parameters` changed."""
        mentioned = set() if self._unsure else set(shelves.mentioned(parameters))
        self._write_all(mentioned, or_compare=True)

    def save_named(self, names: Iterable[str]) -> None:
        """Writes the records that are new or gone, and those that are called one of the names."""
        self._write_all(set(names), or_compare=False)

    def compare(self) -> None:
        """Writes whatever differs from what is written."""
        self._write_all(set(), or_compare=True)

    def _write_all(self, mentioned: set[str], *, or_compare: bool) -> None:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                changes = [
                    self._save(account, region, backend, mentioned)
                    for account, region, backend in list(self._backends.iter_backends())
                ]
                if self._unsure or (or_compare and not (mentioned and any(changes))):
                    for account, region, backend in list(self._backends.iter_backends()):
                        self._compare(account, region, backend)
            except BaseException:
                # Memory knows what the disk does not: the next time all of it is compared.
                self._unsure = True
                if self._connection.in_transaction:  # a full disk may have made SQLite roll back on its own
                    self._connection.execute("ROLLBACK")
                self._written.clear()
                raise
            self._connection.execute("COMMIT")
            self._unsure = False

    def _of(self, account: str, region: str, backend: Any) -> _Written:
        known = self._written.get((account, region))
        if known is None or known.backend is not backend:
            known = self._written[account, region] = _Written(backend)
        return known

    def _save(self, account: str, region: str, backend: Any, mentioned: set[str]) -> bool:
        """Whether a record was changed, as far as names tell."""
        known = self._of(account, region, backend)
        before = len(known.called)
        touched = self._moved(account, region, known)
        gone = len(known.called) < before
        touched |= dict.fromkeys(each for name in mentioned for each in known.names.get(name, ()))
        touched |= dict.fromkeys(known.referring())
        for place, key in touched:
            self._write(account, region, known, place, key)
        self._write_rest(account, region, known)
        return gone or bool(touched)

    def _moved(self, account: str, region: str, known: _Written) -> dict[tuple[Place, Any], None]:
        """Records that were put on a shelf since the last time, in their order; those gone are deleted."""
        there = dict(shelves.shelves(self.service, known.backend))
        for place, shelf in there.items():
            self._look_at(known, place, shelf)
        for place in known.seen.difference(there):
            known.moved |= dict.fromkeys((place, key) for key in known.records.get(place, {}))
        known.seen = set(there)
        new: dict[tuple[Place, Any], None] = {}
        while known.moved:  # a record that is new may bring a shelf of its own
            moved, known.moved = known.moved, {}
            for place, key in moved:
                record = _record(known.backend, place, key)
                if record is _NONE or not shelves.kept(self.service, place, record):
                    self._forget(account, region, known, place, key)
                else:
                    self._know(known, place, key, record)
                    new[place, key] = None
        return new

    def _look_at(self, known: _Written, place: Place, shelf: Shelf) -> None:
        """Has a shelf tell what moves on it. One that cannot, of a class of moto's own, is compared."""
        if place in known.watched and known.watched[place] is shelf:
            return
        records = known.records.get(place, {})
        gone = [key for key in records if key not in shelf]
        moved = [key for key, there in shelf.items() if records.get(key, _NONE) is not there]
        if type(shelf) in (dict, Watched):

            def told(key: Any) -> None:
                known.moved[place, key] = None

            known.watched[place] = Watched(shelf, told)
            shelves.put(known.backend, place, known.watched[place])
        else:
            moved = [key for key in moved if records.get(key, _NONE) is not None]
        known.moved |= dict.fromkeys((place, key) for key in (*gone, *moved))

    def _all_shelves(self, backend: Any) -> Iterator[tuple[Place, Shelf]]:
        for place, shelf in shelves.shelves(self.service, backend):
            yield place, {key: item for key, item in shelf.items() if shelves.kept(self.service, place, item)}
            inner = shelves.inside(self.service, place)
            if inner:
                for key, record in shelf.items():
                    yield (*place, key, inner), getattr(record, inner)

    def _know(self, known: _Written, place: Place, key: Any, record: Any) -> None:
        records, plain = known.records.setdefault(place, {}), is_plain(record)
        known.places.pop(id(records.get(key)), None)
        records[key] = record if plain else None
        if plain:
            known.places[id(record)] = (place, key)
        self._name(known, place, key, record)
        inner = shelves.inside(self.service, place)
        if inner:
            self._look_at(known, (*place, key, inner), getattr(record, inner))

    def _name(self, known: _Written, place: Place, key: Any, record: Any) -> None:
        names = shelves.names(key, record)
        before = known.called.get((place, key), set())
        for name in before - names:
            known.names[name].discard((place, key))
        for name in names - before:
            known.names.setdefault(name, set()).add((place, key))
        known.called[place, key] = names

    def _forget(self, account: str, region: str, known: _Written, place: Place, key: Any) -> None:
        record = known.records.get(place, {}).pop(key, _NONE)
        if record is _NONE:
            return
        inner = shelves.inside(self.service, place)
        if inner:
            within = (*place, key, inner)
            known.watched.pop(within, None)
            known.moved |= dict.fromkeys((within, each) for each in known.records.get(within, {}))
        known.places.pop(id(record), None)
        known.gone.add((place, key))
        known.refers.pop((place, key), None)
        known.digests.pop((place, key), None)
        known.added.pop((place, key), None)
        for name in known.called.pop((place, key), set()):
            known.names[name].discard((place, key))
        row = self._row(account, region, place, key)
        for table in ("backend_record", "backend_addition"):
            self._connection.execute(f"DELETE FROM {table} WHERE {_WHERE}", row)

    def _row(self, account: str, region: str, place: Place, key: Any) -> tuple[str, ...]:
        return self.service, account, region, json.dumps(place), json.dumps(key)

    def _write(self, account: str, region: str, known: _Written, place: Place, key: Any) -> None:
        shelf = shelves.at(known.backend, place)
        record = shelf[key]
        self._name(known, place, key, record)
        kind, content, additions = None, record, None
        if is_plain(record):
            kind, content = kind_of(record), dict(vars(record))
            content.pop(shelves.inside(self.service, place), None)
            growing = shelves.GROWING.get(type(record).__name__)
            additions = content.pop(growing) if growing else None
        row = self._row(account, region, place, key)
        self._put(known, (place, key), row, kind, content)
        if additions is not None:
            self._add(known, (place, key), row, additions)

    def _write_rest(self, account: str, region: str, known: _Written) -> None:
        content = shelves.rest(self.service, known.backend)
        self._put(known, (_ITSELF, ""), self._row(account, region, _ITSELF, ""), None, content)

    def _put(
        self, known: _Written, where: tuple[Place, Any], row: tuple[str, ...], kind: str | None, content: Any
    ) -> None:
        refers: set[tuple[Place, Any]] = set()

        def refer(value: Any) -> Any:
            found = _reference(known, value)
            if found is not None:
                refers.add(found)
            return found

        data = dumps(content, refer)
        known.refers[where] = refers
        digest = blake2b(data, digest_size=16).digest()
        if known.digests.get(where) == digest:
            return
        self._connection.execute(
            "INSERT INTO backend_record (service, account, region, place, key, kind, content) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (service, account, region, place, key) "
            "DO UPDATE SET kind = excluded.kind, content = excluded.content",
            (*row, kind, data),
        )
        known.digests[where] = digest

    def _add(self, known: _Written, where: tuple[Place, Any], row: tuple[str, ...], items: list[Any]) -> None:
        count = known.added.get(where)
        if count is None or len(items) < count:
            self._connection.execute(f"DELETE FROM backend_addition WHERE {_WHERE}", row)
            count = 0
        if len(items) > count:
            self._connection.execute(
                "INSERT INTO backend_addition (service, account, region, place, key, content) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (*row, dumps(items[count:])),
            )
        known.added[where] = len(items)

    def _compare(self, account: str, region: str, backend: Any) -> None:
        known = self._of(account, region, backend)
        self._moved(account, region, known)
        for place, shelf in list(self._all_shelves(backend)):
            for key in shelf:
                self._write(account, region, known, place, key)
        self._write_rest(account, region, known)

    # --- reading

    def load(self) -> None:
        """Puts every record back where moto keeps it: first all objects, empty, then what they hold."""
        rows = self._connection.execute(
            "SELECT account, region, place, key, kind, content FROM backend_record "
            "WHERE service = ? ORDER BY sequence",
            (self.service,),
        ).fetchall()
        waiting: list[tuple[_Written, tuple[Place, Any], Any, bytes]] = []
        for account, region, place_text, key_text, kind, content in rows:
            known = self._of(account, region, self._backends[account][region])
            place, key = tuple(json.loads(place_text)), json.loads(key_text)
            if place == _ITSELF:
                waiting.append((known, (place, key), known.backend, content))
            elif kind is None:
                shelves.at(known.backend, place)[key] = loads(content)
            else:
                record = shelves.at(known.backend, place)[key] = _blank(kind)
                inner = shelves.inside(self.service, place)
                if inner:
                    setattr(record, inner, {})
                waiting.append((known, (place, key), record, content))
        for known, where, record, content in waiting:
            refers = known.refers[where] = set()
            vars(record).update(loads(content, functools.partial(_resolve, known.backend, refers)))
        self._load_additions()
        for (account, region), known in self._written.items():
            self._note(account, region, known)

    def _load_additions(self) -> None:
        rows = self._connection.execute(
            "SELECT account, region, place, key, content FROM backend_addition "
            "WHERE service = ? ORDER BY sequence",
            (self.service,),
        ).fetchall()
        for known in self._written.values():
            for _, shelf in self._all_shelves(known.backend):
                for record in shelf.values():
                    growing = shelves.GROWING.get(type(record).__name__)
                    if growing:
                        setattr(record, growing, [])
        for account, region, place_text, key_text, content in rows:
            known = self._written[account, region]
            place, key = tuple(json.loads(place_text)), json.loads(key_text)
            record = shelves.at(known.backend, place)[key]
            items = getattr(record, shelves.GROWING[type(record).__name__])
            items += loads(content)
            known.added[place, key] = len(items)

    def _note(self, account: str, region: str, known: _Written) -> None:
        """Remembers what stands where; digests come with the first write of each."""
        for place, shelf in self._all_shelves(known.backend):
            for key, record in shelf.items():
                self._know(known, place, key, record)
        for place, shelf in shelves.shelves(self.service, known.backend):
            self._look_at(known, place, shelf)
            known.seen.add(place)
        known.moved.clear()


_WHERE = "service = ? AND account = ? AND region = ? AND place = ? AND key = ?"


def _reference(known: _Written, value: Any) -> Any:
    """How one record names another one, or its backend; None for what belongs to the record itself."""
    if value is known.backend:
        return (_ITSELF, "")
    return known.places.get(id(value))


def _record(backend: Any, place: Place, key: Any) -> Any:
    """What stands on a shelf; _NONE also where the shelf itself is gone."""
    try:
        return shelves.at(backend, place).get(key, _NONE)
    except (KeyError, AttributeError):
        return _NONE


def _resolve(backend: Any, refers: set[tuple[Place, Any]], where: Any) -> Any:
    place, key = where
    refers.add((place, key))
    return backend if place == _ITSELF else shelves.at(backend, place)[key]


def _blank(kind: str) -> Any:
    made = class_of(kind)
    return made.__new__(made)
