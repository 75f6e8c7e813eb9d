"""Dictionaries that tell what was set or deleted in them, so that nobody has to compare to find out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Told = Callable[[Any], None]


class Watched(dict[Any, Any]):
    """`told` is called with each key that is set, also to what it held already, or deleted."""

    def __init__(self, content: dict[Any, Any], told: Told) -> None:
        super().__init__(content)
        self._told = told

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, value)
        self._told(key)

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self._told(key)

    def __ior__(self, other: Any) -> Watched:  # type: ignore[override, misc]
        self.update(other)
        return self

    def setdefault(self, key: Any, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *others: Any, **named: Any) -> None:
        for key, value in dict(*others, **named).items():
            self[key] = value

    def pop(self, key: Any, *default: Any) -> Any:
        there = key in self
        value = super().pop(key, *default)
        if there:
            self._told(key)
        return value

    def popitem(self) -> tuple[Any, Any]:
        key, value = super().popitem()
        self._told(key)
        return key, value

    def clear(self) -> None:
        keys = list(self)
        super().clear()
        for key in keys:
            self._told(key)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Copies are plain: nobody watches them."""
        return dict, (dict(self),)
