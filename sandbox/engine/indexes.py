"""Which records of a collection hold a value: told without reading them all.

An index lives in memory. It is made when it is first asked and learns of a change when it is next asked, from
the keys of the records that have changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

ValuesOf = Callable[[dict[str, Any]], Iterable[Hashable]]
"""The values by which a record is found. A function of a module: an index is known by it."""


class Index:
    """Keys of records by value, in the order in which the records got the value."""

    def __init__(self, values_of: ValuesOf) -> None:
        self._values_of = values_of
        self._values: dict[str, frozenset[Hashable]] = {}
        self._keys: dict[Hashable, dict[str, None]] = {}
        self.stale: set[str] = set()

    def learn(self, key: str, record: dict[str, Any] | None) -> None:
        """What a record holds now; None: it is gone."""
        now = frozenset(self._values_of(record)) if record is not None else frozenset()
        before = self._values.pop(key, frozenset())
        for value in before - now:
            keys = self._keys[value]
            del keys[key]
            if not keys:
                del self._keys[value]
        for value in now - before:
            self._keys.setdefault(value, {})[key] = None
        if now:
            self._values[key] = now

    def keys(self, values: Iterable[Hashable]) -> Iterator[str]:
        """Keys of the records that hold one of the values, each once."""
        found: dict[str, None] = {}
        for value in values:
            found |= self._keys.get(value, {})
        return iter(found)
